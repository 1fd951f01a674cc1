/**
 * A webhook or alert sink with its lane and the connections that the lane goes through. Types only.
 */
import type { TlsClientOptions } from '../outgoing/tls-client-options.ts'
import type { Lane } from './lane.ts'
import type { Receiver } from './receiver.ts'
import type { SinkDefinition } from './sinks/alert-sink.ts'
import type { Sink } from './sinks/sink-port.ts'
import type { WebHookDefinition } from './web-hook.ts'

export interface HookOutlet {
  readonly kind: 'webhook'
  readonly definition: WebHookDefinition
  /** Tries at once. */
  readonly concurrency: number
  readonly lane: Lane
  /** Webhooks of one server share it. */
  readonly connections: Receiver
}

export interface SinkOutlet {
  readonly kind: 'sink'
  readonly definition: SinkDefinition
  readonly tls: TlsClientOptions
  readonly lane: Lane
  /** Its own. */
  readonly connections: Sink
}

export type Outlet = HookOutlet | SinkOutlet

/** By what the outbox calls the queue, in the order of the configuration within each kind. */
export type Outlets = ReadonlyMap<string, Outlet>
