/**
 * Wires the server in one straight line and stops it in reverse. Lives on the main thread; runs no Lua.
 */
import { loadConfiguration, type Configuration } from '../config/load-configuration.ts'
import { createDelivery } from '../delivery/delivery.ts'
import { createStoreOutbox } from '../delivery/store-outbox.ts'
import { createHttpServer } from '../http/http-server.ts'
import { createIngest } from '../ingest/ingest.ts'
import { createScheduler } from '../schedule/scheduler.ts'
import type { AppOptions } from './app-options.ts'
import type { Log } from '../telemetry/log.ts'
import { createMetrics } from '../telemetry/metrics.ts'
import { startStatisticsLog } from '../telemetry/statistics-log.ts'
import { createStatistics } from '../telemetry/statistics.ts'
import { createHttpPorts } from './http-ports.ts'
import { deliveryOptions, httpOptions, warningsOf } from './options-from-settings.ts'
import { startExpiry } from './expiry.ts'
import { openStore } from './open-store.ts'
import { startAlerts } from './start-alerts.ts'
import { startPolicy } from './start-policy.ts'
import { StopSequence } from './stop-sequence.ts'

export interface App {
  /** Stops within the deadline; false when something was left undone, which the log names. */
  readonly stop: (deadlineMs: number) => Promise<boolean>
}

/** For the parts that were started when a later one could not be. */
const ROLLBACK_MS = 2_000
/** A step that waits for others to end gets this much of the time left, so that the later ones get some. */
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
  logNotices(configuration, log)

  const statistics = createStatistics(now, settings.customStats)
  const store = await openStore(configuration, options)
  stopping.add('store', () => store.close())
  const outbox = createStoreOutbox(store, now)
  const traffic = { activeConnections: 0, reports: 0 }
  const metrics = createMetrics({
    activeConnections: () => traffic.activeConnections,
    workerQueue: () => pool.waiting(),
    webHookQueue: () => outbox.size,
    store: () => store.counts(),
    activeSilences: () => alerts.activeSilences(),
  })
  stopping.add('statistics log', startStatisticsLog(log, statistics))
  stopping.add('expiry', startExpiry(store, now, log))

  const delivery = createDelivery(
    { outbox, now, random: Math.random, log, metrics },
    deliveryOptions(settings),
  )
  delivery.start()
  stopping.add('delivery', (remainingMs) => delivery.stop(remainingMs))

  const alerts = startAlerts({ settings, store, metrics, log, stopping, now, onQueued: outbox.queued })
  const parts = { configuration, options, store, outbox, metrics, statistics, stopping, now }
  const { pool, committer } = await startPolicy({ ...parts, alerts })

  const submitReports = createIngest({
    store,
    now,
    onAccepted(reports) {
      traffic.reports += reports
      metrics.reports.inc(reports)
    },
  })

  const scheduler = createScheduler(
    {
      log,
      now,
      run: async (name) => committer.commit({ name, reportId: undefined }, await pool.runBackground(name)),
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
      committer,
      store,
      askAlerts: alerts.ask,
      isStopping: () => stopping.hasBegun,
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

function logNotices({ settings, notices }: Configuration, log: Log): void {
  for (const { level, message, fields } of notices) log[level](message, fields)
  for (const warning of warningsOf(settings)) log.warn(warning)
}
