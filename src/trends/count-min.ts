/**
 * Counts per item (field type countmin). A sketch is its encoded bytes and is never changed in place. Pure; lives on
 * policy workers and on the store thread. Hashes come from item-hash.ts; this file never sees items.
 *
 * Encoding: 0x20, total, then hash (48 bits) and count of each item, hashes ascending, while they are few (exact); else
 * 0x30, width, depth, total and width × depth counters. The upper nibble's first three bits are the version.
 */
import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'

const EXACT = 0x20
const DENSE = 0x30
const MOST_CELLS = 65_536
const MOST_EXACT = 256
const LEAST_EXACT = 16
const EMPTY = Uint8Array.of(EXACT, 1)

/** Counters of a grown sketch: depth rows of width each. */
export interface CountMinShape {
  readonly width: number
  readonly depth: number
}

interface Exact {
  readonly kind: 'exact'
  readonly total: number
  readonly hashes: readonly number[]
  readonly counts: readonly number[]
}

interface Dense {
  readonly kind: 'dense'
  readonly shape: CountMinShape
  readonly total: number
  readonly counters: Float64Array
}

/**
 * Counters for an error bound: an item's count is never too low, and too high by more than eps × total for at most a
 * share gamma of the items. Width ⌈e/eps⌉, depth ⌈ln(1/gamma)⌉. Source: Cormode and Muthukrishnan, "An improved data
 * stream summary: the count-min sketch and its applications", Journal of Algorithms 55, 2005.
 */
export function countMinShape(eps: number, gamma: number): CountMinShape {
  return { width: Math.ceil(Math.E / eps), depth: Math.max(1, Math.ceil(Math.log(1 / gamma))) }
}

export function emptyCountMin(): Uint8Array {
  return EMPTY
}

/** Different items up to which a sketch of this shape is exact. */
export function countMinExactLimit({ width, depth }: CountMinShape): number {
  return Math.max(LEAST_EXACT, Math.min(MOST_EXACT, Math.floor((width * depth) / 4)))
}

/** Whether bytes are a sketch; the other functions may only be given such. */
export function isCountMin(bytes: Uint8Array): boolean {
  return parse(bytes) !== undefined
}

/**
 * The sketch after `amount` (> 0) more of an item.
 *
 * @param shape - what it grows to; one that has grown keeps its own shape
 */
export function countMinAdd(
  sketch: Uint8Array,
  hash: number,
  amount: number,
  shape: CountMinShape,
): Uint8Array {
  const one: Exact = { kind: 'exact', total: amount, hashes: [hash], counts: [amount] }
  return merged(parse(sketch) ?? emptyExact(), one, shape) ?? sketch
}

/**
 * The sketch of everything that either has counted; undefined when both have grown, in different shapes. Associative and
 * commutative, down to the bytes, as long as counts are whole numbers below 2^53.
 */
export function countMinMerge(
  left: Uint8Array,
  right: Uint8Array,
  shape: CountMinShape,
): Uint8Array | undefined {
  return merged(parse(left) ?? emptyExact(), parse(right) ?? emptyExact(), shape)
}

/** The count of one item, or of all items when no hash is given. */
export function countMinCount(sketch: Uint8Array, hash?: number): number {
  const parsed = parse(sketch)
  if (parsed === undefined) return 0
  if (hash === undefined) return parsed.total
  if (parsed.kind === 'exact') return parsed.counts[parsed.hashes.indexOf(hash)] ?? 0
  const { shape, counters } = parsed
  let least = Infinity
  for (let row = 0; row < shape.depth; row++)
    least = Math.min(least, counters[cellOf(hash, row, shape.width)] ?? 0)
  return least
}

function emptyExact(): Exact {
  return { kind: 'exact', total: 0, hashes: [], counts: [] }
}

function parse(bytes: Uint8Array): Exact | Dense | undefined {
  const reader = new ByteReader(bytes)
  const form = reader.readByte()
  if (form === EXACT) return parseExact(reader)
  return form === DENSE ? parseDense(reader) : undefined
}

function parseExact(reader: ByteReader): Exact | undefined {
  const total = reader.readNumber()
  const hashes: number[] = []
  const counts: number[] = []
  while (reader.hasMore && hashes.length < MOST_EXACT) {
    const hash = reader.readUint48()
    if (hash <= (hashes.at(-1) ?? -1)) return undefined
    hashes.push(hash)
    counts.push(reader.readNumber())
  }
  return reader.failed || reader.hasMore ? undefined : { kind: 'exact', total, hashes, counts }
}

function parseDense(reader: ByteReader): Dense | undefined {
  const width = reader.readVarint()
  const depth = reader.readVarint()
  const total = reader.readNumber()
  const cells = width * depth
  if (cells === 0 || cells > MOST_CELLS || cells > reader.remaining) return undefined
  const counters = new Float64Array(cells)
  for (let cell = 0; cell < cells; cell++) counters[cell] = reader.readNumber()
  return reader.failed || reader.hasMore
    ? undefined
    : { kind: 'dense', shape: { width, depth }, total, counters }
}

function merged(left: Exact | Dense, right: Exact | Dense, shape: CountMinShape): Uint8Array | undefined {
  if (left.kind === 'exact' && right.kind === 'exact') {
    const union = mergeExact(left, right)
    return union.hashes.length <= countMinExactLimit(shape)
      ? encodeExact(union)
      : encodeDense(grown(union, shape))
  }
  const target = left.kind === 'dense' ? left.shape : right.kind === 'dense' ? right.shape : shape
  const a = left.kind === 'dense' ? left : grown(left, target)
  const b = right.kind === 'dense' ? right : grown(right, target)
  if (a.shape.width !== b.shape.width || a.shape.depth !== b.shape.depth) return undefined
  const counters = a.counters.map((count, cell) => count + (b.counters[cell] ?? 0))
  return encodeDense({ kind: 'dense', shape: target, total: a.total + b.total, counters })
}

function mergeExact(left: Exact, right: Exact): Exact {
  const hashes: number[] = []
  const counts: number[] = []
  let l = 0
  let r = 0
  while (l < left.hashes.length || r < right.hashes.length) {
    const leftHash = left.hashes[l] ?? Infinity
    const rightHash = right.hashes[r] ?? Infinity
    hashes.push(Math.min(leftHash, rightHash))
    let count = 0
    if (leftHash <= rightHash) count += left.counts[l++] ?? 0
    if (rightHash <= leftHash) count += right.counts[r++] ?? 0
    counts.push(count)
  }
  return { kind: 'exact', total: left.total + right.total, hashes, counts }
}

function grown(exact: Exact, shape: CountMinShape): Dense {
  const counters = new Float64Array(shape.width * shape.depth)
  for (const [index, hash] of exact.hashes.entries()) {
    for (let row = 0; row < shape.depth; row++) {
      const cell = cellOf(hash, row, shape.width)
      counters[cell] = (counters[cell] ?? 0) + (exact.counts[index] ?? 0)
    }
  }
  return { kind: 'dense', shape, total: exact.total, counters }
}

function encodeExact({ total, hashes, counts }: Exact): Uint8Array {
  const writer = new ByteWriter(8 + hashes.length * 8)
  writer.writeByte(EXACT)
  writer.writeNumber(total)
  for (const [index, hash] of hashes.entries()) {
    writer.writeUint48(hash)
    writer.writeNumber(counts[index] ?? 0)
  }
  return writer.finish()
}

function encodeDense({ shape, total, counters }: Dense): Uint8Array {
  const writer = new ByteWriter(16 + counters.length * 2)
  writer.writeByte(DENSE)
  writer.writeVarint(shape.width)
  writer.writeVarint(shape.depth)
  writer.writeNumber(total)
  for (const count of counters) writer.writeNumber(count)
  return writer.finish()
}

/** Position of an item's counter in one row: each row mixes the hash anew, so that rows err independently. */
function cellOf(hash: number, row: number, width: number): number {
  const upper = Math.floor(hash / 0x100000000)
  let mixed = ((hash % 0x100000000) ^ Math.imul(upper + 1 + (row << 16), 0x9e3779b1)) >>> 0
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return row * width + (((mixed ^ (mixed >>> 16)) >>> 0) % width)
}
