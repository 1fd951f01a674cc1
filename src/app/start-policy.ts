/**
 * The policy's part of the wiring: workers, what they may ask, where their outcomes go, and the reports that they get.
 * Main thread.
 */
import type { Configuration } from '../config/load-configuration.ts'
import type { StoreOutbox } from '../delivery/store-outbox.ts'
import { createDispatcher } from '../ingest/ingest.ts'
import { createRunCommitter, type RunCommitter } from '../policy/commit-run.ts'
import { createPolicyPool, type PolicyPool } from '../policy/policy-pool.ts'
import { answerStoreQuestion } from '../policy/store-questions.ts'
import type { RunTiming } from '../policy/worker-handle.ts'
import type { EmbeddedStore } from '../store/embedded/embedded-store.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Statistics } from '../telemetry/statistics.ts'
import type { AppOptions } from './app-options.ts'
import type { Alerts } from './start-alerts.ts'
import { policyOptions } from './options-from-settings.ts'
import type { StopSequence } from './stop-sequence.ts'
import { createNoticeHandler } from './worker-notices.ts'

interface PolicyParts {
  readonly configuration: Configuration
  readonly options: AppOptions
  readonly store: EmbeddedStore
  readonly outbox: StoreOutbox
  readonly alerts: Pick<Alerts, 'ask' | 'committed'>
  readonly metrics: Metrics
  readonly statistics: Statistics
  readonly stopping: StopSequence
  /** Unix milliseconds. */
  readonly now: () => number
}

/** Runs in progress get this much of the time that is left at the stop; deliveries come after them. */
const DRAIN_SHARE = 0.5

/** Starts the workers and hands them what the store holds for them, first of all what a crash left unfinished. */
export async function startPolicy(
  parts: PolicyParts,
): Promise<{ readonly pool: PolicyPool; readonly committer: RunCommitter }> {
  const { configuration, options, store, outbox, alerts, metrics, statistics, stopping, now } = parts
  const { log } = options
  const { settings } = configuration
  const committer = createRunCommitter({
    log,
    metrics,
    statistics,
    store,
    now,
    roomForWebHooks: () => settings.webHookQueueSize - outbox.size,
    onWebHooks: outbox.queued,
    onWebHookRefused: outbox.refused,
    onAlerts: alerts.committed,
  })
  const hooks = settings.webHooks.map(({ name }) => name)
  let lastWorker = 0
  const pool = createPolicyPool(
    {
      log,
      onRun: (timing) => countRun(parts, timing),
      onNotice: createNoticeHandler({ log, metrics, onShutdownRequested: options.onShutdownRequested }),
      onLost: (reason) => metrics.workerRestarts.inc({ reason }),
      openReader: () => ({ ...store.readerAccess(), worker: ++lastWorker }),
      answer: (question) =>
        answerStoreQuestion(
          { store, now, askAlerts: alerts.ask, onResent: () => outbox.queued(hooks) },
          question,
        ),
    },
    policyOptions(configuration, options),
  )
  stopping.add('policy workers', () => pool.stop())
  await pool.start()
  stopping.add('runs in progress', async (remainingMs) => {
    const left = await pool.drain(remainingMs * DRAIN_SHARE)
    return left === 0 ? undefined : `${left} runs; the next start does those of reports`
  })
  await store.subscribe(createDispatcher(pool, committer))
  return { pool, committer }
}

function countRun(
  { statistics, metrics }: Pick<PolicyParts, 'statistics' | 'metrics'>,
  { waitMs, runMs }: RunTiming,
): void {
  statistics.countRun(waitMs, runMs)
  metrics.workerQueueSeconds.observe(waitMs / 1000)
  metrics.workerResponseSeconds.observe(runMs / 1000)
}
