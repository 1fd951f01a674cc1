/**
 * What every kind of alert sink is to the rest: a definition, made from its keys, and a sink that takes notifications.
 * Types only.
 */
import type { AlertNotification, NotifiedAlert } from '../alert-notification.ts'
import type { Attempt, Batching } from '../sender.ts'
import type { MadeTexts } from './sink-function.ts'

/** What every definition has. */
export interface SinkBasics {
  /** Name given to addAlertSink. */
  readonly name: string
  /** Where it goes, for logs and lists; without secrets. */
  readonly place: string
  /** One try. */
  readonly timeoutMs: number
}

/** One message of the outbox, read. */
export interface SinkMessage {
  readonly deliveryId: string
  /** The notification as JSON. */
  readonly body: string
  readonly notification: AlertNotification
  /** The first alert; a notification has at least one. */
  readonly alert: NotifiedAlert
  /** What the sink's Lua function made of it; undefined when it was not called. */
  readonly made?: MadeTexts
}

export type SinkMessages = readonly [SinkMessage, ...SinkMessage[]]

/** How a sink uses its Lua function. */
export interface SinkFunction {
  /** What it is called with for a message: each member is the JSON array of the arguments of one call. */
  readonly callsFor: (message: SinkMessage) => readonly string[]
  /** Without an answer of it the message waits for another try; otherwise it goes its ordinary way. */
  readonly isNeeded: boolean
}

export interface Sink {
  readonly batching?: Batching
  /** Not together with batching. */
  readonly luaFunction?: SinkFunction
  /** Tries at once. */
  readonly concurrency: number
  /** Never rejects, and ends within the sink's time limit. */
  notify(messages: SinkMessages): Promise<Attempt>
  /** Ends the tries under way. */
  close(): Promise<void>
}
