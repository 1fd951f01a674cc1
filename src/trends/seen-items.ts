/**
 * Which items a key was seen with, since when, how often (field type seen). The list is its encoded bytes and is never
 * changed in place. Pure; lives on policy workers and on the store thread.
 *
 * Encoding: 0x20, then the items, the one seen last first: length, item, time seen last (ms), ms between first and last,
 * count.
 */
import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { compareBytes } from './compare-bytes.ts'

const VERSION = 0x20
const EMPTY = Uint8Array.of(VERSION)

export interface SeenEntry {
  readonly item: Uint8Array
  /** Unix seconds, exact to a millisecond. */
  readonly first: number
  readonly last: number
  readonly count: number
}

interface RawEntry {
  readonly start: number
  readonly end: number
  readonly item: Uint8Array
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
    if (known === undefined && compareBytes(entry.item, sighting.item) === 0) known = entry
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
    if (compareBytes(entry.item, item) === 0) return asSeen(entry)
  }
  return undefined
}

/** The items, the one seen last first, at most `limit` of them. */
export function seenItems(list: Uint8Array, limit = Infinity): readonly SeenEntry[] {
  const items: SeenEntry[] = []
  const reader = new ByteReader(list, 1)
  while (reader.hasMore && items.length < limit) items.push(asSeen(readEntry(reader)))
  return items
}

function readEntry(reader: ByteReader): RawEntry {
  const start = reader.offset
  const item = reader.readSized()
  const lastMs = reader.readVarint()
  const firstMs = lastMs - reader.readVarint()
  const count = reader.readNumber()
  return { start, end: reader.offset, item, lastMs, firstMs, count }
}

function copyEntries(writer: ByteWriter, list: Uint8Array, entries: readonly RawEntry[]): void {
  for (const { start, end } of entries) writer.writeBytes(list.subarray(start, end))
}

function asSeen({ item, firstMs, lastMs, count }: RawEntry): SeenEntry {
  return { item, first: firstMs / 1000, last: lastMs / 1000, count }
}
