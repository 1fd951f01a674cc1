/**
 * The index entries of a segment's reports: by login and by address, newest first. Pure; used on the store thread.
 *
 * Value: success (1 byte) · second of receipt (4 bytes), so that a query reads hardly any report that does not match.
 */
import { historyKey, PREFIX, SLOTS } from './keys.ts'
import type { SegmentEntry } from './segment.ts'
import { textHash } from './text-hash.ts'
import type { WriteBatch } from './write-batch.ts'

const VALUE_BYTES = 5

/** Adds or removes the entries of these reports. */
export function stageIndexes(
  batch: WriteBatch,
  segment: number,
  entries: readonly SegmentEntry[],
  operation: 'put' | 'delete',
): void {
  for (const entry of entries) {
    const id = segment * SLOTS + entry.slot
    const byLogin = historyKey(PREFIX.byLogin, textHash(entry.login), id)
    const byAddress = historyKey(PREFIX.byAddress, textHash(entry.remote), id)
    if (operation === 'delete') {
      batch.delete(byLogin)
      batch.delete(byAddress)
    } else {
      const value = indexValue(entry)
      batch.put(byLogin, value)
      batch.put(byAddress, value)
    }
  }
}

/** What an entry says of its report. */
export interface IndexedReport {
  readonly success: boolean
  /** Received in the second that begins here, Unix ms. */
  readonly fromMs: number
}

export function readIndexValue(value: Uint8Array): IndexedReport {
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength)
  return { success: value[0] === 1, fromMs: view.getUint32(1) * 1000 }
}

function indexValue({ success, receivedAtMs }: SegmentEntry): Uint8Array {
  const value = new Uint8Array(VALUE_BYTES)
  value[0] = success ? 1 : 0
  // Reports from before 1970 or after 2106 are found by queries that name no time.
  new DataView(value.buffer).setUint32(1, Math.min(0xffffffff, Math.max(0, Math.floor(receivedAtMs / 1000))))
  return value
}
