/**
 * Metrics that are read at the moment of a scrape, where the value itself lives: one that was set on change could be stale.
 * Lives on the main thread.
 */
import { Counter, Gauge, type Registry } from 'prom-client'
import type { WorkerState } from '../console/console-questions.ts'
import type { StoreCounts } from '../store/store.ts'

export interface ScrapedSources {
  readonly store: () => StoreCounts
  /** What /command/readyz would answer. */
  readonly isReady: () => boolean
  readonly workers: () => readonly WorkerState[]
  /** Room on the disk of the state directory; undefined when the system does not say. */
  readonly freeBytes: () => number | undefined
  /** Lines of the log dropped since the start, by where they were to go. */
  readonly logLinesDropped: () => Readonly<Record<'output' | 'syslog', number>>
  /** Of trackalert, and of Node. */
  readonly versions: { readonly version: string; readonly node: string }
}

/** A value, or one for each value of the label. */
type Reading = number | undefined | ReadonlyMap<string, number>

interface Scraped {
  readonly name: string
  readonly help: string
  readonly label?: string
  readonly read: () => Reading
}

export function addScrapedMetrics(registry: Registry, sources: ScrapedSources): void {
  for (const gauge of gauges(sources)) {
    const collect = function (this: Gauge): void {
      // What is gone, such as a database that is not defined any more, must not stay.
      this.reset()
      for (const [labels, value] of readingsOf(gauge)) this.set(labels, value)
    }
    registry.registerMetric(new Gauge({ ...described(gauge), registers: [], collect }))
  }
  for (const counter of counters(sources)) {
    const collect = function (this: Counter): void {
      this.reset()
      for (const [labels, value] of readingsOf(counter)) this.inc(labels, value)
    }
    registry.registerMetric(new Counter({ ...described(counter), registers: [], collect }))
  }
  addBuildInfo(registry, sources)
}

function gauges({ store, isReady, workers, freeBytes }: ScrapedSources): readonly Scraped[] {
  return [
    {
      name: 'trackalert_ready',
      help: 'Whether the server takes reports and runs them: 1 or 0.',
      read: () => (isReady() ? 1 : 0),
    },
    {
      name: 'trackalert_policy_workers',
      help: 'Policy workers by their state.',
      label: 'state',
      read: () =>
        Map.groupBy(workers(), ({ state }) => state)
          .entries()
          .reduce(countGroup, new Map<string, number>()),
    },
    {
      name: 'trackalert_runs_in_flight',
      help: 'Runs of reports and calls that are in the policy workers.',
      read: () => workers().reduce((sum, { running }) => sum + running, 0),
    },
    {
      name: 'trackalert_trend_rows',
      help: 'Keys of a trend database.',
      label: 'database',
      read: () => store().trendRowsByDatabase,
    },
    {
      name: 'trackalert_outbox_messages',
      help: 'Webhooks and notifications that wait for their receiver or are on their way.',
      label: 'receiver',
      read: () => store().outboxByReceiver,
    },
    {
      name: 'trackalert_history_bytes',
      help: 'Size of the done reports kept for getReports.',
      read: () => store().historyBytes,
    },
    {
      name: 'trackalert_state_free_bytes',
      help: 'Room left on the disk of the state directory.',
      read: freeBytes,
    },
  ]
}

function countGroup(
  counts: Map<string, number>,
  [state, { length }]: readonly [string, readonly WorkerState[]],
): Map<string, number> {
  return counts.set(state, length)
}

function counters({ store, logLinesDropped }: ScrapedSources): readonly Scraped[] {
  return [
    {
      name: 'trackalert_trend_rows_evicted_total',
      help: 'Keys of trend databases that a maximum size pushed out.',
      read: () => store().trendRowsEvicted,
    },
    {
      name: 'trackalert_alerts_evicted_total',
      help: 'Alerts resolved because too many were open.',
      read: () => store().alerts.evicted,
    },
    {
      name: 'trackalert_log_lines_dropped_total',
      help: 'Lines of the log that nobody took in time.',
      label: 'to',
      read: () => new Map(Object.entries(logLinesDropped())),
    },
  ]
}

function described({ name, help, label }: Scraped): { name: string; help: string; labelNames: string[] } {
  return { name, help, labelNames: label === undefined ? [] : [label] }
}

function readingsOf({ label, read }: Scraped): readonly (readonly [Record<string, string>, number])[] {
  const reading = read()
  if (reading === undefined) return []
  if (typeof reading === 'number') return [[{}, reading]]
  return Array.from(reading, ([value, count]) => [{ [label ?? '']: value }, count])
}

/** Always 1: the labels say it. */
function addBuildInfo(registry: Registry, { versions }: ScrapedSources): void {
  const info = new Gauge({
    name: 'trackalert_build_info',
    help: 'Versions of trackalert and of Node.',
    labelNames: ['version', 'node'],
    registers: [registry],
  })
  info.set(versions, 1)
}
