/**
 * Wires the server in one straight line and stops it in reverse. Lives on the main thread; runs no Lua.
 */
import { loadConfiguration, type Configuration } from '../config/load-configuration.ts'
import { createDelivery } from '../delivery/delivery.ts'
import { createServerMetrics } from './server-metrics.ts'
import { createStoreOutbox } from '../delivery/store-outbox.ts'
import type { AppOptions } from './app-options.ts'
import { stopUnused } from './server-threads.ts'
import type { Log } from '../telemetry/log.ts'
import { startStatisticsLog } from '../telemetry/statistics-log.ts'
import { createStatistics } from '../telemetry/statistics.ts'
import { deliveryOptions, warningsOf } from './options-from-settings.ts'
import { ServerEvents } from '../events/server-events.ts'
import { startExpiry } from './expiry.ts'
import { InForce } from './in-force.ts'
import { openStore } from './open-store.ts'
import { startAlerts } from './start-alerts.ts'
import { startEvents } from './start-events.ts'
import { startHttp } from './start-http.ts'
import { startPolicy } from './start-policy.ts'
import { startOperations } from './start-operations.ts'
import type { Reloads } from './start-reloads.ts'
import { createSinkFunctions } from './sink-functions.ts'
import { startScheduler } from './start-scheduler.ts'
import { StopSequence } from './stop-sequence.ts'

/** Runs a line of the console for whoever is at `peer`; never rejects: a failed line's answer begins with `Error: `. */
export type RunLine = (line: string, peer: string) => Promise<string>

export interface App extends Reloads {
  /** Of the listeners as they were opened at the start: `http://127.0.0.1:8084`. */
  readonly urls: readonly string[]
  /** Stops within the deadline; false when something was left undone, which the log names. */
  readonly stop: (deadlineMs: number) => Promise<boolean>
  readonly runLine: RunLine
  /** The policy workers run and the store answers. It does not resolve while the store does not. */
  readonly isAlive: () => Promise<boolean>
}

/** For the parts that were started when a later one could not be. */
const ROLLBACK_MS = 2_000

/**
 * Starts everything; when a part cannot start, those before it are stopped again.
 *
 * @throws TrackError with what is wrong and where: configuration, GeoIP file, rules, listener.
 */
export async function createApp(options: AppOptions): Promise<App> {
  const stopping = new StopSequence(options.log)
  try {
    const running = await startAll(options, stopping)
    return { ...running, stop: (deadlineMs) => stopping.run(deadlineMs) }
  } catch (error) {
    await stopping.run(ROLLBACK_MS)
    throw error
  }
}

async function startAll(options: AppOptions, stopping: StopSequence): Promise<Omit<App, 'stop'>> {
  const { log } = options
  const now = options.clock ?? Date.now

  stopping.add('threads that nobody needed', () => stopUnused(options.threads))
  const configuration = await loadConfiguration(options, options.threads?.configuration)
  const inForce = new InForce(configuration)
  stopping.add('configuration thread', () => inForce.configuration.thread.stop())
  const { settings } = configuration
  logNotices(configuration, log)

  const events = new ServerEvents({ log, now })
  const { emit } = events
  const statistics = createStatistics(now, settings.customStats)
  const traffic = { activeConnections: 0, reports: 0 }
  const metrics = createServerMetrics({
    options,
    inForce,
    stateDirectory: configuration.stateDirectory,
    traffic,
    stopping,
    now,
    later: () => ({ store, outbox, policy, alerts }),
  })
  const store = await openStore(configuration, options, {
    emit,
    onWritten: (batch) => metrics.countBatch(batch),
    onThreadLost: () => metrics.storeRestarts.inc(),
  })
  stopping.add('store', () => store.close())
  stopping.add('server events', () => events.stop())
  const outbox = createStoreOutbox(store, now)
  stopping.add('statistics log', startStatisticsLog(log, statistics))
  stopping.add('expiry', startExpiry(store, now, log))

  const sinkFunctions = createSinkFunctions()
  const delivery = createDelivery(
    {
      outbox,
      callFunction: sinkFunctions.call,
      mailTimes: store.alerts,
      now,
      random: Math.random,
      log,
      metrics,
      onGivenUp: (receiver, reason) => emit('dead-letter', receiver, `${receiver}: ${reason}`),
      onNotification: (record) => alerts.noteTry(record),
    },
    deliveryOptions(settings),
  )
  delivery.start()
  stopping.add('delivery', (remainingMs) => delivery.stop(remainingMs))
  stopping.add('functions of alert sinks', sinkFunctions.stop)

  const alerts = startAlerts({ settings, store, metrics, log, stopping, now, onQueued: outbox.queued })
  const shared = { options, inForce, store, outbox, metrics, statistics, emit, stopping, now, log }
  const policy = await startPolicy({ ...shared, alerts, sendTest: delivery.sendTest })
  sinkFunctions.start(policy)
  const scheduler = startScheduler({ ...shared, policy }, settings.schedules)
  const { http, urls } = await startHttp({ ...shared, askAlerts: alerts.ask, policy, traffic })
  const reloads = await startOperations({ ...shared, delivery, alerts, policy, scheduler, http, traffic })
  startEvents({ ...shared, events, alerts, policy })
  log.info('ready', { version: options.version, configuration: configuration.configFile })
  return {
    ...reloads,
    urls,
    runLine: async (line, peer) => (await inForce.configuration.thread.runLine(line, peer)).text,
    async isAlive() {
      // The cheapest question that goes to the store thread and back.
      await store.failedReports(1)
      return policy.runs.pool.readiness().ready
    },
  }
}

function logNotices({ settings, notices }: Configuration, log: Log): void {
  for (const { level, message, fields } of notices) log.verbatim(level, message, fields)
  for (const warning of warningsOf(settings)) log.warn(warning)
}
