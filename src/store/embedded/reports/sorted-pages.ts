/**
 * An index that does not grow any more, as pages of sorted entries with a checksum each: a look-up reads one page. Pure; store
 * thread.
 *
 *     page (4 KiB): CRC-32 of the rest (4 bytes) · 511 × (hash (4) · place (4)), little-endian; zeros behind the last one
 */
import { Buffer } from 'node:buffer'
import { crc32 } from 'node:zlib'

export const PAGE_BYTES = 4096
const SUM_BYTES = 4
const ENTRY_BYTES = 8
const PAGE_ENTRIES = Math.floor((PAGE_BYTES - SUM_BYTES) / ENTRY_BYTES)

/** A page is not what was written; the index can be made anew. */
export class DamagedPage extends Error {}

export function pagesOf(entries: number): number {
  return Math.ceil(entries / PAGE_ENTRIES)
}

/** The pages of entries that come sorted by hash, one by one, so that others can pass. */
export function* encodePages(
  sorted: Iterable<readonly [hash: number, place: number]>,
): Generator<{ readonly firstHash: number; readonly page: Buffer }> {
  let page = Buffer.alloc(PAGE_BYTES)
  let entries = 0
  for (const [hash, place] of sorted) {
    const at = SUM_BYTES + entries * ENTRY_BYTES
    page.writeUInt32LE(hash, at)
    page.writeUInt32LE(place, at + 4)
    if (++entries < PAGE_ENTRIES) continue
    yield finished(page)
    page = Buffer.alloc(PAGE_BYTES)
    entries = 0
  }
  if (entries > 0) yield finished(page)
}

interface SortedPages {
  /** The first hash of each page. */
  readonly firstHashes: Uint32Array
  readonly entries: number
  readonly readPage: (page: number) => Buffer
}

/**
 * Places of a hash in the order in which they were sorted.
 *
 * @throws DamagedPage
 */
export function* findInPages(pages: SortedPages, hash: number): Generator<number> {
  const { firstHashes, entries } = pages
  // The entries of a hash may begin in the page before the first that begins with it.
  for (
    let page = Math.max(0, lowerBound(firstHashes, hash) - 1);
    page < firstHashes.length && (firstHashes[page] ?? 0) <= hash;
    page++
  ) {
    const bytes = checked(pages.readPage(page))
    const inPage = Math.min(PAGE_ENTRIES, entries - page * PAGE_ENTRIES)
    for (let entry = firstInPage(bytes, inPage, hash); entry < inPage; entry++) {
      if (hashAt(bytes, entry) !== hash) return
      yield bytes.readUInt32LE(SUM_BYTES + entry * ENTRY_BYTES + 4)
    }
  }
}

function finished(page: Buffer): { readonly firstHash: number; readonly page: Buffer } {
  page.writeUInt32LE(crc32(page.subarray(SUM_BYTES)), 0)
  return { firstHash: hashAt(page, 0), page }
}

function checked(page: Buffer): Buffer {
  if (page.length !== PAGE_BYTES || crc32(page.subarray(SUM_BYTES)) !== page.readUInt32LE(0))
    throw new DamagedPage()
  return page
}

function hashAt(page: Buffer, entry: number): number {
  return page.readUInt32LE(SUM_BYTES + entry * ENTRY_BYTES)
}

function firstInPage(page: Buffer, entries: number, hash: number): number {
  let low = 0
  let high = entries
  while (low < high) {
    const middle = (low + high) >>> 1
    if (hashAt(page, middle) < hash) low = middle + 1
    else high = middle
  }
  return low
}

function lowerBound(hashes: Uint32Array, hash: number): number {
  let low = 0
  let high = hashes.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((hashes[middle] ?? 0) < hash) low = middle + 1
    else high = middle
  }
  return low
}
