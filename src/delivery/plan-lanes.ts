/**
 * Which lanes a set of webhooks and sinks needs, and which of those that are there already serve on. Main thread. It opens
 * no connection: receivers and sinks do so at their first try.
 */
import { isSameTls, tlsClientOptions } from '../outgoing/tls-client-options.ts'
import type { LaneMaker } from './create-lanes.ts'
import type { DeliveryOptions } from './delivery-options.ts'
import type { HookOutlet, Outlet, Outlets, SinkOutlet } from './outlet.ts'
import { Receiver } from './receiver.ts'
import { DEFAULT_RETRY_POLICY } from './retry.ts'
import { sinkTls } from './sinks/create-sink.ts'
import { isSameSink } from './sinks/same-sink.ts'
import { sinkQueue } from './sinks/sink-queue.ts'
import { isSameWebHook } from './web-hook.ts'

/** No receiver is helped by more, and file descriptors are not endless. */
const MAX_CONNECTIONS_PER_RECEIVER = 1000

/**
 * Plans for these options, with what is there. A plan that nobody goes by leaves nothing to be closed.
 *
 * @throws TrackError TRK_TLS_CLIENT_FILES when a certificate or key cannot be used.
 */
export function planLanes(options: DeliveryOptions, present: Outlets, make: LaneMaker): Outlets {
  return new Map<string, Outlet>([
    ...planHooks(options, present, make).map((outlet) => [outlet.definition.name, outlet] as const),
    ...planSinks(options, present, make).map(
      (outlet) => [sinkQueue(outlet.definition.name), outlet] as const,
    ),
  ])
}

function planHooks(options: DeliveryOptions, present: Outlets, make: LaneMaker): readonly HookOutlet[] {
  const { timeoutMs, retry = DEFAULT_RETRY_POLICY } = options
  const tls = tlsClientOptions(options.tls)
  const known = [...present.values()].flatMap((outlet) =>
    outlet.kind === 'webhook' ? [outlet.connections] : [],
  )
  const allowed = Math.min(options.connectionsPerReceiver, MAX_CONNECTIONS_PER_RECEIVER)
  const byOrigin = Map.groupBy(options.hooks, (hook) => hook.origin)
  return [...byOrigin].flatMap(([origin, hooks]) => {
    // At least one each: a hook that waits for another's connection would not be isolated from it.
    const concurrency = Math.max(1, Math.floor(allowed / hooks.length))
    const wanted = { connections: concurrency * hooks.length, timeoutMs, tls }
    const connections = known.find((one) => one.isLike(origin, wanted)) ?? new Receiver(origin, wanted)
    return hooks.map((definition): HookOutlet => {
      const before = present.get(definition.name)
      if (
        before?.kind === 'webhook' &&
        before.connections === connections &&
        before.concurrency === concurrency &&
        isSameWebHook(before.definition, definition)
      )
        return before
      const parts = { kind: 'webhook', definition, concurrency, connections } as const
      return { ...parts, lane: make.hookLane(parts, { retry, tally: tallyAfter(before) }) }
    })
  })
}

function planSinks(options: DeliveryOptions, present: Outlets, make: LaneMaker): readonly SinkOutlet[] {
  const { retry = DEFAULT_RETRY_POLICY } = options
  return options.sinks.map((definition) => {
    const before = present.get(sinkQueue(definition.name))
    // The content of its files counts: a certificate may have been renewed under the same name.
    const tls = sinkTls(definition, options.tls)
    if (before?.kind === 'sink' && isSameTls(before.tls, tls) && isSameSink(before.definition, definition))
      return before
    const parts = { kind: 'sink', definition, tls, connections: make.sink(definition, tls) } as const
    return { ...parts, lane: make.sinkLane(parts, { retry, tally: tallyAfter(before) }) }
  })
}

function tallyAfter(before: Outlet | undefined) {
  return before?.lane.tally ?? { successes: 0, failures: 0 }
}
