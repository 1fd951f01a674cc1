/**
 * Sends what the outbox holds: one lane per webhook and per alert sink, one pool of connections per server that takes
 * webhooks. Main thread. It decides nothing about what is sent, and keeps nothing that the outbox does not.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { createHookLanes, createSinkLanes, retryOf } from './create-lanes.ts'
import type { DeliveryDeps, DeliveryOptions } from './delivery-options.ts'
import type { Lane } from './lane.ts'
import { watchOrphans } from './orphans.ts'
import type { OutboxObserver } from './outbox.ts'
import type { SinkDefinition, SinkType } from './sinks/alert-sink.ts'
import { notifySafely } from './sinks/create-sink.ts'
import { sinkQueue } from './sinks/sink-queue.ts'
import { testMessage } from './sinks/test-message.ts'

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

function countsOf(lane: Lane | undefined) {
  return { successes: lane?.successes ?? 0, failures: lane?.failures ?? 0 }
}

function unknownSink(name: string, sinks: readonly SinkDefinition[]): string {
  const known =
    sinks.length === 0 ? 'there are none' : `there are ${sinks.map((sink) => sink.name).join(', ')}`
  return `there is no alert sink ${JSON.stringify(name)}; ${known}`
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
