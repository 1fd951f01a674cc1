/**
 * What a sink is told: the body of an outbox message whose receiver is `sink:NAME`, as JSON. Types only; made by
 * src/alerts on the main thread, read by the senders.
 */
import type { Severity } from '../alerts/severity.ts'

export type JsonValue =
  string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue }

export interface AlertNotification {
  readonly kind: 'alert' | 'test'
  readonly reason: 'new' | 'changed' | 'repeat' | 'resolved'
  readonly sentAtMs: number
  /** What the alerts have in common: `rule=spray`. */
  readonly group: string
  /** At most 100. */
  readonly alerts: readonly NotifiedAlert[]
  /** How many alerts it is about, also those that are not listed. */
  readonly total: number
}

export interface NotifiedAlert {
  readonly id: number
  readonly rule: string
  readonly severity: Severity
  readonly key: string
  readonly message: string
  readonly value?: number
  readonly threshold?: number
  readonly count: number
  readonly state: 'open' | 'acknowledged' | 'resolved'
  readonly user: string
  readonly firstAtMs: number
  readonly lastAtMs: number
  readonly data?: JsonValue
  readonly report?: { readonly login: string; readonly remote: string; readonly t: number }
}
