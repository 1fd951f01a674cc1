/**
 * Sends what the outbox holds: one lane per webhook and per alert sink, one pool of connections per server that takes
 * webhooks. Main thread. It decides nothing about what is sent, and keeps nothing that the outbox does not.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { createLaneMaker } from './create-lanes.ts'
import type { DeliveryDeps, DeliveryOptions } from './delivery-options.ts'
import type { LaneQueue } from './lane.ts'
import { LanesInForce } from './lanes-in-force.ts'
import { watchOrphans } from './orphans.ts'
import type { HookOutlet, SinkOutlet } from './outlet.ts'
import type { OutboxObserver } from './outbox.ts'
import { planLanes } from './plan-lanes.ts'
import { DEFAULT_RETRY_POLICY } from './retry.ts'
import type { SinkType } from './sinks/alert-sink.ts'
import type { CallSinkFunction } from './sinks/sink-function.ts'
import { sendOnce } from './sinks/sink-sender.ts'
import { testMessage } from './sinks/test-message.ts'

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

/** One line of showAlertSinks(). */
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

/** Other options, ready to be gone by. */
export interface PreparedDelivery {
  readonly apply: () => void
  readonly cancel: () => Promise<void>
}

export interface Delivery {
  /** Begins to send what is in the outbox and what will be. */
  readonly start: () => void
  /**
   * Gets ready to go by other options. A webhook or sink that stays as it is notices nothing; a changed one has the tries
   * under way end and sends what is queued for it, under the same delivery ids, as it is defined then. Messages of one
   * that is gone wait for it to come back, and are given up when they are too old.
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
  const make = createLaneMaker(deps, onRest)
  const lanes = new LanesInForce(planLanes(options, new Map(), make), onRest)
  const orphans = watchOrphans(
    { outbox, now, log, metrics },
    () => [...lanes.outlets.keys()],
    (options.retry ?? DEFAULT_RETRY_POLICY).maxAgeMs,
  )

  async function drainAndClose(deadlineMs: number): Promise<string | undefined> {
    const endMs = now() + deadlineMs
    const outOfTime = new AbortController()
    await orphans.stop()
    await Promise.race([
      new Promise<void>((resolve) => {
        stage.onRest = () => {
          if (lanes.restsUntil(endMs)) resolve()
        }
        stage.onRest()
      }),
      sleep(deadlineMs, undefined, { signal: outOfTime.signal }),
    ])
    outOfTime.abort()
    await lanes.close()
    if (outbox.size === 0) return undefined
    if (!outbox.isDurable) metrics.webHooksDropped.inc({ reason: 'stopped' }, outbox.size)
    return whatIsLeft(outbox.size, sinksIn(lanes).length > 0)
  }

  return {
    start() {
      const refusals = createRefusalLog(deps)
      outbox.watch({
        onQueued(hook) {
          refusals.onQueued(hook)
          lanes.outlets.get(hook)?.lane.wake()
        },
        onRefused: refusals.onRefused,
      })
      lanes.wake()
      orphans.start()
    },
    prepare(wanted) {
      const planned = planLanes(wanted, lanes.outlets, make)
      return {
        apply() {
          // A server that stops has no more use for it.
          if (stopping !== undefined) return
          lanes.replace(planned)
          orphans.namesChanged()
        },
        // What is planned opens nothing before its first try.
        cancel: () => Promise.resolve(),
      }
    },
    stop(deadlineMs) {
      stopping ??= drainAndClose(deadlineMs)
      return stopping
    },
    counters: () => countersOf(lanes),
    sinks: () => sinksIn(lanes).map(statusOf),
    sendTest: (name) => sendTest({ ...deps, lanes }, name),
  }
}

function countersOf(lanes: LanesInForce): readonly WebHookCounters[] {
  return hooksIn(lanes)
    .map(({ definition: { id, name, url }, lane }) => ({ id, name, url, ...lane.tally, ...lane.queue }))
    .toSorted((a, b) => a.id - b.id)
}

function statusOf({ definition: { name, type, place }, lane }: SinkOutlet): SinkStatus {
  return { name, type, place, ...lane.tally }
}

interface TestParts {
  readonly lanes: LanesInForce
  /** Unix milliseconds. */
  readonly now: () => number
  readonly callFunction: CallSinkFunction
}

async function sendTest({ lanes, now, callFunction }: TestParts, name: string): Promise<TestOutcome> {
  const sinks = sinksIn(lanes)
  const found = sinks.find(({ definition }) => definition.name === name)
  if (found === undefined) return { ok: false, answer: unknownSink(name, sinks) }
  const message = testMessage(name, randomUUID(), now())
  const { verdict, answer } = await lanes.whileHeld(found, () =>
    sendOnce({ name, sink: found.connections }, message, callFunction),
  )
  return { ok: verdict.kind === 'success', answer }
}

function hooksIn({ outlets }: LanesInForce): readonly HookOutlet[] {
  return [...outlets.values()].filter((outlet) => outlet.kind === 'webhook')
}

function sinksIn({ outlets }: LanesInForce): readonly SinkOutlet[] {
  return [...outlets.values()].filter((outlet) => outlet.kind === 'sink')
}

function whatIsLeft(size: number, hasSinks: boolean): string {
  const what = hasSinks ? 'webhook or notification' : 'webhook'
  return size === 1 ? `1 ${what}` : `${size} ${what}s`.replace('webhook or', 'webhooks or')
}

function unknownSink(name: string, sinks: readonly SinkOutlet[]): string {
  const known =
    sinks.length === 0
      ? 'there are none'
      : `there are ${sinks.map(({ definition }) => definition.name).join(', ')}`
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
