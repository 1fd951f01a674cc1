/**
 * What delivery is made from: its surroundings and the part of the configuration that concerns it. Types only.
 */
import type { TlsClientSettings } from '../outgoing/tls-client-options.ts'
import type { Log } from '../telemetry/log.ts'
import type { TryRecord } from './lane.ts'
import type { DeadReason, Outbox } from './outbox.ts'
import type { RetryPolicy } from './retry.ts'
import type { SinkDefinition, SinkType } from './sinks/alert-sink.ts'
import type { MailTimes } from './sinks/email/mail-throttle.ts'
import type { CallSinkFunction } from './sinks/sink-function.ts'
import type { WebHookDefinition } from './web-hook.ts'

/** Why a message will not arrive: a closed set, which labels a metric. */
export type DropReason = DeadReason | 'queue-full' | 'stopped'

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
  /** Whom it goes to, without secrets. */
  readonly to: string
}

export interface DeliveryDeps {
  readonly outbox: Outbox
  /** Unix milliseconds. */
  readonly now: () => number
  /** A number in [0, 1), for the jitter. */
  readonly random: () => number
  readonly log: Log
  readonly metrics: DeliveryMetrics
  readonly mailTimes: MailTimes
  /** The Lua functions of alert sinks. */
  readonly callFunction: CallSinkFunction
  /** Messages for a webhook or sink are given up. Must not throw. */
  readonly onGivenUp?: (receiver: string, reason: string) => void
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
