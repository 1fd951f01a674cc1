/**
 * The counts of the last five minutes that `stats`, the console and the log show: commands, custom statistics, and how
 * long reports waited for a policy worker (WTW) and ran in one (WTR). Lives on the main thread.
 */
import { SlidingCounters } from './sliding-counters.ts'

/** Upper bounds in milliseconds; what takes longer is Slow. */
const PERFORMANCE_BANDS = [
  { below: 1, name: '0_1' },
  { below: 10, name: '1_10' },
  { below: 100, name: '10_100' },
  { below: 1000, name: '100_1000' },
  { below: Infinity, name: 'Slow' },
] as const

export interface Statistics {
  readonly commands: SlidingCounters
  readonly custom: SlidingCounters
  readonly performance: SlidingCounters
  /** A run waited for its worker, and then ran, this many milliseconds. */
  readonly countRun: (waitMs: number, runMs: number) => void
}

export function createStatistics(now: () => number, customStats: Iterable<string>): Statistics {
  const performance = new SlidingCounters(
    now,
    ['WTW', 'WTR'].flatMap((kind) => PERFORMANCE_BANDS.map((band) => `${kind}_${band.name}`)),
  )
  return {
    commands: new SlidingCounters(now),
    custom: new SlidingCounters(now, customStats),
    performance,
    countRun(waitMs, runMs) {
      performance.add(`WTW_${bandOf(waitMs)}`)
      performance.add(`WTR_${bandOf(runMs)}`)
    },
  }
}

function bandOf(durationMs: number): string {
  return PERFORMANCE_BANDS.find((band) => durationMs < band.below)?.name ?? 'Slow'
}
