/**
 * Makes the lane of a webhook or an alert sink, and sinks themselves. Main thread.
 */
import { hostname } from 'node:os'
import { createSharedLookup } from '../outgoing/shared-lookup.ts'
import type { TlsClientOptions } from '../outgoing/tls-client-options.ts'
import { CircuitBreaker, DEFAULT_BREAKER } from './circuit-breaker.ts'
import type { DeliveryDeps } from './delivery-options.ts'
import { Lane, type LaneDeps } from './lane.ts'
import type { HookOutlet, SinkOutlet } from './outlet.ts'
import { ProblemLog } from './problem-log.ts'
import type { SinkDefinition } from './sinks/alert-sink.ts'
import { createSink } from './sinks/create-sink.ts'
import type { Sink } from './sinks/sink-port.ts'
import { sinkQueue } from './sinks/sink-queue.ts'
import { sinkSender } from './sinks/sink-sender.ts'
import { createWebHookSender } from './web-hook-sender.ts'

/** How a lane goes on from the one before it. */
type LaneCourse = Pick<LaneDeps, 'retry' | 'tally'>

export interface LaneMaker {
  readonly hookLane: (parts: Omit<HookOutlet, 'lane'>, course: LaneCourse) => Lane
  readonly sinkLane: (parts: Omit<SinkOutlet, 'lane'>, course: LaneCourse) => Lane
  readonly sink: (definition: SinkDefinition, tls: TlsClientOptions) => Sink
}

/** @param onRest - some lane has looked at everything and waits */
export function createLaneMaker(deps: DeliveryDeps, onRest: () => void): LaneMaker {
  const { now, metrics, onNotification } = deps
  const surroundings = {
    now,
    lookup: createSharedLookup(),
    hostname: hostname(),
    pid: process.pid,
    mailTimes: deps.mailTimes,
    startedAtMs: now(),
  }
  return {
    hookLane({ definition, concurrency, connections }, course) {
      const { id, name, url } = definition
      return createLane(deps, {
        ...course,
        recipient: { kind: 'webhook', name, place: url },
        queue: name,
        sender: createWebHookSender(definition, { receiver: connections, now }),
        concurrency,
        onRest,
        onTry(isOk) {
          metrics.customWebHookEvents.inc({ id: String(id), url, status: isOk ? 'ok' : 'error' })
        },
        onDead(reason) {
          metrics.webHooksDropped.inc({ reason })
          deps.onGivenUp?.(name, reason)
        },
        onSettled: () => undefined,
      })
    },
    sinkLane({ definition: { name, type, place }, connections }, course) {
      return createLane(deps, {
        ...course,
        recipient: { kind: 'sink', name, place },
        queue: sinkQueue(name),
        sender: sinkSender({ name, sink: connections }, deps),
        concurrency: connections.concurrency,
        onRest,
        onTry: (isOk) => metrics.sinkTries.inc({ sink: name, type, status: isOk ? 'ok' : 'error' }),
        onDead(reason) {
          metrics.notificationsDropped.inc({ sink: name, reason })
          deps.onGivenUp?.(name, reason)
        },
        onSettled: (record) => onNotification?.({ sink: name, to: place, ...record }),
      })
    },
    sink: (definition, tls) => createSink(definition, { ...surroundings, tls }),
  }
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
