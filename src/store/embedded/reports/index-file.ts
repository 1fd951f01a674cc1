/**
 * The index of a report file that is full, in a file beside it. It says nothing that the report file does not say itself:
 * where it is missing, does not fit or is damaged, it is made anew. So it is not synced either. Store thread.
 *
 *     "TRKIDX1\n" · CRC-32 of what follows up to the pages (4 bytes) · size of the report file (4) · segments (4) · entries (4) ·
 *     segment table · first hash of each page by login (4 each), by address · pages by login · pages by address
 *
 * Little-endian.
 */
import { Buffer } from 'node:buffer'
import { rmSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import type { FileHandles } from './file-handles.ts'
import { type FileIndex, type GrowingIndex, type IndexKind, inSlices } from './file-index.ts'
import { SegmentTable } from './segment-table.ts'
import { encodePages, findInPages, PAGE_BYTES, pagesOf } from './sorted-pages.ts'

const MARK = 'TRKIDX1\n'
const SUM_AT = MARK.length
const SIZES_AT = SUM_AT + 4
const HEAD_BYTES = SIZES_AT + 12

/** What an index file says. */
export interface StoredIndex {
  readonly table: SegmentTable
  readonly index: FileIndex
}

/** What the index is of. */
interface Indexed {
  /** Of the report file. */
  readonly path: string
  readonly sizeBytes: number
  readonly firstSegment: number
}

export function indexPath(reportPath: string): string {
  return reportPath.replace(/\.reports$/, '.index')
}

/** Writes the index of a file that does not grow any more; rejects when there is no room for it. */
export async function writeIndexFile(of: Indexed, table: SegmentTable, index: GrowingIndex): Promise<void> {
  const byLogin = await pagesFor(index, 'login')
  const byAddress = await pagesFor(index, 'address')
  const sizes = Buffer.alloc(HEAD_BYTES - SIZES_AT)
  sizes.writeUInt32LE(of.sizeBytes, 0)
  sizes.writeUInt32LE(table.length, 4)
  sizes.writeUInt32LE(index.entries, 8)
  const described = Buffer.concat([sizes, table.encode(), byLogin.firstHashes, byAddress.firstHashes])
  const head = Buffer.alloc(SIZES_AT)
  head.write(MARK, 'latin1')
  head.writeUInt32LE(crc32(described), SUM_AT)
  const path = indexPath(of.path)
  const fresh = `${path}.new`
  try {
    await writeFile(fresh, [head, described, ...byLogin.pages, ...byAddress.pages], { mode: 0o600 })
    await rename(fresh, path)
  } catch (error) {
    rmSync(fresh, { force: true })
    throw error
  }
}

/** The index of a report file as it is now; undefined when there is none that fits. */
export function readIndexFile(of: Indexed, handles: FileHandles): StoredIndex | undefined {
  const path = indexPath(of.path)
  const bytes = readDescription(path, handles)
  if (bytes?.readUInt32LE(SIZES_AT) !== of.sizeBytes) return undefined
  const segments = bytes.readUInt32LE(SIZES_AT + 4)
  const entries = bytes.readUInt32LE(SIZES_AT + 8)
  const hashesAt = HEAD_BYTES + SegmentTable.sizeBytes(segments)
  const pages = pagesOf(entries)
  const part = (kind: IndexKind): Parameters<typeof findInPages>[0] => {
    const nth = kind === 'login' ? 0 : 1
    const firstHashes = new Uint32Array(pages)
    for (let page = 0; page < pages; page++)
      firstHashes[page] = bytes.readUInt32LE(hashesAt + (nth * pages + page) * 4)
    const pagesAt = bytes.length + nth * pages * PAGE_BYTES
    const readPage = (page: number): Buffer => handles.read(path, pagesAt + page * PAGE_BYTES, PAGE_BYTES)
    return { firstHashes, entries, readPage }
  }
  const byLogin = part('login')
  const byAddress = part('address')
  return {
    table: SegmentTable.decode(bytes.subarray(HEAD_BYTES, hashesAt), of.firstSegment),
    index: { find: (kind, hash) => findInPages(kind === 'login' ? byLogin : byAddress, hash) },
  }
}

/** Everything before the pages, if its checksum is right. */
function readDescription(path: string, handles: FileHandles): Buffer | undefined {
  let head
  try {
    head = handles.read(path, 0, HEAD_BYTES)
  } catch {
    return undefined
  }
  if (head.length < HEAD_BYTES || head.toString('latin1', 0, SUM_AT) !== MARK) return undefined
  const segments = head.readUInt32LE(SIZES_AT + 4)
  const pages = pagesOf(head.readUInt32LE(SIZES_AT + 8))
  const sizeBytes = HEAD_BYTES + SegmentTable.sizeBytes(segments) + 2 * 4 * pages
  // What a damaged head says is not asked for.
  if (sizeBytes + 2 * pages * PAGE_BYTES !== handles.sizeBytes(path)) return undefined
  const bytes = handles.read(path, 0, sizeBytes)
  return crc32(bytes.subarray(SIZES_AT)) === bytes.readUInt32LE(SUM_AT) ? bytes : undefined
}

async function pagesFor(
  index: GrowingIndex,
  kind: IndexKind,
): Promise<{ readonly firstHashes: Buffer; readonly pages: readonly Buffer[] }> {
  const pages: Buffer[] = []
  const hashes: number[] = []
  const collect = function* (): Generator<void> {
    for (const { firstHash, page } of encodePages(index.sorted(kind))) {
      hashes.push(firstHash)
      pages.push(page)
      yield
    }
  }
  await inSlices(collect())
  const firstHashes = Buffer.alloc(hashes.length * 4)
  for (const [page, hash] of hashes.entries()) firstHashes.writeUInt32LE(hash, page * 4)
  return { firstHashes, pages }
}
