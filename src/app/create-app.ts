/**
 * Wires the server in one straight line and stops it in reverse. Lives on the main thread; runs no Lua.
 */
import { loadConfiguration } from '../config/load-configuration.ts'
import { createDelivery } from '../delivery/delivery.ts'
import { createMemoryOutbox } from '../delivery/memory-outbox.ts'
import { createHttpServer } from '../http/http-server.ts'
import { createIngest } from '../ingest/ingest.ts'
import { createCommitRun } from '../policy/commit-run.ts'
import { createPolicyPool } from '../policy/policy-pool.ts'
import type { RunTiming } from '../policy/worker-handle.ts'
import { createScheduler } from '../schedule/scheduler.ts'
import type { AppOptions } from './app-options.ts'
import { createMetrics, type Metrics } from '../telemetry/metrics.ts'
import { startStatisticsLog } from '../telemetry/statistics-log.ts'
import { createStatistics, type Statistics } from '../telemetry/statistics.ts'
import { createHttpPorts } from './http-ports.ts'
import { deliveryOptions, httpOptions, policyOptions, warningsOf } from './options-from-settings.ts'
import { StopSequence } from './stop-sequence.ts'
import { createNoticeHandler } from './worker-notices.ts'

export interface App {
  /** Stops within the deadline; false when something was left undone, which the log names. */
  readonly stop: (deadlineMs: number) => Promise<boolean>
}

/** For the parts that were started when a later one could not be. */
const ROLLBACK_MS = 2_000
/** A step that waits for others to end gets this much of the time left, so that deliveries, the last step, get some. */
const STEP_SHARE = 0.5

/**
 * Starts everything; when a part cannot start, those before it are stopped again.
 *
 * @throws TrackError with what is wrong and where: configuration, GeoIP file, rules, listener.
 */
export async function createApp(options: AppOptions): Promise<App> {
  const stopping = new StopSequence(options.log)
  try {
    await startAll(options, stopping)
  } catch (error) {
    await stopping.run(ROLLBACK_MS)
    throw error
  }
  return { stop: (deadlineMs) => stopping.run(deadlineMs) }
}

async function startAll(options: AppOptions, stopping: StopSequence): Promise<void> {
  const { log } = options
  const now = Date.now

  const configuration = await loadConfiguration(options)
  const { settings } = configuration
  for (const { level, message, fields } of configuration.notices) log[level](message, fields)
  for (const warning of warningsOf(settings)) log.warn(warning)

  const statistics = createStatistics(now, settings.customStats)
  const outbox = createMemoryOutbox({ now }, { maxEntries: settings.webHookQueueSize })
  const traffic = { activeConnections: 0, reports: 0 }
  const metrics = createMetrics({
    activeConnections: () => traffic.activeConnections,
    workerQueue: () => pool.waiting(),
    webHookQueue: () => outbox.size,
  })
  stopping.add('statistics log', startStatisticsLog(log, statistics))

  const delivery = createDelivery(
    { outbox, now, random: Math.random, log, metrics },
    deliveryOptions(settings),
  )
  delivery.start()
  stopping.add('delivery', (remainingMs) => delivery.stop(remainingMs))

  const pool = createPolicyPool(
    {
      log,
      onRun: (timing) => countRun({ statistics, metrics }, timing),
      onNotice: createNoticeHandler({ log, metrics, onShutdownRequested: options.onShutdownRequested }),
      onLost: (reason) => metrics.workerRestarts.inc({ reason }),
    },
    policyOptions(configuration, options),
  )
  stopping.add('policy workers', () => pool.stop())
  await pool.start()
  stopping.add('runs in progress', async (remainingMs) => {
    const left = await pool.drain(remainingMs * STEP_SHARE)
    return left === 0 ? undefined : `${left} runs`
  })

  const commit = createCommitRun({ log, metrics, statistics, outbox })
  const submitReports = createIngest({
    pool,
    commit,
    onAccepted(reports) {
      traffic.reports += reports
      metrics.reports.inc(reports)
    },
  })

  const scheduler = createScheduler(
    {
      log,
      now,
      run: async (name) => commit(name, await pool.runBackground(name)),
      onSkipped: (name) => metrics.backgroundSkipped.inc({ function: name }),
    },
    settings.schedules,
  )
  scheduler.start()
  stopping.add('scheduler', scheduler.stop)

  const http = createHttpServer(
    createHttpPorts({
      settings,
      pool,
      isStopping: () => stopping.hasBegun,
      commit,
      submitReports,
      metrics,
      statistics,
      startedAtMs: now(),
      now,
      reportCount: () => traffic.reports,
      log,
      onConnections(active) {
        traffic.activeConnections = active
      },
    }),
    httpOptions(settings),
  )
  stopping.add('HTTP listeners', (remainingMs) => http.stop(remainingMs * STEP_SHARE))
  for (const { url } of await http.start()) log.info('listening', { url })
  log.info('ready', { version: options.version, configuration: configuration.configFile })
}

interface RunCounters {
  readonly statistics: Statistics
  readonly metrics: Metrics
}

function countRun({ statistics, metrics }: RunCounters, { waitMs, runMs }: RunTiming): void {
  statistics.countRun(waitMs, runMs)
  metrics.workerQueueSeconds.observe(waitMs / 1000)
  metrics.workerResponseSeconds.observe(runMs / 1000)
}
