/**
 * Which lanes and receivers a set of webhooks needs, and which of those that are there already serve on. Main thread. It
 * opens no connection: a receiver does so at its first try.
 */
import { tlsClientOptions, type TlsClientSettings } from '../outgoing/tls-client-options.ts'
import type { Lane, LaneDeps } from './lane.ts'
import { Receiver } from './receiver.ts'
import { DEFAULT_RETRY_POLICY, type RetryPolicy } from './retry.ts'
import { isSameWebHook, type WebHookDefinition } from './web-hook.ts'

export interface DeliveryOptions {
  readonly hooks: readonly WebHookDefinition[]
  /** One try, from opening the connection to the end of the answer. */
  readonly timeoutMs: number
  /** Connections to one server (scheme, host and port), which its hooks share evenly. */
  readonly connectionsPerReceiver: number
  readonly tls: TlsClientSettings
  readonly retry?: RetryPolicy
}

/** What a lane is made from beside its webhook. */
export type LaneParts = Pick<LaneDeps, 'receiver' | 'concurrency' | 'retry' | 'tally'>

export type MakeLane = (hook: WebHookDefinition, parts: LaneParts) => Lane

interface LanePlan {
  readonly lanes: readonly Lane[]
  /** Those that were made for this plan. */
  readonly newReceivers: readonly Receiver[]
}

/** No receiver is helped by more, and file descriptors are not endless. */
const MAX_CONNECTIONS_PER_RECEIVER = 1000

/**
 * Plans for these options, with what is there.
 *
 * @throws TrackError TRK_TLS_CLIENT_FILES when a certificate or key cannot be used.
 */
export function planLanes(
  options: DeliveryOptions,
  present: ReadonlyMap<string, Lane>,
  makeLane: MakeLane,
): LanePlan {
  const { timeoutMs, retry = DEFAULT_RETRY_POLICY } = options
  const tls = tlsClientOptions(options.tls)
  const known = [...new Set(Array.from(present.values(), (lane) => lane.receiver))]
  const allowed = Math.min(options.connectionsPerReceiver, MAX_CONNECTIONS_PER_RECEIVER)
  const newReceivers: Receiver[] = []
  const lanes: Lane[] = []
  for (const [origin, hooks] of Map.groupBy(options.hooks, (hook) => hook.origin)) {
    // At least one each: a hook that waits for another's connection would not be isolated from it.
    const concurrency = Math.max(1, Math.floor(allowed / hooks.length))
    const wanted = { connections: concurrency * hooks.length, timeoutMs, tls }
    let receiver = known.find((one) => one.isLike(origin, wanted))
    if (receiver === undefined) {
      receiver = new Receiver(origin, wanted)
      newReceivers.push(receiver)
    }
    for (const hook of hooks) {
      const before = present.get(hook.name)
      const stays =
        before?.receiver === receiver &&
        before.concurrency === concurrency &&
        isSameWebHook(before.hook, hook)
      const tally = before?.tally ?? { successes: 0, failures: 0 }
      lanes.push(stays ? before : makeLane(hook, { receiver, concurrency, retry, tally }))
    }
  }
  return { lanes, newReceivers }
}
