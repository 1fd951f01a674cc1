/**
 * Whether a value in a MaxMind DB file is well formed, found out before the library decodes it. The library trusts the
 * file: a wrong size gives a wrong number, a huge array takes all memory, pointers that fan out never end. Pure; runs
 * on whatever thread looks addresses up.
 *
 * Format: https://maxmind.github.io/MaxMind-DB/, section "Output Data Section".
 */
import { isUtf8 } from 'node:buffer'

/** A part of the file that holds values; pointers count from its start. */
export interface ValueSection {
  readonly bytes: Buffer
  /** Offset of the first byte in the file. */
  readonly start: number
  /** Offset after the last byte. */
  readonly end: number
}

/** Real records are about 5 deep and have at most a few hundred values. */
const MAX_DEPTH = 32
const MAX_VALUES = 10_000

const TYPE = {
  extended: 0,
  pointer: 1,
  string: 2,
  double: 3,
  bytes: 4,
  uint16: 5,
  uint32: 6,
  map: 7,
  int32: 8,
  uint64: 9,
  uint128: 10,
  array: 11,
  boolean: 14,
  float: 15,
} as const

/** Sizes that a value of fixed or bounded size may have, both ends included. */
const SCALAR_SIZES: ReadonlyMap<number, readonly [min: number, max: number]> = new Map([
  [TYPE.double, [8, 8]],
  [TYPE.float, [4, 4]],
  [TYPE.uint16, [0, 2]],
  [TYPE.uint32, [0, 4]],
  [TYPE.int32, [0, 4]],
  [TYPE.uint64, [0, 8]],
  [TYPE.uint128, [0, 16]],
])

/** The offset after a value, or what is wrong with it. */
type Step = number | string

interface Walk extends ValueSection {
  /** Values that may still be looked at. */
  budget: number
}

/**
 * Looks at the value at an offset and at everything inside it or pointed to from it.
 *
 * @param offset in the file, in bytes
 * @returns undefined when all is well, else what is wrong and where
 */
export function checkRecord(section: ValueSection, offset: number): string | undefined {
  const step = value({ ...section, budget: MAX_VALUES }, offset, 0)
  return typeof step === 'string' ? step : undefined
}

function value(walk: Walk, offset: number, depth: number): Step {
  if (depth > MAX_DEPTH) return `values at byte ${offset} are nested more than ${MAX_DEPTH} deep`
  if (--walk.budget < 0) return `the record that leads to byte ${offset} has more than ${MAX_VALUES} values`
  if (offset < walk.start || offset >= walk.end) return `byte ${offset} is outside the data`
  const control = walk.bytes[offset] ?? 0
  const short = control >> 5
  if (short === TYPE.pointer) return pointer(walk, offset, depth)
  const extended = short === TYPE.extended
  const type = extended ? (walk.bytes[offset + 1] ?? 0) + 7 : short
  if (extended && type <= TYPE.map) return `byte ${offset} begins a value of no known type`
  return sized(walk, { offset, type, control, next: offset + (extended ? 2 : 1) }, depth)
}

interface Head {
  readonly offset: number
  readonly type: number
  readonly control: number
  /** Offset after the bytes that gave the type. */
  readonly next: number
}

function sized(walk: Walk, head: Head, depth: number): Step {
  const { type, offset } = head
  const bits = head.control & 0x1f
  const sizeBytes = bits < 29 ? 0 : bits - 28
  const start = head.next + sizeBytes
  if (start > walk.end) return `the value at byte ${offset} is cut off`
  const size = bits < 29 ? bits : sizeBase(sizeBytes) + walk.bytes.readUIntBE(head.next, sizeBytes)
  // Booleans keep their value in the size; the members of a map or array take at least one byte each.
  if (type === TYPE.boolean)
    return size > 1 ? `the boolean at byte ${offset} is neither true nor false` : start
  const least = type === TYPE.map ? 2 * size : size
  if (start + least > walk.end) return `the value at byte ${offset} is longer than the data`
  if (type === TYPE.map) return members(walk, { offset: start, count: size, keyed: true }, depth)
  if (type === TYPE.array) return members(walk, { offset: start, count: size, keyed: false }, depth)
  if (type === TYPE.bytes) return start + size
  if (type === TYPE.string) {
    const valid = isUtf8(walk.bytes.subarray(start, start + size))
    return valid ? start + size : `the text at byte ${offset} is no UTF-8`
  }
  const sizes = SCALAR_SIZES.get(type)
  if (sizes === undefined) return `byte ${offset} begins a value of no known type`
  if (size < sizes[0] || size > sizes[1]) return `the number at byte ${offset} has ${size} bytes`
  return start + size
}

/** What one, two or three size bytes count from. */
function sizeBase(sizeBytes: number): number {
  if (sizeBytes === 1) return 29
  return sizeBytes === 2 ? 285 : 65_821
}

interface Members {
  readonly offset: number
  readonly count: number
  /** A map: each member has a key in front. */
  readonly keyed: boolean
}

function members(walk: Walk, { offset, count, keyed }: Members, depth: number): Step {
  let next = offset
  for (let index = 0; index < count; index++) {
    if (keyed) {
      if (!isText(walk, next)) return `the key at byte ${next} is no text`
      const afterKey = value(walk, next, depth + 1)
      if (typeof afterKey === 'string') return afterKey
      next = afterKey
    }
    const after = value(walk, next, depth + 1)
    if (typeof after === 'string') return after
    next = after
  }
  return next
}

/** Whether a text begins here, or a pointer to one. */
function isText(walk: Walk, offset: number): boolean {
  const type = (walk.bytes[offset] ?? 0) >> 5
  if (type === TYPE.string) return true
  const target = type === TYPE.pointer ? pointerTarget(walk, offset) : undefined
  return target !== undefined && (walk.bytes[target] ?? 0) >> 5 === TYPE.string
}

function pointer(walk: Walk, offset: number, depth: number): Step {
  const target = pointerTarget(walk, offset)
  if (target === undefined) return `the pointer at byte ${offset} leads out of the data`
  if ((walk.bytes[target] ?? 0) >> 5 === TYPE.pointer) return `the pointer at byte ${offset} leads to another`
  const pointed = value(walk, target, depth + 1)
  return typeof pointed === 'string' ? pointed : offset + 2 + pointerSize(walk, offset)
}

/** 0 to 3: one to four bytes follow the control byte. */
function pointerSize({ bytes }: ValueSection, offset: number): number {
  return ((bytes[offset] ?? 0) >> 3) & 3
}

/** The offset in the file that a pointer means; undefined when it is outside the section. */
function pointerTarget(section: ValueSection, offset: number): number | undefined {
  const { bytes, start, end } = section
  const size = pointerSize(section, offset)
  if (offset + 2 + size > end) return undefined
  const high = (bytes[offset] ?? 0) & 7
  const low = bytes.readUIntBE(offset + 1, size + 1)
  const target = start + (size === 3 ? low : high * 2 ** (8 * (size + 1)) + low + pointerBase(size))
  return target < end ? target : undefined
}

/** What pointers of each size count from, so that no place can be written in two sizes. */
function pointerBase(size: number): number {
  if (size === 0) return 0
  return size === 1 ? 2048 : 526_336
}
