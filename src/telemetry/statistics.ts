/**
 * The counts of the last five minutes that `stats`, the console and the log show: commands, custom statistics, and how
 * long reports waited for a policy worker (WTW) and ran in one (WTR). Lives on the main thread.
 */
import { SlidingCounters } from './sliding-counters.ts'

/** Upper bounds in milliseconds; what takes longer is Slow. */
const PERFORMANCE_BANDS = [
  { below: 1, waiting: 'WTW_0_1', running: 'WTR_0_1' },
  { below: 10, waiting: 'WTW_1_10', running: 'WTR_1_10' },
  { below: 100, waiting: 'WTW_10_100', running: 'WTR_10_100' },
  { below: 1000, waiting: 'WTW_100_1000', running: 'WTR_100_1000' },
  { below: Infinity, waiting: 'WTW_Slow', running: 'WTR_Slow' },
] as const
/** Of durations that are no numbers. */
const SLOWEST = PERFORMANCE_BANDS[4]

export interface Statistics {
  readonly commands: SlidingCounters
  readonly custom: SlidingCounters
  readonly performance: SlidingCounters
  /** A run waited for its worker, and then ran, this many milliseconds. */
  readonly countRun: (waitMs: number, runMs: number) => void
}

export function createStatistics(now: () => number, customStats: Iterable<string>): Statistics {
  const performance = new SlidingCounters(now, [
    ...PERFORMANCE_BANDS.map(({ waiting }) => waiting),
    ...PERFORMANCE_BANDS.map(({ running }) => running),
  ])
  return {
    commands: new SlidingCounters(now),
    custom: new SlidingCounters(now, customStats),
    performance,
    countRun(waitMs, runMs) {
      performance.add(bandOf(waitMs).waiting)
      performance.add(bandOf(runMs).running)
    },
  }
}

function bandOf(durationMs: number): (typeof PERFORMANCE_BANDS)[number] {
  return PERFORMANCE_BANDS.find((band) => durationMs < band.below) ?? SLOWEST
}
