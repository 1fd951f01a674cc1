/**
 * The items counted most often (field type top). A sketch is its encoded bytes and is never changed in place. Pure; lives
 * on policy workers and on the store thread.
 *
 * Space-Saving: Metwally, Agrawal and El Abbadi, "Efficient computation of frequent and top-k elements in data streams",
 * ICDT 2005. When there is no room, the item counted least makes way, and the newcomer takes its count over as an error.
 *
 * Encoding: 0x20, floor (no item that is not listed can have more), number of items, then length, item, count, over.
 */
import { compareBytes } from './compare-bytes.ts'
import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'

const VERSION = 0x20
const EMPTY = Uint8Array.of(VERSION, 1, 0)

/** One item of a reading: the true count is at most `count` and at least `count - over`. */
export interface TopEntry {
  readonly item: Uint8Array
  readonly count: number
  readonly over: number
}

interface TopSketch {
  readonly floor: number
  readonly entries: readonly TopEntry[]
}

export function emptyTop(): Uint8Array {
  return EMPTY
}

/** Whether bytes are a sketch; the other functions may only be given such. */
export function isTop(bytes: Uint8Array): boolean {
  return parse(bytes) !== undefined
}

/**
 * The sketch after `amount` (> 0) more of an item. With N counted in all, no count is too high by more than N/capacity,
 * and every item that makes up more than that share is listed.
 */
export function topAdd(sketch: Uint8Array, item: Uint8Array, amount: number, capacity: number): Uint8Array {
  const { floor, entries } = withRoom(parse(sketch) ?? { floor: 0, entries: [] }, capacity)
  const known = entries.findIndex((entry) => compareBytes(entry.item, item) === 0)
  const entry = entries[known]
  if (entry !== undefined)
    return encode({ floor, entries: entries.with(known, { ...entry, count: entry.count + amount }) })
  if (entries.length < capacity) {
    return encode({ floor, entries: [...entries, { item, count: floor + amount, over: floor }] })
  }
  const leastAt = indexOfLeast(entries)
  const newFloor = Math.max(floor, entries[leastAt]?.count ?? 0)
  const newcomer = { item, count: newFloor + amount, over: newFloor }
  return encode({ floor: newFloor, entries: entries.with(leastAt, newcomer) })
}

/**
 * The sketch of everything that either has counted. Commutative in what it reads; merging in another order may list
 * other items at the end, but the bounds of `topAdd` hold for the sum in any order (Agarwal et al., "Mergeable
 * summaries", PODS 2012).
 */
export function topMerge(left: Uint8Array, right: Uint8Array, capacity: number): Uint8Array {
  return encode(cut(union([left, right]), capacity))
}

/** The items of several sketches together, counted most first; equal counts by their bytes. */
export function topUnion(sketches: readonly Uint8Array[], limit: number): readonly TopEntry[] {
  return union(sketches).entries.slice(0, limit)
}

/** What is not listed in one sketch may have had its floor there. */
function union(sketches: readonly Uint8Array[]): TopSketch {
  const parsed = sketches.map((sketch) => parse(sketch) ?? { floor: 0, entries: [] })
  const floor = parsed.reduce((sum, sketch) => sum + sketch.floor, 0)
  const sums = new Map<string, TopEntry>()
  for (const sketch of parsed) {
    for (const { item, count, over } of sketch.entries) {
      const name = String.fromCharCode(...item)
      const sum = sums.get(name) ?? { item, count: floor, over: floor }
      sums.set(name, { item, count: sum.count + count - sketch.floor, over: sum.over + over - sketch.floor })
    }
  }
  const entries = [...sums.values()].toSorted((a, b) => b.count - a.count || compareBytes(a.item, b.item))
  return { floor, entries }
}

/** A sketch that was written when the capacity was larger loses what no longer fits. */
function withRoom(sketch: TopSketch, capacity: number): TopSketch {
  if (sketch.entries.length <= capacity) return sketch
  return cut({ ...sketch, entries: sketch.entries.toSorted((a, b) => b.count - a.count) }, capacity)
}

function cut({ floor, entries }: TopSketch, capacity: number): TopSketch {
  return { floor: Math.max(floor, entries[capacity]?.count ?? 0), entries: entries.slice(0, capacity) }
}

function indexOfLeast(entries: readonly TopEntry[]): number {
  let at = 0
  for (const [index, entry] of entries.entries())
    if (entry.count < (entries[at]?.count ?? Infinity)) at = index
  return at
}

function parse(bytes: Uint8Array): TopSketch | undefined {
  const reader = new ByteReader(bytes)
  if (reader.readByte() !== VERSION) return undefined
  const floor = reader.readNumber()
  const count = reader.readVarint()
  const entries: TopEntry[] = []
  while (reader.hasMore && entries.length < count) {
    entries.push({ item: reader.readSized(), count: reader.readNumber(), over: reader.readNumber() })
  }
  return reader.failed || reader.hasMore || entries.length !== count ? undefined : { floor, entries }
}

function encode({ floor, entries }: TopSketch): Uint8Array {
  const writer = new ByteWriter()
  writer.writeByte(VERSION)
  writer.writeNumber(floor)
  writer.writeVarint(entries.length)
  for (const { item, count, over } of entries) {
    writer.writeSized(item)
    writer.writeNumber(count)
    writer.writeNumber(over)
  }
  return writer.finish()
}
