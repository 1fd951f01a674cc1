/**
 * Sends what the outbox holds: one lane per webhook, one pool of connections per receiving server. Main thread. It
 * decides nothing about what is sent, and keeps nothing that the outbox does not.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../telemetry/log.ts'
import { CircuitBreaker, DEFAULT_BREAKER } from './circuit-breaker.ts'
import { Lane, type LaneDeps, type LaneQueue } from './lane.ts'
import { planLanes, type DeliveryOptions, type LaneParts, type MakeLane } from './plan-lanes.ts'
import type { DeadReason, Outbox, OutboxObserver } from './outbox.ts'
import { ProblemLog } from './problem-log.ts'
import type { Receiver } from './receiver.ts'
import type { WebHookDefinition } from './web-hook.ts'

/** Why a message will not arrive: a closed set, which labels a metric. */
type DropReason = DeadReason | 'queue-full' | 'stopped'

/** The counters that delivery feeds; prom-client's fit. */
interface DeliveryMetrics {
  readonly customWebHookEvents: {
    inc(labels: { readonly id: string; readonly url: string; readonly status: 'ok' | 'error' }): void
  }
  readonly webHooksDropped: { inc(labels: { readonly reason: DropReason }, count?: number): void }
}

interface DeliveryDeps {
  readonly outbox: Outbox
  /** Unix milliseconds. */
  readonly now: () => number
  /** A number in [0, 1), for the jitter. */
  readonly random: () => number
  readonly log: Log
  readonly metrics: DeliveryMetrics
}

/** One line of showCustomWebHooks(), and of showWebHookQueue(). */
export interface WebHookCounters extends LaneQueue {
  readonly id: number
  readonly name: string
  /** Without credentials. */
  readonly url: string
  /** Tries since the start. */
  readonly successes: number
  readonly failures: number
}

/** Other options, ready to be gone by. */
export interface PreparedDelivery {
  readonly apply: () => void
  readonly cancel: () => Promise<void>
}

export interface Delivery {
  /** Begins to send what is in the outbox and what will be. */
  readonly start: () => void
  /**
   * Gets ready to go by other options. A webhook that stays as it is notices nothing; a changed one has the tries under
   * way end and sends what is queued for it, under the same delivery ids, as it is defined then.
   *
   * @throws TrackError TRK_TLS_CLIENT_FILES when a certificate or key cannot be used.
   */
  readonly prepare: (options: DeliveryOptions) => PreparedDelivery
  /**
   * Sends what is due, or will be within the time, and then closes every connection. Returns at once when nothing is.
   * A second call has no effect of its own.
   *
   * @returns what is left in the outbox, in words; undefined when nothing is.
   */
  readonly stop: (deadlineMs: number) => Promise<string | undefined>
  readonly counters: () => readonly WebHookCounters[]
}

/** @throws TrackError TRK_TLS_CLIENT_FILES when a certificate or key cannot be used. */
export function createDelivery(deps: DeliveryDeps, options: DeliveryOptions): Delivery {
  const { outbox, now, log, metrics } = deps
  let onRest = (): void => undefined
  let stopping: Promise<string | undefined> | undefined
  const makeLane: MakeLane = (hook, rest) => createLane(hook, deps, { ...rest, onRest: () => onRest() })
  let lanes = laneMap(planLanes(options, new Map(), makeLane).lanes)
  /** Replaced lanes whose last tries are under way, with the receivers that nobody uses any more. */
  const leaving = new Set<Promise<void>>()

  async function drainAndClose(deadlineMs: number): Promise<string | undefined> {
    const endMs = now() + deadlineMs
    const outOfTime = new AbortController()
    await Promise.race([
      new Promise<void>((resolve) => {
        onRest = () => {
          if ([...lanes.values()].every((lane) => lane.restsUntil(endMs))) resolve()
        }
        onRest()
      }),
      sleep(deadlineMs, undefined, { signal: outOfTime.signal }),
    ])
    outOfTime.abort()
    for (const lane of lanes.values()) lane.close()
    await Promise.all([...receiversOf(lanes)].map((receiver) => receiver.close()))
    await Promise.all([...Array.from(lanes.values(), (lane) => lane.settled()), ...leaving])
    if (outbox.size === 0) return undefined
    if (!outbox.isDurable) metrics.webHooksDropped.inc({ reason: 'stopped' }, outbox.size)
    return outbox.size === 1 ? '1 webhook' : `${outbox.size} webhooks`
  }

  function replaceLanes(next: ReadonlyMap<string, Lane>): void {
    const before = lanes
    lanes = next
    const kept = receiversOf(next)
    for (const [name, lane] of before) {
      if (next.get(name) === lane) continue
      lane.close()
      // Each lane waits for itself; a receiver goes with the last one, since closing it twice does no harm.
      const left = leave(lane, kept.has(lane.receiver) ? [] : lanesOf(before, lane.receiver))
      leaving.add(left)
      void left.finally(() => {
        leaving.delete(left)
        lanes.get(name)?.wake()
      })
    }
    for (const lane of next.values()) lane.wake()
  }

  return {
    start() {
      const refusals = createRefusalLog(deps)
      outbox.watch({
        onQueued(hook) {
          refusals.onQueued(hook)
          const lane = lanes.get(hook)
          if (lane !== undefined) lane.wake()
          else
            log.error('a webhook is queued that the configuration does not name; it stays queued', { hook })
        },
        onRefused: refusals.onRefused,
      })
      for (const lane of lanes.values()) lane.wake()
    },
    prepare(wanted) {
      const plan = planLanes(wanted, lanes, makeLane)
      return {
        apply: () => replaceLanes(laneMap(plan.lanes)),
        cancel: async () => {
          await Promise.all(plan.newReceivers.map((receiver) => receiver.close()))
        },
      }
    },
    stop(deadlineMs) {
      stopping ??= drainAndClose(deadlineMs)
      return stopping
    },
    counters: () => Array.from(lanes.values(), countersOf).toSorted((a, b) => a.id - b.id),
  }
}

function countersOf({ hook: { id, name, url }, tally, queue }: Lane): WebHookCounters {
  return { id, name, url, ...tally, ...queue }
}

/** Lets the tries of a replaced lane end, and of the lanes that share a receiver which goes, and closes that. */
async function leave(lane: Lane, sharing: readonly Lane[]): Promise<void> {
  await lane.settled()
  if (sharing.length === 0) return
  await Promise.all(sharing.map((other) => other.settled()))
  await lane.receiver.close()
}

function laneMap(lanes: readonly Lane[]): ReadonlyMap<string, Lane> {
  return new Map(lanes.map((lane) => [lane.hook.name, lane]))
}

function receiversOf(lanes: ReadonlyMap<string, Lane>): ReadonlySet<Receiver> {
  return new Set(Array.from(lanes.values(), (lane) => lane.receiver))
}

function lanesOf(lanes: ReadonlyMap<string, Lane>, receiver: Receiver): readonly Lane[] {
  return [...lanes.values()].filter((lane) => lane.receiver === receiver)
}

function createLane(
  hook: WebHookDefinition,
  { outbox, now, random, log, metrics }: DeliveryDeps,
  rest: LaneParts & Pick<LaneDeps, 'onRest'>,
): Lane {
  return new Lane({
    ...rest,
    hook,
    outbox,
    breaker: new CircuitBreaker(random, DEFAULT_BREAKER),
    problems: new ProblemLog({ log, now }),
    now,
    random,
    log,
    onTry({ id, url }, isOk) {
      metrics.customWebHookEvents.inc({ id: String(id), url, status: isOk ? 'ok' : 'error' })
    },
    onDead: (reason) => metrics.webHooksDropped.inc({ reason }),
  })
}

/** Counts what a full outbox refuses, and says so once until it has drained to half. */
function createRefusalLog({ outbox, log, metrics }: DeliveryDeps): OutboxObserver {
  let sizeWhenFull: number | undefined
  return {
    onQueued() {
      if (sizeWhenFull !== undefined && outbox.size <= sizeWhenFull / 2) sizeWhenFull = undefined
    },
    onRefused(hook) {
      metrics.webHooksDropped.inc({ reason: 'queue-full' })
      if (sizeWhenFull !== undefined) return
      sizeWhenFull = outbox.size
      log.error('the webhook queue is full: new webhooks are dropped', { hook, waiting: outbox.size })
    },
  }
}
