/**
 * What Lua code, the console and HTTP clients ask about alerts, and the answers. Types only.
 */
import type { AlertQuery, NotificationRecord } from '../store/alert-store.ts'
import type { KeptEvidence } from './alert-evidence.ts'
import type { Alert, AlertAction } from './alert.ts'
import type { NewSilence, Silence } from './silence.ts'

export type AlertQuestion =
  | { readonly kind: 'list'; readonly query: AlertQuery }
  | { readonly kind: 'get'; readonly id: number }
  | { readonly kind: 'explain'; readonly id: number }
  | { readonly kind: 'act'; readonly action: AlertAction }
  | { readonly kind: 'silences' }
  | { readonly kind: 'add-silence'; readonly silence: NewSilence }
  | { readonly kind: 'remove-silence'; readonly id: string }

/** An alert with what silences it now. */
export interface ListedAlert extends Alert {
  readonly silence?: string
}

/** A silence, or a maintenance window that is as one while it lasts. */
export interface ListedSilence extends Omit<Silence, 'fromMs' | 'untilMs'> {
  readonly isActive: boolean
  /** Of a maintenance window that is not open, when it will be; undefined when it never is. */
  readonly fromMs?: number
  readonly untilMs?: number
}

export type AlertReply =
  | { readonly kind: 'alerts'; readonly alerts: readonly ListedAlert[] }
  | {
      readonly kind: 'alert'
      readonly alert: ListedAlert
      /** Newest first. */
      readonly notifications: readonly NotificationRecord[]
    }
  | { readonly kind: 'explanation'; readonly alert: ListedAlert; readonly evidence: KeptEvidence }
  | { readonly kind: 'no-alert' }
  | { readonly kind: 'silences'; readonly silences: readonly ListedSilence[] }
  | { readonly kind: 'silence-added'; readonly id: string }
  | { readonly kind: 'done'; readonly found: boolean }
  /** It cannot be done, and why. */
  | { readonly kind: 'refused'; readonly reason: string }

export type AskAlerts = (question: AlertQuestion) => Promise<AlertReply>
