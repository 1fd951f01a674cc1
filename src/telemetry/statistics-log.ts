/**
 * Writes the counts of the last five minutes into the log, every five minutes, as the reference does. Main thread.
 */
import type { Log } from './log.ts'
import type { Statistics } from './statistics.ts'

const EVERY_MS = 300_000

/** Starts the timer; the answer stops it. */
export function startStatisticsLog(log: Log, statistics: Statistics): () => void {
  const timer = setInterval(() => logStatistics(log, statistics), EVERY_MS)
  return () => clearInterval(timer)
}

/** The three lines, once. */
function logStatistics(log: Log, statistics: Statistics): void {
  const kinds = [
    ['perf', statistics.performance],
    ['command', statistics.commands],
    ['custom', statistics.custom],
  ] as const
  for (const [kind, counters] of kinds) {
    const counts = Object.entries(counters.read()).map(([name, count]) => `${name}=${count}`)
    log.info(`${kind} stats last ${EVERY_MS / 1000} secs: ${counts.join(' ')}`)
  }
}
