/**
 * Rows of a trend database in the order of their keys, in pages. Store thread.
 */
import type { StoredTrendRow } from '../store.ts'
import type { Database } from './database.ts'
import { chunkKey, databaseKey, endOf, partsOfDatabaseKey, PREFIX } from './keys.ts'
import { decodeRow } from './row-value.ts'
import { unseal } from './sealed-value.ts'

/** A page ends when it has so much, so that large rows cannot fill the memory. */
const PAGE_BYTES = 4 * 1024 * 1024
/** Rows that are read without letting batches pass. */
const STEP_ROWS = 64
const FIRST_AFTER = Uint8Array.of(0)

interface ScanArguments {
  readonly database: string
  readonly after: Uint8Array | undefined
  readonly limit: number
}

/** @throws TrackError TRK_STORE_DAMAGED when a row is not what was stored. */
export async function scanTrendRows(
  store: Database,
  { database, after, limit }: ScanArguments,
): Promise<readonly StoredTrendRow[]> {
  const rows: StoredTrendRow[] = []
  if (limit <= 0) return rows
  const start = databaseKey(PREFIX.row, database)
  // The key that follows directly on another is that key with a zero byte behind it.
  const from =
    after === undefined ? start : databaseKey(PREFIX.row, database, Buffer.concat([after, FIRST_AFTER]))
  let sizeBytes = 0
  for await (const page of store.pages({ from, to: endOf(start), limit }, STEP_ROWS)) {
    for (const [rowKey, value] of page) {
      // Copies: what is sent to another thread takes all of the memory that it is a view of.
      const key = partsOfDatabaseKey(rowKey).key.slice()
      const { bytes, chunkNames } = decodeRow(rowKey, value)
      const chunks = readChunks(
        store,
        chunkNames.map((name) => [name, chunkKey(database, key, name)] as const),
      )
      rows.push({ key, bytes: bytes.slice(), chunks })
      sizeBytes += value.length
      for (const chunk of chunks.values()) sizeBytes += chunk.length
      if (sizeBytes >= PAGE_BYTES) return rows
    }
  }
  return rows
}

/** One that was removed since the row was read is left out. */
function readChunks(
  store: Database,
  names: readonly (readonly [name: string, at: Uint8Array])[],
): ReadonlyMap<string, Uint8Array> {
  const chunks = new Map<string, Uint8Array>()
  for (const [name, at] of names) {
    const sealed = store.get(at)
    if (sealed !== undefined) chunks.set(name, unseal(at, sealed).slice())
  }
  return chunks
}
