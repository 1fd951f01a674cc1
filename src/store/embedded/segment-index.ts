/**
 * The index entries of a segment's reports: by login and by address, newest first. Pure; used on the store thread.
 *
 * Value: every other second of receipt (31 bits) · success (1 bit), so that a query reads hardly any report that does not
 * match.
 */
import { historyKey, readUint32, SLOTS, writeUint32 } from './keys.ts'
import { pooledBytes } from './pooled-bytes.ts'
import type { SegmentEntry } from './segment.ts'
import { textHash } from './text-hash.ts'
import type { WriteBatch } from './write-batch.ts'

const VALUE_BYTES = 4
/** What an entry knows of the time. */
const STEP_MS = 2000

/** Adds or removes the entries of these reports. */
export function stageIndexes(
  batch: WriteBatch,
  segment: number,
  entries: readonly SegmentEntry[],
  operation: 'put' | 'delete',
): void {
  for (const entry of entries) {
    const id = segment * SLOTS + entry.slot
    const byLogin = historyKey('login', textHash(entry.login), id)
    const byAddress = historyKey('address', textHash(entry.remote), id)
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
  /** Received from here on, Unix ms … */
  readonly fromMs: number
  /** … and before this. */
  readonly untilMs: number
}

export function readIndexValue(value: Uint8Array): IndexedReport {
  const coded = readUint32(value, 0)
  const fromMs = Math.floor(coded / 2) * STEP_MS
  return { success: coded % 2 === 1, fromMs, untilMs: fromMs + STEP_MS }
}

function indexValue({ success, receivedAtMs }: SegmentEntry): Uint8Array {
  const value = pooledBytes(VALUE_BYTES)
  // Reports from before 1970 or after 2106 are found by queries that name no time.
  const step = Math.min(0x7fffffff, Math.max(0, Math.floor(receivedAtMs / STEP_MS)))
  writeUint32(value, 0, step * 2 + (success ? 1 : 0))
  return value
}
