/**
 * Reports for tests of the store.
 */
import type { ReportToAppend } from '../../src/store/store.ts'

/** A moment in 2026. */
export const START_MS = 1_790_000_000_000

export function reportAt(offsetMs: number, fields: Partial<ReportToAppend> = {}): ReportToAppend {
  return {
    login: 'ann',
    remote: '192.0.2.1',
    success: true,
    text: '{}',
    receivedAtMs: START_MS + offsetMs,
    ...fields,
  }
}
