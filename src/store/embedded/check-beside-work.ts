/**
 * Checks of files for which there was no time at the start, one after another, while the store works. Store thread.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { TrackError } from '../../errors.ts'
import { checkTableFileSlowly } from './check-files.ts'
import type { CheckedDirectory } from './open-database.ts'
import { checkReportFile } from './reports/check-reports.ts'

/** Between two files. */
const PAUSE_MS = 50

interface Watched {
  /** The store does not work any more. */
  readonly isOver: () => boolean
  readonly onDamage: (error: TrackError) => void
}

/** Ends at the first damage. */
export async function checkBesideWork(
  { unchecked, uncheckedReports }: CheckedDirectory,
  { isOver, onDamage }: Watched,
): Promise<void> {
  const checks = [
    ...unchecked.map((path) => ({ path, check: checkTableFileSlowly })),
    ...uncheckedReports.map((path) => ({ path, check: checkReportFile })),
  ]
  for (const { path, check } of checks) {
    await sleep(PAUSE_MS, undefined, { ref: false })
    if (isOver()) return
    const damage = await check(path)
    if (damage !== undefined) onDamage(new TrackError('TRK_STORE_DAMAGED', `${path}: ${damage}`))
  }
}
