/**
 * Sends what the outbox holds: one lane per webhook, one pool of connections per receiving server. Main thread. It
 * decides nothing about what is sent, and keeps nothing that the outbox does not.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { tlsClientOptions, type TlsClientSettings } from '../outgoing/tls-client-options.ts'
import type { Log } from '../telemetry/log.ts'
import { CircuitBreaker, DEFAULT_BREAKER } from './circuit-breaker.ts'
import { Lane, type LaneDeps, type LaneQueue } from './lane.ts'
import type { DeadReason, Outbox, OutboxObserver } from './outbox.ts'
import { ProblemLog } from './problem-log.ts'
import { Receiver } from './receiver.ts'
import { DEFAULT_RETRY_POLICY, type RetryPolicy } from './retry.ts'
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

export interface DeliveryOptions {
  readonly hooks: readonly WebHookDefinition[]
  /** One try, from opening the connection to the end of the answer. */
  readonly timeoutMs: number
  /** Connections to one server (scheme, host and port), which its hooks share evenly. */
  readonly connectionsPerReceiver: number
  readonly tls: TlsClientSettings
  readonly retry?: RetryPolicy
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

export interface Delivery {
  /** Begins to send what is in the outbox and what will be. */
  readonly start: () => void
  /**
   * Sends what is due, or will be within the time, and then closes every connection. Returns at once when nothing is.
   * A second call has no effect of its own.
   *
   * @returns what is left in the outbox, in words; undefined when nothing is.
   */
  readonly stop: (deadlineMs: number) => Promise<string | undefined>
  readonly counters: () => readonly WebHookCounters[]
}

/** No receiver is helped by more, and file descriptors are not endless. */
const MAX_CONNECTIONS_PER_RECEIVER = 1000

/** @throws TrackError TRK_TLS_CLIENT_FILES when a certificate or key cannot be used. */
export function createDelivery(deps: DeliveryDeps, options: DeliveryOptions): Delivery {
  const { outbox, now, log, metrics } = deps
  let onRest = (): void => undefined
  let stopping: Promise<string | undefined> | undefined
  const receivers: Receiver[] = []
  const lanes = new Map<string, Lane>()
  for (const { receiver, hooks, connectionsPerHook } of createReceivers(options)) {
    receivers.push(receiver)
    for (const hook of hooks) {
      const shared = {
        receiver,
        concurrency: connectionsPerHook,
        retry: options.retry ?? DEFAULT_RETRY_POLICY,
      }
      lanes.set(hook.name, createLane(hook, deps, { ...shared, onRest: () => onRest() }))
    }
  }

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
    await Promise.all(receivers.map((receiver) => receiver.close()))
    await Promise.all(Array.from(lanes.values(), (lane) => lane.settled()))
    if (outbox.size === 0) return undefined
    if (!outbox.isDurable) metrics.webHooksDropped.inc({ reason: 'stopped' }, outbox.size)
    return outbox.size === 1 ? '1 webhook' : `${outbox.size} webhooks`
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
    stop(deadlineMs) {
      stopping ??= drainAndClose(deadlineMs)
      return stopping
    },
    counters: () =>
      Array.from(lanes.values(), ({ hook: { id, name, url }, successes, failures, queue }) => ({
        id,
        name,
        url,
        successes,
        failures,
        ...queue,
      })).toSorted((a, b) => a.id - b.id),
  }
}

interface SharedReceiver {
  readonly receiver: Receiver
  readonly hooks: readonly WebHookDefinition[]
  /** Tries at once of each of them. */
  readonly connectionsPerHook: number
}

function createReceivers(options: DeliveryOptions): readonly SharedReceiver[] {
  const tls = tlsClientOptions(options.tls)
  const allowed = Math.min(options.connectionsPerReceiver, MAX_CONNECTIONS_PER_RECEIVER)
  return Array.from(
    Map.groupBy(options.hooks, (hook) => hook.origin),
    ([origin, hooks]) => {
      // At least one each: a hook that waits for another's connection would not be isolated from it.
      const connectionsPerHook = Math.max(1, Math.floor(allowed / hooks.length))
      const connections = connectionsPerHook * hooks.length
      const receiver = new Receiver(origin, { connections, timeoutMs: options.timeoutMs, tls })
      return { receiver, hooks, connectionsPerHook }
    },
  )
}

function createLane(
  hook: WebHookDefinition,
  { outbox, now, random, log, metrics }: DeliveryDeps,
  rest: Pick<LaneDeps, 'receiver' | 'concurrency' | 'retry' | 'onRest'>,
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
