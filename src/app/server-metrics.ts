/**
 * The metrics of this server: where each value that a scrape shows is read. Main thread.
 */
import { statfsSync } from 'node:fs'
import type { Outbox } from '../delivery/outbox.ts'
import type { Store } from '../store/store.ts'
import { createMetrics, type Metrics } from '../telemetry/metrics.ts'
import type { AppOptions } from './app-options.ts'
import type { Alerts } from './start-alerts.ts'
import type { InForce } from './in-force.ts'
import type { Policy } from './start-policy.ts'
import type { StopSequence } from './stop-sequence.ts'

interface MetricParts {
  readonly options: Pick<AppOptions, 'version' | 'logLinesDropped'>
  readonly inForce: InForce
  readonly stateDirectory: string
  readonly traffic: { readonly activeConnections: number }
  readonly stopping: StopSequence
  /** Unix milliseconds. */
  readonly now: () => number
  /** Those that are started later; asked when there is a scrape, and so an HTTP listener. */
  readonly later: () => {
    readonly store: Store
    readonly outbox: Pick<Outbox, 'size'>
    readonly policy: Policy
    readonly alerts: Pick<Alerts, 'activeSilences'>
  }
}

const NO_LINES = { output: 0, syslog: 0 } as const

export function createServerMetrics(parts: MetricParts): Metrics {
  const { options, inForce, traffic, stopping, now, later } = parts
  return createMetrics({
    activeConnections: () => traffic.activeConnections,
    workerQueue: () => later().policy.runs.waiting(),
    webHookQueue: () => later().outbox.size,
    store: () => later().store.counts(),
    geoDatabases: () => inForce.configuration.geoDatabases,
    isReady() {
      const { store, policy } = later()
      return !stopping.hasBegun && store.readiness().ready && policy.runs.readiness().ready
    },
    workers: () => later().policy.runs.pool.workers(),
    freeBytes: () => freeBytesOf(parts.stateDirectory),
    logLinesDropped: options.logLinesDropped ?? (() => NO_LINES),
    versions: { version: options.version, node: process.version },
    now,
    activeSilences: () => later().alerts.activeSilences(),
  })
}

/** Room on the disk of a folder; undefined when the system does not say. */
function freeBytesOf(directory: string): number | undefined {
  try {
    const { bavail, bsize } = statfsSync(directory)
    return bavail * bsize
  } catch {
    return undefined
  }
}
