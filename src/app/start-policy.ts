/**
 * The policy's part of the wiring: workers, what they may ask, where their outcomes go, and the reports that they get.
 * Main thread.
 */
import type { Configuration } from '../config/load-configuration.ts'
import type { Delivery } from '../delivery/delivery.ts'
import { sinkQueue } from '../delivery/sinks/sink-queue.ts'
import type { StoreOutbox } from '../delivery/store-outbox.ts'
import type { EmitEvent } from '../events/server-events.ts'
import { createDispatcher } from '../ingest/ingest.ts'
import { createRunCommitter, type RunCommitter } from '../policy/commit-run.ts'
import { createPolicyPool, type PolicyPool } from '../policy/policy-pool.ts'
import { policyThreads } from '../policy/policy-thread-starter.ts'
import { PolicyRuns } from '../policy/policy-runs.ts'
import { answerStoreQuestion, type StoreAnswer, type StoreQuestion } from '../policy/store-questions.ts'
import type { RunTiming } from '../policy/worker-handle.ts'
import type { EmbeddedStore } from '../store/embedded/embedded-store.ts'
import type { TrendReaderSetup } from '../store/embedded/trend-reader.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Statistics } from '../telemetry/statistics.ts'
import type { AppOptions } from './app-options.ts'
import type { InForce } from './in-force.ts'
import { maxPendingForCalls, policyOptions } from './options-from-settings.ts'
import type { Alerts } from './start-alerts.ts'
import type { StopSequence } from './stop-sequence.ts'
import { createNoticeHandler } from './worker-notices.ts'

interface PolicyParts {
  readonly inForce: InForce
  readonly options: AppOptions
  readonly store: EmbeddedStore
  readonly outbox: StoreOutbox
  readonly sendTest: Delivery['sendTest']
  readonly alerts: Pick<Alerts, 'ask' | 'committed'>
  readonly metrics: Metrics
  readonly statistics: Statistics
  readonly emit: EmitEvent
  readonly stopping: StopSequence
  /** Unix milliseconds. */
  readonly now: () => number
}

export interface Policy {
  readonly runs: PolicyRuns
  readonly committer: RunCommitter
  /**
   * Starts workers for another configuration, beside those in force.
   *
   * @throws TrackError what a worker said when its Lua state could not be built; then none of them is left.
   */
  readonly startPool: (configuration: Configuration) => Promise<PolicyPool>
  /** The store's door for a new thread that reads trends; its number is never used twice. */
  readonly openReader: () => TrendReaderSetup
  readonly answerStore: (question: StoreQuestion) => Promise<StoreAnswer>
}

/** Runs in progress get this much of the time that is left at the stop; deliveries come after them. */
const DRAIN_SHARE = 0.5

/** Starts the workers and hands them what the store holds for them, first of all what a crash left unfinished. */
export async function startPolicy(parts: PolicyParts): Promise<Policy> {
  const { inForce, options, store, outbox, alerts, metrics, statistics, emit, stopping, now } = parts
  const committer = createRunCommitter({
    log: options.log,
    metrics,
    statistics,
    store,
    now,
    roomForWebHooks: () => inForce.settings.webHookQueueSize - outbox.size,
    onWebHooks: outbox.queued,
    onWebHookRefused(hook) {
      outbox.refused(hook)
      emit('queue-overflow', hook, 'the webhook queue')
    },
    onFailure: (name, message) => emit('lua-error', name, `${name}: ${message}`),
    onAlerts: alerts.committed,
  })
  let lastWorker = 0
  const openReader = (): TrendReaderSetup => ({ ...store.readerAccess(), worker: ++lastWorker })
  const onResent = (): void => {
    const { webHooks, alertSinks } = inForce.settings
    outbox.queued([...webHooks.map(({ name }) => name), ...alertSinks.map(({ name }) => sinkQueue(name))])
  }
  const answerStore = (question: StoreQuestion): Promise<StoreAnswer> =>
    answerStoreQuestion({ store, now, onResent, sendTest: parts.sendTest, askAlerts: alerts.ask }, question)
  const startPool = createPoolStarter({ ...parts, openReader, answerStore })
  const runs = new PolicyRuns(
    await startPool(inForce.configuration),
    maxPendingForCalls(options.maxPendingRuns),
  )
  stopping.add('policy workers', () => runs.stop())
  stopping.add('runs in progress', async (remainingMs) => {
    const left = await runs.drain(remainingMs * DRAIN_SHARE)
    return left === 0 ? undefined : `${left} runs; the next start does those of reports`
  })
  await store.subscribe(createDispatcher(runs, committer))
  return { runs, committer, startPool, openReader, answerStore }
}

function createPoolStarter(
  parts: PolicyParts & Pick<Policy, 'openReader' | 'answerStore'>,
): Policy['startPool'] {
  const { options, metrics, emit, openReader, answerStore } = parts
  const threads = options.threads?.policy ?? policyThreads()
  const { log, onShutdownRequested } = options
  return async (configuration) => {
    const pool = createPolicyPool(
      {
        log,
        onRun: (timing, name) => countRun(parts, timing, name),
        onProcessorTime: (usedMs) => metrics.workerCpuSeconds.inc(usedMs / 1000),
        onNotice: createNoticeHandler({ log, metrics, onShutdownRequested }),
        onLost(reason) {
          metrics.workerRestarts.inc({ reason })
          emit('worker-lost', '', reason)
        },
        openReader,
        answer: answerStore,
      },
      policyOptions(configuration, options, threads),
    )
    try {
      await pool.start()
      return pool
    } catch (error) {
      await pool.stop()
      throw error
    }
  }
}

function countRun(
  { statistics, metrics }: Pick<PolicyParts, 'statistics' | 'metrics'>,
  { waitMs, runMs }: RunTiming,
  name: string,
): void {
  statistics.countRun(waitMs, runMs)
  metrics.workerQueueSeconds.observe(waitMs / 1000)
  metrics.workerResponseSeconds.observe(runMs / 1000)
  metrics.runSeconds.observe({ function: name }, runMs / 1000)
}
