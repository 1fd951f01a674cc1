/**
 * Sends what the outbox holds: one lane per webhook and per alert sink, one pool of connections per server that takes
 * webhooks. Main thread. It decides nothing about what is sent, and keeps nothing that the outbox does not.
 */
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { createSharedLookup } from '../outgoing/shared-lookup.ts'
import { tlsClientOptions, type TlsClientSettings } from '../outgoing/tls-client-options.ts'
import type { Log } from '../telemetry/log.ts'
import { CircuitBreaker, DEFAULT_BREAKER } from './circuit-breaker.ts'
import { Lane, type LaneDeps, type TryRecord } from './lane.ts'
import { watchOrphans } from './orphans.ts'
import type { DeadReason, Outbox, OutboxObserver } from './outbox.ts'
import { ProblemLog } from './problem-log.ts'
import { Receiver } from './receiver.ts'
import { DEFAULT_RETRY_POLICY, type RetryPolicy } from './retry.ts'
import type { SinkDefinition, SinkType } from './sinks/alert-sink.ts'
import { createSink, notifySafely, sinkSender } from './sinks/create-sink.ts'
import { sinkQueue } from './sinks/sink-queue.ts'
import type { Sink } from './sinks/sink-port.ts'
import { testMessage } from './sinks/test-message.ts'
import type { WebHookDefinition } from './web-hook.ts'
import { createWebHookSender } from './web-hook-sender.ts'

/** Why a message will not arrive: a closed set, which labels a metric. */
type DropReason = DeadReason | 'queue-full' | 'stopped'

/** The counters that delivery feeds; prom-client's fit. */
interface DeliveryMetrics {
  readonly customWebHookEvents: {
    inc(labels: { readonly id: string; readonly url: string; readonly status: 'ok' | 'error' }): void
  }
  readonly webHooksDropped: { inc(labels: { readonly reason: DropReason }, count?: number): void }
  readonly sinkTries: {
    inc(labels: { readonly sink: string; readonly type: SinkType; readonly status: 'ok' | 'error' }): void
  }
  readonly notificationsDropped: {
    inc(labels: { readonly sink: string; readonly reason: DropReason }): void
  }
}

/** What became of one notification, after every try. */
export interface NotificationRecord extends TryRecord {
  /** Name given to addAlertSink. */
  readonly sink: string
}

interface DeliveryDeps {
  readonly outbox: Outbox
  /** Unix milliseconds. */
  readonly now: () => number
  /** A number in [0, 1), for the jitter. */
  readonly random: () => number
  readonly log: Log
  readonly metrics: DeliveryMetrics
  /** For the history of alerts. Must not throw. */
  readonly onNotification?: (record: NotificationRecord) => void
}

export interface DeliveryOptions {
  readonly hooks: readonly WebHookDefinition[]
  readonly sinks: readonly SinkDefinition[]
  /** One try of a webhook, from opening the connection to the end of the answer. */
  readonly timeoutMs: number
  /** Connections to one server (scheme, host and port), which its hooks share evenly. */
  readonly connectionsPerReceiver: number
  readonly tls: TlsClientSettings
  readonly retry?: RetryPolicy
}

/** One line of showCustomWebHooks(). */
interface WebHookCounters {
  readonly id: number
  readonly name: string
  /** Without credentials. */
  readonly url: string
  /** Tries since the start. */
  readonly successes: number
  readonly failures: number
}

/** One alert sink and how it is doing. */
export interface SinkStatus {
  readonly name: string
  readonly type: SinkType
  /** Without secrets. */
  readonly place: string
  /** Tries since the start. */
  readonly successes: number
  readonly failures: number
}

export interface TestOutcome {
  readonly ok: boolean
  /** What the other side said, or why there is nothing to tell. */
  readonly answer: string
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
  readonly sinks: () => readonly SinkStatus[]
  /** Sends a marked test through a sink, once, past its queue, and tells what came of it. */
  readonly sendTest: (sink: string) => Promise<TestOutcome>
}

/** No receiver is helped by more, and file descriptors are not endless. */
const MAX_CONNECTIONS_PER_RECEIVER = 1000

/** @throws TrackError TRK_TLS_CLIENT_FILES when a certificate or key cannot be used. */
export function createDelivery(deps: DeliveryDeps, options: DeliveryOptions): Delivery {
  const { outbox, now, log, metrics } = deps
  const stage = { onRest: (): void => undefined }
  const onRest = (): void => stage.onRest()
  let stopping: Promise<string | undefined> | undefined
  const hooks = createHookLanes(deps, options, onRest)
  const sinks = createSinkLanes(deps, options, onRest)
  const lanes = new Map([
    ...hooks.lanes,
    ...sinks.map(({ lane, definition }) => [sinkQueue(definition.name), lane] as const),
  ])
  const orphans = watchOrphans({ outbox, now, log, metrics }, [...lanes.keys()], retryOf(options).maxAgeMs)

  async function drainAndClose(deadlineMs: number): Promise<string | undefined> {
    const endMs = now() + deadlineMs
    const outOfTime = new AbortController()
    await orphans.stop()
    await Promise.race([
      new Promise<void>((resolve) => {
        stage.onRest = () => {
          if ([...lanes.values()].every((lane) => lane.restsUntil(endMs))) resolve()
        }
        stage.onRest()
      }),
      sleep(deadlineMs, undefined, { signal: outOfTime.signal }),
    ])
    outOfTime.abort()
    for (const lane of lanes.values()) lane.close()
    await Promise.all([
      ...hooks.receivers.map((receiver) => receiver.close()),
      ...sinks.map(({ sink }) => sink.close()),
    ])
    await Promise.all(Array.from(lanes.values(), (lane) => lane.settled()))
    if (outbox.size === 0) return undefined
    if (!outbox.isDurable) metrics.webHooksDropped.inc({ reason: 'stopped' }, outbox.size)
    const what = sinks.length === 0 ? 'webhook' : 'webhook or notification'
    return outbox.size === 1 ? `1 ${what}` : `${outbox.size} ${what}s`.replace('webhook or', 'webhooks or')
  }

  return {
    start() {
      const refusals = createRefusalLog(deps)
      outbox.watch({
        onQueued(hook) {
          refusals.onQueued(hook)
          lanes.get(hook)?.wake()
        },
        onRefused: refusals.onRefused,
      })
      for (const lane of lanes.values()) lane.wake()
      orphans.start()
    },
    stop(deadlineMs) {
      stopping ??= drainAndClose(deadlineMs)
      return stopping
    },
    counters: () =>
      options.hooks
        .map(({ id, name, url }) => ({ id, name, url, ...countsOf(lanes.get(name)) }))
        .toSorted((a, b) => a.id - b.id),
    sinks: () =>
      sinks.map(({ definition: { name, type, place }, lane }) => ({ name, type, place, ...countsOf(lane) })),
    async sendTest(name) {
      const found = sinks.find(({ definition }) => definition.name === name)
      if (found === undefined) return { ok: false, answer: unknownSink(name, options.sinks) }
      const { verdict, answer } = await notifySafely(found.sink, [testMessage(name, randomUUID(), now())])
      return { ok: verdict.kind === 'success', answer }
    },
  }
}

function retryOf({ retry = DEFAULT_RETRY_POLICY }: DeliveryOptions): RetryPolicy {
  return retry
}

function countsOf(lane: Lane | undefined) {
  return { successes: lane?.successes ?? 0, failures: lane?.failures ?? 0 }
}

function unknownSink(name: string, sinks: readonly SinkDefinition[]): string {
  const known =
    sinks.length === 0 ? 'there are none' : `there are ${sinks.map((sink) => sink.name).join(', ')}`
  return `there is no alert sink ${JSON.stringify(name)}; ${known}`
}

function createHookLanes(deps: DeliveryDeps, options: DeliveryOptions, onRest: () => void) {
  const lanes = new Map<string, Lane>()
  const receivers: Receiver[] = []
  for (const { receiver, hooks, connectionsPerHook } of createReceivers(options)) {
    receivers.push(receiver)
    for (const hook of hooks) {
      const { id, name, url } = hook
      lanes.set(
        name,
        createLane(deps, {
          recipient: { kind: 'webhook', name, place: url },
          queue: name,
          sender: createWebHookSender(hook, { receiver, now: deps.now }),
          concurrency: connectionsPerHook,
          retry: retryOf(options),
          onRest,
          onTry(isOk) {
            deps.metrics.customWebHookEvents.inc({ id: String(id), url, status: isOk ? 'ok' : 'error' })
          },
          onDead: (reason) => deps.metrics.webHooksDropped.inc({ reason }),
          onSettled: () => undefined,
        }),
      )
    }
  }
  return { lanes, receivers }
}

interface SinkLane {
  readonly definition: SinkDefinition
  readonly sink: Sink
  readonly lane: Lane
}

function createSinkLanes(
  deps: DeliveryDeps,
  options: DeliveryOptions,
  onRest: () => void,
): readonly SinkLane[] {
  const { now, metrics, onNotification } = deps
  const lookup = createSharedLookup()
  const host = hostname()
  return options.sinks.map((definition) => {
    const { name, type, place } = definition
    const sink = createSink(definition, {
      now,
      lookup,
      hostname: host,
      pid: process.pid,
      tls: options.tls,
      startedAtMs: now(),
    })
    const lane = createLane(deps, {
      recipient: { kind: 'sink', name, place },
      queue: sinkQueue(name),
      sender: sinkSender(sink),
      concurrency: sink.concurrency,
      retry: retryOf(options),
      onRest,
      onTry: (isOk) => metrics.sinkTries.inc({ sink: name, type, status: isOk ? 'ok' : 'error' }),
      onDead: (reason) => metrics.notificationsDropped.inc({ sink: name, reason }),
      onSettled: (record) => onNotification?.({ sink: name, ...record }),
    })
    return { definition, sink, lane }
  })
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
  { outbox, now, random, log }: DeliveryDeps,
  rest: Omit<LaneDeps, 'outbox' | 'breaker' | 'problems' | 'now' | 'random' | 'log'>,
): Lane {
  return new Lane({
    ...rest,
    outbox,
    breaker: new CircuitBreaker(random, DEFAULT_BREAKER),
    problems: new ProblemLog({ log, now }),
    now,
    random,
    log,
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
