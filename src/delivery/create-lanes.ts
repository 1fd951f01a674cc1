/**
 * The lanes of all webhooks and alert sinks, with what they send through. Main thread.
 */
import { hostname } from 'node:os'
import { createSharedLookup } from '../outgoing/shared-lookup.ts'
import { tlsClientOptions } from '../outgoing/tls-client-options.ts'
import { CircuitBreaker, DEFAULT_BREAKER } from './circuit-breaker.ts'
import type { DeliveryDeps, DeliveryOptions } from './delivery-options.ts'
import { Lane, type LaneDeps } from './lane.ts'
import { ProblemLog } from './problem-log.ts'
import { Receiver } from './receiver.ts'
import { DEFAULT_RETRY_POLICY, type RetryPolicy } from './retry.ts'
import type { SinkDefinition } from './sinks/alert-sink.ts'
import { createSink, sinkSender } from './sinks/create-sink.ts'
import type { Sink } from './sinks/sink-port.ts'
import { sinkQueue } from './sinks/sink-queue.ts'
import type { WebHookDefinition } from './web-hook.ts'
import { createWebHookSender } from './web-hook-sender.ts'

/** No receiver is helped by more, and file descriptors are not endless. */
const MAX_CONNECTIONS_PER_RECEIVER = 1000

export function retryOf({ retry = DEFAULT_RETRY_POLICY }: DeliveryOptions): RetryPolicy {
  return retry
}

/** @throws TrackError TRK_TLS_CLIENT_FILES when a certificate or key cannot be used. */
export function createHookLanes(deps: DeliveryDeps, options: DeliveryOptions, onRest: () => void) {
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

/** @throws TrackError TRK_TLS_CLIENT_FILES when a certificate cannot be used. */
export function createSinkLanes(
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
