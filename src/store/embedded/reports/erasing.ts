/**
 * Puts segments without erased reports into the places of what they were, so that a crash at any moment leaves all of the new
 * or all of the old ones: what is to be written is on disk in a file of its own before the first place is overwritten, and
 * that is done again at the next start if it was not finished. Store thread.
 */
import { Buffer } from 'node:buffer'
import { closeSync, existsSync, fsync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { crc32 } from 'node:zlib'
import { syncDirectory, writeAll } from './growing-file.ts'
import { indexPath } from './index-file.ts'
import { readHead, RECORD_HEAD_BYTES, type RecordHead, writeHead } from './record.ts'

/** Beside the files of reports, for as long as it takes. */
export const ERASING_FILE = 'erasing'
const SUM_BYTES = 4
/** Of an entry: place in the file (4 bytes), length of the file's name (1). */
const ENTRY_HEAD_BYTES = 5

/** A record in its new form. */
export interface ErasedRecord {
  /** Name of the file, without its directory. */
  readonly fileName: string
  readonly at: number
  readonly head: RecordHead
  /** No longer than the room of the record. */
  readonly sealed: Uint8Array
}

const sync = promisify(fsync)

/** Overwrites these records; they are on disk when this resolves. */
export async function overwriteRecords(directory: string, records: readonly ErasedRecord[]): Promise<void> {
  // What failed in the middle is not left behind.
  await finishErasing(directory)
  // Where batches are not synced, the power must not take what is in front of a place and leave the place.
  for (const fileName of new Set(records.map((record) => record.fileName)))
    await syncIfThere(join(directory, fileName))
  const bytes = encodeErasing(records)
  writeFileSync(join(directory, ERASING_FILE), bytes, { mode: 0o600, flush: true })
  await syncDirectory(directory)
  await apply(directory, bytes.subarray(SUM_BYTES))
}

/** What the file holds meanwhile: CRC-32 of the rest (4 bytes), then the records with their places. */
export function encodeErasing(records: readonly ErasedRecord[]): Buffer {
  const entries = Buffer.concat(records.map(encodeEntry))
  const sum = Buffer.alloc(SUM_BYTES)
  sum.writeUInt32BE(crc32(entries))
  return Buffer.concat([sum, entries])
}

/** Ends what an earlier run began. */
export async function finishErasing(directory: string): Promise<void> {
  const path = join(directory, ERASING_FILE)
  if (!existsSync(path)) return
  const bytes = readFileSync(path)
  const entries = bytes.subarray(SUM_BYTES)
  const isWhole = bytes.length >= SUM_BYTES && crc32(entries) === bytes.readUInt32BE(0)
  // What is not whole was never begun.
  if (isWhole) await apply(directory, entries)
  else rmSync(path, { force: true })
}

async function syncIfThere(path: string): Promise<void> {
  // Retention may have removed the file.
  if (!existsSync(path)) return
  const handle = openSync(path, 'r+')
  try {
    await sync(handle)
  } finally {
    closeSync(handle)
  }
}

async function apply(directory: string, entries: Buffer): Promise<void> {
  const touched = new Map<string, number>()
  try {
    let at = 0
    while (at < entries.length) at = overwrite(directory, { entries, at, touched })
    for (const handle of touched.values()) await sync(handle)
  } finally {
    for (const handle of touched.values()) closeSync(handle)
  }
  rmSync(join(directory, ERASING_FILE), { force: true })
}

/** Writes one entry into its place; where the next one begins. */
function overwrite(
  directory: string,
  from: { readonly entries: Buffer; readonly at: number; readonly touched: Map<string, number> },
): number {
  const { entries, at, touched } = from
  const nameAt = at + ENTRY_HEAD_BYTES
  const recordAt = nameAt + (entries[at + 4] ?? 0)
  const path = join(directory, entries.toString('latin1', nameAt, recordAt))
  const roomBytes = readHead(entries, recordAt)?.roomBytes ?? 0
  const end = recordAt + RECORD_HEAD_BYTES + roomBytes
  // Retention may have removed the file.
  if (!existsSync(path)) return end
  // It names what is erased, and its removal before the crash may have been lost with the power.
  rmSync(indexPath(path), { force: true })
  const handle = touched.get(path) ?? openSync(path, 'r+')
  touched.set(path, handle)
  writeAll(handle, entries.subarray(recordAt, end), entries.readUInt32BE(at))
  return end
}

function encodeEntry({ fileName, at, head, sealed }: ErasedRecord): Buffer {
  const recordAt = ENTRY_HEAD_BYTES + fileName.length
  const bytes = Buffer.alloc(recordAt + RECORD_HEAD_BYTES + head.roomBytes)
  bytes.writeUInt32BE(at, 0)
  bytes[4] = fileName.length
  bytes.write(fileName, ENTRY_HEAD_BYTES, 'latin1')
  writeHead(bytes, recordAt, { ...head, sizeBytes: sealed.length })
  bytes.set(sealed, recordAt + RECORD_HEAD_BYTES)
  return bytes
}
