/**
 * One reload: builds everything that depends on the configuration beside what is in force, and exchanges the two when
 * all of it is good. Until then nothing has changed, and what was built can be taken down again. Main thread.
 *
 * The order: settings → webhooks → policy workers → new listeners → runs in progress end → the store's settings → the
 * switch, in one turn of the event loop → the old parts are taken down.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { loadConfiguration, type Configuration } from '../config/load-configuration.ts'
import type { Delivery } from '../delivery/delivery.ts'
import { messageOf, TrackError } from '../errors.ts'
import type { EmitEvent } from '../events/server-events.ts'
import type { HttpServer } from '../http/http-server.ts'
import type { Scheduler } from '../schedule/scheduler.ts'
import type { Store } from '../store/store.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Statistics } from '../telemetry/statistics.ts'
import type { AppOptions } from './app-options.ts'
import type { InForce } from './in-force.ts'
import {
  aclOf,
  deliveryOptions,
  httpOptions,
  POLICY_LIMITS,
  storeChange,
  warningsOf,
} from './options-from-settings.ts'
import type { ReloadOutcome } from './reloader.ts'
import type { Console } from './start-console.ts'
import type { Policy } from './start-policy.ts'
import type { Alerts } from './start-alerts.ts'
import { StopSequence } from './stop-sequence.ts'
import { describeTrendChanges } from './trend-changes.ts'

interface Named {
  readonly name: string
}

export interface ReloadParts {
  readonly options: AppOptions
  readonly inForce: InForce
  readonly store: Pick<Store, 'reconfigure'>
  readonly delivery: Pick<Delivery, 'prepare'>
  readonly alerts: Pick<Alerts, 'prepare'>
  readonly policy: Policy
  readonly scheduler: Pick<Scheduler, 'replace'>
  readonly http: Pick<HttpServer, 'prepare'>
  readonly console: Pick<Console, 'prepare'>
  readonly metrics: Pick<Metrics, 'reloads' | 'lastReloadSeconds'>
  readonly statistics: Pick<Statistics, 'custom'>
  readonly emit: EmitEvent
  /** Unix milliseconds. */
  readonly now: () => number
}

/** A run has its wall-clock limit; a worker that is held by one is given up a little later. */
const RUNS_MS = POLICY_LIMITS.wallMs + 5_000
/** For outcomes to become durable, which takes milliseconds unless the disk is in trouble. */
const STORE_MS = 10_000
const ROLLBACK_MS = 5_000

/** Reloads; never rejects. When the signal comes before the switch, everything stays as it is. */
export async function reloadConfiguration(parts: ReloadParts, signal: AbortSignal): Promise<ReloadOutcome> {
  const { options, metrics, now } = parts
  const { log } = options
  const beganAtMs = now()
  const rollback = new StopSequence(log)
  let exchanged: Exchanged
  try {
    exchanged = await exchange(parts, rollback, signal)
  } catch (error) {
    await rollback.run(ROLLBACK_MS)
    const reason = messageOf(error)
    metrics.reloads.inc({ status: 'failed' })
    parts.emit('reload-failed', '', reason)
    // Whoever asked waits for an answer each time: it is not collapsed with the last one.
    log.verbatim('error', 'the configuration could not be loaded again; the one in force stays', { reason })
    return { ok: false, reason }
  }
  await exchanged.before.run(ROLLBACK_MS)
  metrics.reloads.inc({ status: 'ok' })
  parts.emit('reload', '', '')
  metrics.lastReloadSeconds.set(now() / 1000)
  log.info('the configuration was loaded again', {
    tookMs: now() - beganAtMs,
    runsHeldForMs: exchanged.heldMs,
  })
  return { ok: true }
}

interface Exchanged {
  /** Ends what served the configuration before. */
  readonly before: StopSequence
  /** How long new runs had to wait, milliseconds. */
  readonly heldMs: number
}

async function exchange(parts: ReloadParts, rollback: StopSequence, signal: AbortSignal): Promise<Exchanged> {
  const { options, inForce, store, policy, now } = parts
  const { log } = options
  const before = inForce.configuration
  const loading = loadConfiguration(options, options.threads?.configuration)
  rollback.add('configuration thread', async () => (await loading.catch(() => undefined))?.thread.stop())
  const next = await unlessAborted(loading, signal)
  refuseWhatNeedsRestart(before, next)
  const delivery = parts.delivery.prepare(deliveryOptions(next.settings))
  rollback.add('webhooks', delivery.cancel)
  const applyAlerts = parts.alerts.prepare(next.settings)
  const starting = policy.startPool(next)
  rollback.add('policy workers', async () => (await starting.catch(() => undefined))?.stop())
  const pool = await unlessAborted(starting, signal)
  const acl = aclOf(next.settings)
  const http = await parts.http.prepare(httpOptions(next.settings, acl))
  rollback.add('HTTP listeners', http.cancel)
  const console = await parts.console.prepare(next)
  rollback.add('control socket', console.cancel)

  const heldFromMs = now()
  const old = await policy.runs.exchange(pool, {
    limits: { runsMs: RUNS_MS, commitsMs: STORE_MS },
    signal,
    beforeSwitch: () => reconfigureStore(store, before, next),
    atSwitch() {
      inForce.replace(next, acl)
      const listeners = http.apply()
      delivery.apply()
      applyAlerts()
      console.apply()
      parts.scheduler.replace(next.settings.schedules)
      parts.statistics.custom.show(next.settings.customStats)
      for (const { url } of listeners.opened) log.info('listening', { url })
      for (const url of listeners.closed) log.info('not listening any more', { url })
    },
  })
  logChanges(log, before, next)
  // Not waited for: a line of the console that runs there may be what asked for this.
  void before.thread.retire()
  const leaving = new StopSequence(log)
  leaving.add('policy workers', () => old.stop())
  return { before: leaving, heldMs: now() - heldFromMs }
}

/** What an operator should know about the new configuration, once it is in force. */
function logChanges(log: Log, before: Configuration, next: Configuration): void {
  const changes = describeTrendChanges(before.trendDefinitions, next.trendDefinitions)
  for (const { level, message, fields } of [...next.notices, ...changes]) log.verbatim(level, message, fields)
  for (const warning of warningsOf(next.settings)) log.warn(warning)
  warnOfMissing(log, 'webhook', before.settings.webHooks, next.settings.webHooks)
  warnOfMissing(log, 'alert sink', before.settings.alertSinks, next.settings.alertSinks)
}

/** What is not waited for any more comes to its end by itself. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>()
  const onAbort = (): void => aborted.reject(new TrackError('TRK_STOPPING'))
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort)
  try {
    return await Promise.race([promise, aborted.promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

function refuseWhatNeedsRestart(before: Configuration, next: Configuration): void {
  if (before.stateDirectory !== next.stateDirectory) {
    throw new TrackError(
      'TRK_RELOAD_REFUSED',
      `setStateDirectory: the state directory is ${before.stateDirectory} and would become ${next.stateDirectory}; restart the server for that`,
    )
  }
  const was = before.settings.durability
  const becomes = next.settings.durability
  // The journal answers from memory or it does not: its order of work is another.
  if (was !== becomes && (was === 'none' || becomes === 'none')) {
    throw new TrackError(
      'TRK_RELOAD_REFUSED',
      `setReportDurability: it is ${was} and would become ${becomes}; restart the server for that`,
    )
  }
}

/** A store that does not take it in time goes by the old settings again as soon as it can. */
async function reconfigureStore(
  store: ReloadParts['store'],
  before: Configuration,
  next: Configuration,
): Promise<void> {
  const inTime = new AbortController()
  try {
    await Promise.race([
      store.reconfigure(storeChange(next)),
      sleep(STORE_MS, undefined, { signal: inTime.signal }).then(() => {
        throw new TrackError('TRK_RELOAD_REFUSED', `the store has not answered within ${STORE_MS / 1000} s`)
      }),
    ])
  } catch (error) {
    store.reconfigure(storeChange(before)).catch(() => undefined)
    throw error
  } finally {
    inTime.abort()
  }
}

function warnOfMissing(log: Log, what: string, before: readonly Named[], next: readonly Named[]): void {
  const names = new Set(next.map(({ name }) => name))
  for (const { name } of before) {
    if (names.has(name)) continue
    log.warn('a receiver is not defined any more; what is queued for it waits for a day', { what, name })
  }
}
