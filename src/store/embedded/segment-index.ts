/**
 * The index entries of a segment's reports: by login and by address, newest first. Pure; used on the store thread.
 *
 * Value: success (1 byte) · received at (double), so that a query reads only reports that match.
 */
import type { ReportToAppend } from '../store.ts'
import { historyKey, PREFIX, SLOTS } from './keys.ts'
import type { SegmentEntry } from './segment.ts'
import { textHash } from './text-hash.ts'
import type { WriteBatch } from './write-batch.ts'

const VALUE_BYTES = 9

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

export function readIndexValue(value: Uint8Array): Pick<ReportToAppend, 'success' | 'receivedAtMs'> {
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength)
  return { success: value[0] === 1, receivedAtMs: view.getFloat64(1) }
}

function indexValue({ success, receivedAtMs }: SegmentEntry): Uint8Array {
  const value = new Uint8Array(VALUE_BYTES)
  value[0] = success ? 1 : 0
  new DataView(value.buffer).setFloat64(1, receivedAtMs)
  return value
}
