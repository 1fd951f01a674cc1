/**
 * What an alert sink is told: the body of an outbox message, as JSON. Types only; alerts write it, sinks read it.
 */
import type { Severity } from '../alerts/severity.ts'

export interface AlertNotification {
  readonly kind: 'alert' | 'test'
  readonly reason: 'new' | 'changed' | 'repeat' | 'resolved'
  readonly sentAtMs: number
  /** What the alerts have in common, for people. */
  readonly group: string
  /** At most 100, the worst first. */
  readonly alerts: readonly NotifiedAlert[]
  /** How many there are. */
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
  readonly report?: NotifiedReport
}

/** The report that raised the alert last. */
export interface NotifiedReport {
  readonly login: string
  readonly remote: string
  /** Unix seconds. */
  readonly t: number
}

export type JsonValue =
  null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue }
