/**
 * Delivery with an outbox in memory, real metrics and a log that remembers, stopped when the test ends.
 */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { createDelivery, type Delivery } from '../../src/delivery/delivery.ts'
import type { DeliveryOptions, NotificationRecord } from '../../src/delivery/delivery-options.ts'
import type { Outbox } from '../../src/delivery/outbox.ts'
import { createMemoryOutbox, type MemoryOutbox } from './memory-outbox.ts'
import { parseWebHookDefinition } from '../../src/delivery/web-hook.ts'
import { parseAlertSink } from '../../src/delivery/sinks/alert-sink.ts'
import type { MailTimes } from '../../src/delivery/sinks/email/mail-throttle.ts'
import type { CallSinkFunction } from '../../src/delivery/sinks/sink-function.ts'
import type { SinkKeyValues } from '../../src/delivery/sinks/sink-keys.ts'
import type { MailNote } from '../../src/store/alert-store.ts'
import { rememberingLog, type RememberedLine } from './silent-log.ts'

interface RigOptions extends Partial<Omit<DeliveryOptions, 'hooks' | 'sinks'>> {
  /** Name to type and keys. */
  readonly sinks?: Readonly<Record<string, SinkSetup>>
  readonly maxEntries?: number
  /** Instead of the one in memory, whose functions then have nothing to tell. */
  readonly store?: Outbox
  readonly now?: () => number
  /** The Lua functions of sinks; without it there are none. */
  readonly callFunction?: CallSinkFunction
  readonly mailTimes?: MailTimes
}

/** Name to keys; ids count from 1. */
export type HookSetups = Readonly<Record<string, Readonly<Record<string, string>>>>

/** Type and keys of one sink. */
export type SinkSetup = SinkKeyValues & { readonly type: string }

export interface DeliveryRig {
  readonly outbox: MemoryOutbox
  readonly delivery: Delivery
  readonly lines: readonly RememberedLine[]
  /** Counts by reason. */
  readonly dropped: Readonly<Record<string, number>>
  /** What became of notifications, after every try. */
  readonly records: readonly NotificationRecord[]
  /** `id status` of every try, `name status` for a sink. */
  readonly tries: readonly string[]
  /** Resolves when so many tries have ended. */
  readonly tried: (count: number) => Promise<void>
  /** Resolves when everything has been settled. */
  readonly drained: () => Promise<void>
}

export const PLAIN_TLS = {
  verifyPeer: true,
  verifyHost: true,
  caBundleFile: null,
  clientCertificateFile: null,
  clientKeyFile: null,
} as const

/** Tests wait for real: short delays, in the same proportions. */
export const QUICK_RETRY = { firstDelayMs: 20, maxDelayMs: 200, maxAgeMs: 60_000 } as const

/** As a configuration would have them. */
export function deliveryOptionsOf(
  hooks: HookSetups,
  sinks: Readonly<Record<string, SinkSetup>> = {},
  more: Partial<Omit<DeliveryOptions, 'hooks' | 'sinks'>> = {},
): DeliveryOptions {
  return {
    hooks: Object.entries(hooks).map(([name, keys], index) => {
      const parsed = parseWebHookDefinition(name, new Map(Object.entries(keys)), index + 1)
      assert.ok(parsed.ok, parsed.ok ? '' : parsed.reason)
      return parsed.definition
    }),
    sinks: Object.entries(sinks).map(([name, { type, ...keys }]) => {
      const parsed = parseAlertSink(name, type, keys)
      assert.ok(parsed.ok, parsed.ok ? '' : parsed.reason)
      return parsed.definition
    }),
    timeoutMs: 2000,
    connectionsPerReceiver: 4,
    tls: PLAIN_TLS,
    retry: QUICK_RETRY,
    ...more,
  }
}

/** @param hooks name to keys; ids count from 1 */
export function startDelivery(
  t: TestContext,
  hooks: HookSetups,
  {
    maxEntries = 10_000,
    now = Date.now,
    sinks = {},
    store,
    callFunction = noFunction,
    mailTimes = rememberingTimes(),
    ...options
  }: RigOptions = {},
): DeliveryRig {
  const { log, lines } = rememberingLog()
  const dropped: Record<string, number> = {}
  const tries: string[] = []
  let onTried = (): void => undefined
  const memory = createMemoryOutbox({ now }, { maxEntries })
  let onSettled = (): void => undefined
  const outbox: MemoryOutbox = {
    isDurable: false,
    get size() {
      return memory.size
    },
    add: (message) => memory.add(message),
    claimDue: (hook, nowMs, limit) => memory.claimDue(hook, nowMs, limit),
    rewrite: (id, body) => memory.rewrite(id, body),
    async settle(id, settlement) {
      await memory.settle(id, settlement)
      onSettled()
    },
    buryOrphans: (rule) => memory.buryOrphans(rule),
    watch: (observer) => memory.watch(observer),
  }
  const records: NotificationRecord[] = []
  const delivery = createDelivery(
    {
      outbox: store ?? outbox,
      callFunction,
      mailTimes,
      now,
      random: Math.random,
      log,
      onNotification: (record) => records.push(record),
      metrics: {
        customWebHookEvents: {
          inc({ id, status }) {
            tries.push(`${id} ${status}`)
            onTried()
          },
        },
        sinkTries: {
          inc({ sink, status }) {
            tries.push(`${sink} ${status}`)
            onTried()
          },
        },
        notificationsDropped: {
          inc: ({ sink, reason }) => (dropped[`${sink} ${reason}`] = (dropped[`${sink} ${reason}`] ?? 0) + 1),
        },
        webHooksDropped: {
          inc: ({ reason }, count = 1) => (dropped[reason] = (dropped[reason] ?? 0) + count),
        },
      },
    },
    deliveryOptionsOf(hooks, sinks, options),
  )
  delivery.start()
  t.after(() => delivery.stop(0))
  return {
    outbox,
    delivery,
    lines,
    dropped,
    records,
    tries,
    tried: (count) =>
      within(
        (resolve) =>
          (onTried = () => {
            if (tries.length >= count) resolve()
          }),
        () => onTried(),
      ),
    drained: () =>
      within(
        (resolve) =>
          (onSettled = () => {
            if (memory.size === 0) resolve()
          }),
        () => onSettled(),
      ),
  }
}

function rememberingTimes(): MailTimes {
  const last = new Map<string, MailNote>()
  return {
    lastMail: (sink, address) => Promise.resolve(last.get(`${sink} ${address}`)),
    noteMail: (note) => Promise.resolve(void last.set(`${note.sink} ${note.address}`, note)),
  }
}

const noFunction: CallSinkFunction = () =>
  Promise.resolve({ kind: 'failed', message: 'this test has no Lua functions' })

/**
 * A promise with a deadline: `watch` arms it, `look` checks whether it has happened already. What delivery does with the
 * end of a try, it has done by the time the promise resolves.
 */
async function within(watch: (resolve: () => void) => void, look: () => void): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('it did not happen in 30 s')), 30_000)
    watch(() => {
      clearTimeout(timer)
      resolve()
    })
    look()
  })
  await new Promise(setImmediate)
}
