/**
 * The HTTP listeners, and what a report that comes in through them meets first. Main thread.
 */
import type { AskAlerts } from '../alerts/alert-questions.ts'
import { createHttpServer, type HttpServer } from '../http/http-server.ts'
import { createIngest } from '../ingest/ingest.ts'
import type { EmbeddedStore } from '../store/embedded/embedded-store.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Statistics } from '../telemetry/statistics.ts'
import { createHttpPorts } from './http-ports.ts'
import type { InForce } from './in-force.ts'
import { httpOptions } from './options-from-settings.ts'
import type { EmitEvent } from '../events/server-events.ts'
import type { Policy } from './start-policy.ts'
import type { StopSequence } from './stop-sequence.ts'

interface HttpParts {
  readonly inForce: InForce
  readonly policy: Pick<Policy, 'runs' | 'committer'>
  readonly store: EmbeddedStore
  readonly askAlerts: AskAlerts
  readonly metrics: Metrics
  readonly statistics: Statistics
  /** Counted here, read by whoever shows it. */
  readonly traffic: { activeConnections: number; reports: number }
  readonly emit: EmitEvent
  readonly stopping: StopSequence
  /** Unix milliseconds. */
  readonly now: () => number
  readonly log: Log
}

/** A step that waits for others to end gets this much of the time left, so that the later ones get some. */
const STEP_SHARE = 0.5

interface StartedHttp {
  readonly http: HttpServer
  /** In the order of the configuration. */
  readonly urls: readonly string[]
}

/** @throws TrackError TRK_LISTEN_FAILED naming the address and what is wrong with it. */
export async function startHttp(parts: HttpParts): Promise<StartedHttp> {
  const { inForce, policy, store, metrics, traffic, stopping, now, log } = parts
  const submitReports = createIngest({
    store,
    now,
    onRefused(reason, text) {
      if (reason === 'backlog') parts.emit('queue-overflow', 'reports', text)
      else parts.emit('disk-full', '', text)
    },
    onAccepted(reports) {
      traffic.reports += reports
      metrics.reports.inc(reports)
    },
  })
  const ports = createHttpPorts({
    ...parts,
    ...policy,
    isStopping: () => stopping.hasBegun,
    submitReports,
    startedAtMs: now(),
    reportCount: () => traffic.reports,
    onConnections(active) {
      traffic.activeConnections = active
    },
  })
  const http = createHttpServer(ports, httpOptions(inForce.settings, inForce.acl))
  stopping.add('HTTP listeners', (remainingMs) => http.stop(remainingMs * STEP_SHARE))
  const urls = (await http.start()).map(({ url }) => url)
  for (const url of urls) log.info('listening', { url })
  return { http, urls }
}
