/**
 * What the HTTP listeners may ask of the rest of the server. Main thread.
 */
import type { AskAlerts } from '../alerts/alert-questions.ts'
import type { EndpointOutcome, HttpPorts } from '../http/http-ports.ts'
import { messageOf } from '../errors.ts'
import type { EmitEvent } from '../events/server-events.ts'
import type { SubmitReports } from '../ingest/ingest.ts'
import type { RunCommitter } from '../policy/commit-run.ts'
import type { RunOutcome } from '../policy/messages.ts'
import type { PolicyRuns } from '../policy/policy-runs.ts'
import type { Store } from '../store/store.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { InForce } from './in-force.ts'
import type { Statistics } from '../telemetry/statistics.ts'

interface HttpPortsDeps {
  readonly inForce: Pick<InForce, 'endpointNames'>
  readonly runs: Pick<PolicyRuns, 'runEndpoint' | 'readiness'>
  readonly committer: Pick<RunCommitter, 'commit'>
  readonly store: Pick<Store, 'readiness'>
  readonly askAlerts: AskAlerts
  /** The server has been asked to stop and finishes what has begun. */
  readonly isStopping: () => boolean
  readonly submitReports: SubmitReports
  readonly metrics: Metrics
  readonly statistics: Statistics
  readonly emit: EmitEvent
  readonly log: Log
  /** Unix milliseconds. */
  readonly startedAtMs: number
  readonly now: () => number
  readonly reportCount: () => number
  readonly onConnections: (active: number) => void
}

const RETRY_AFTER_SECONDS = 2
const NOT_STORED = {
  kind: 'refused',
  reason: 'What the function changed could not be stored; try again later',
  retryAfterSeconds: 10,
} as const
const STOPPING = { ready: false, reason: 'The server is stopping' } as const

export function createHttpPorts(deps: HttpPortsDeps): HttpPorts {
  const { inForce, runs, committer, store, metrics, statistics, log } = deps
  return {
    submitReports: deps.submitReports,
    now: deps.now,
    endpointNames: () => inForce.endpointNames,
    async runEndpoint(name, args): Promise<EndpointOutcome> {
      const running = runs.runEndpoint(name, args)
      if (running === undefined) {
        return {
          kind: 'refused',
          reason: 'The server has as much work waiting as it may hold; try again later',
          retryAfterSeconds: RETRY_AFTER_SECONDS,
        }
      }
      const outcome = await running
      // The answer says that the changes have taken place.
      const result = await committer.commit({ name, reportId: undefined }, outcome)
      return result === 'committed' ? endpointOutcome(outcome) : NOT_STORED
    },
    readiness() {
      if (deps.isStopping()) return STOPPING
      const stored = store.readiness()
      return stored.ready ? runs.readiness() : stored
    },
    stats: () => statsBody(deps),
    askAlerts: deps.askAlerts,
    async metrics() {
      return { contentType: metrics.registry.contentType, body: await metrics.registry.metrics() }
    },
    countCommand(name) {
      statistics.commands.add(name)
      metrics.commands.inc({ cmd: name })
    },
    onRefused(kind, peer) {
      metrics.refused.inc({ reason: kind })
      log.debug('refused', { reason: kind, peer })
      deps.emit(kind === 'acl' ? 'acl-refused' : 'bad-password', peer, `from ${peer}`)
    },
    onConnections: deps.onConnections,
    onInternalError(error) {
      const stack = error instanceof Error ? error.stack : undefined
      log.error('a fault in trackalert itself; please report it', {
        where: 'http',
        error: messageOf(error),
        stack,
      })
    },
  }
}

function endpointOutcome(outcome: RunOutcome): EndpointOutcome {
  if (!outcome.ok) return { kind: 'failed', reason: outcome.failure.message }
  const { answer } = outcome
  if (answer?.kind !== 'endpoint') return { kind: 'returned', success: false, attributes: {} }
  return { kind: 'returned', success: answer.success, attributes: answer.attributes }
}

/** The reference's keys; times are milliseconds and seconds as their names say. */
function statsBody(deps: HttpPortsDeps): object {
  const usage = process.resourceUsage()
  return {
    reports: deps.reportCount(),
    'user-msec': Math.round(usage.userCPUTime / 1000),
    'sys-msec': Math.round(usage.systemCPUTime / 1000),
    uptime: Math.floor((deps.now() - deps.startedAtMs) / 1000),
    perfstats: deps.statistics.performance.read(),
    commandstats: deps.statistics.commands.read(),
    customstats: deps.statistics.custom.read(),
  }
}
