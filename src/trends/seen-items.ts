/**
 * Which items a key was seen with, since when, how often (field type seen). The list is its encoded bytes and is never
 * changed in place. Pure; lives on policy workers and on the store thread.
 *
 * Encoding: 0x20, then the items, the one seen last first: length, item, time seen last (ms), ms between first and last,
 * count.
 */
import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'

const VERSION = 0x20
const EMPTY = Uint8Array.of(VERSION)

export interface SeenEntry {
  readonly item: Uint8Array
  /** Unix seconds, exact to a millisecond. */
  readonly first: number
  readonly last: number
  readonly count: number
}

/** An entry where it stands in the list; no view of its item is made, since most are only passed by. */
interface RawEntry {
  readonly start: number
  readonly end: number
  readonly itemStart: number
  readonly itemEnd: number
  readonly lastMs: number
  readonly firstMs: number
  readonly count: number
}

export function emptySeen(): Uint8Array {
  return EMPTY
}

/** Whether bytes are a list; the other functions may only be given such. */
export function isSeen(bytes: Uint8Array): boolean {
  const reader = new ByteReader(bytes)
  if (reader.readByte() !== VERSION) return false
  let before = Infinity
  while (reader.hasMore) {
    const { lastMs, firstMs } = readEntry(reader)
    if (lastMs > before || firstMs < 0) return false
    before = lastMs
  }
  return !reader.failed
}

/**
 * The list after an item was seen `count` times at a time (Unix seconds, ≥ 0). When there are more than maxItems, the one
 * seen longest ago goes, which may be this one.
 */
export function seenAdd(list: Uint8Array, sighting: Omit<SeenEntry, 'first'>, maxItems: number): Uint8Array {
  const timeMs = Math.round(sighting.last * 1000)
  const entries: RawEntry[] = []
  let known: RawEntry | undefined
  const reader = new ByteReader(list, 1)
  while (reader.hasMore) {
    const entry = readEntry(reader)
    if (known === undefined && isOf(list, entry, sighting.item)) known = entry
    else entries.push(entry)
  }
  const lastMs = Math.max(timeMs, known?.lastMs ?? 0)
  const firstMs = Math.min(timeMs, known?.firstMs ?? Infinity)
  const found = entries.findIndex((entry) => entry.lastMs <= lastMs)
  const place = found === -1 ? entries.length : found

  const writer = new ByteWriter(list.length + sighting.item.length + 24)
  writer.writeByte(VERSION)
  copyEntries(writer, list, entries.slice(0, Math.min(place, maxItems)))
  if (place < maxItems) {
    writer.writeSized(sighting.item)
    writer.writeVarint(lastMs)
    writer.writeVarint(lastMs - firstMs)
    writer.writeNumber((known?.count ?? 0) + sighting.count)
    copyEntries(writer, list, entries.slice(place, maxItems - 1))
  }
  return writer.finish()
}

/** When and how often an item was seen, undefined if never. */
export function seenItem(list: Uint8Array, item: Uint8Array): SeenEntry | undefined {
  const reader = new ByteReader(list, 1)
  while (reader.hasMore) {
    const entry = readEntry(reader)
    if (isOf(list, entry, item)) return asSeen(list, entry)
  }
  return undefined
}

/** The items, the one seen last first, at most `limit` of them. */
export function seenItems(list: Uint8Array, limit = Infinity): readonly SeenEntry[] {
  const items: SeenEntry[] = []
  const reader = new ByteReader(list, 1)
  while (reader.hasMore && items.length < limit) items.push(asSeen(list, readEntry(reader)))
  return items
}

function readEntry(reader: ByteReader): RawEntry {
  const start = reader.offset
  const itemBytes = reader.readVarint()
  const itemStart = reader.offset
  reader.skip(itemBytes)
  const lastMs = reader.readVarint()
  const firstMs = lastMs - reader.readVarint()
  const count = reader.readNumber()
  return { start, end: reader.offset, itemStart, itemEnd: itemStart + itemBytes, lastMs, firstMs, count }
}

function copyEntries(writer: ByteWriter, list: Uint8Array, entries: readonly RawEntry[]): void {
  for (const { start, end } of entries) writer.writeBytes(list.subarray(start, end))
}

function isOf(list: Uint8Array, { itemStart, itemEnd }: RawEntry, item: Uint8Array): boolean {
  if (itemEnd - itemStart !== item.length) return false
  // From the end: items of one list often begin alike.
  for (let index = item.length - 1; index >= 0; index--) {
    if (list[itemStart + index] !== item[index]) return false
  }
  return true
}

function asSeen(list: Uint8Array, { itemStart, itemEnd, firstMs, lastMs, count }: RawEntry): SeenEntry {
  const item = list.subarray(itemStart, itemEnd)
  return { item, first: firstMs / 1000, last: lastMs / 1000, count }
}
