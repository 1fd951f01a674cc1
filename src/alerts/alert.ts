/**
 * What an alert is, and what a run wants done to alerts. Types and limits; used on every thread. Times are Unix
 * milliseconds and come from the run that raised the alert, so a run that is repeated after a crash says the same.
 */
import type { Severity } from './severity.ts'

export type AlertState = 'open' | 'acknowledged' | 'resolved'

export const ALERT_STATES = ['open', 'acknowledged', 'resolved'] as const satisfies readonly AlertState[]

/** What an alert keeps of the report whose run raised it. */
export interface AlertReport {
  /** The report's number in the journal. */
  readonly id: number
  readonly login: string
  readonly remote: string
  /** Unix seconds, as the report said. */
  readonly t: number
}

/** Who did something to an alert, when, and what they wrote. */
export interface AlertNote {
  readonly author: string
  readonly comment: string
  readonly atMs: number
}

/** What whoever raises an alert says of it, and the alert then has. */
interface AlertContent {
  readonly rule: string
  readonly key: string
  /** Of an alert the worst that it ever had. */
  readonly severity: Severity
  /** Of an alert that of the last time that it was raised, as are value, threshold and data. */
  readonly message: string
  readonly value?: number
  readonly threshold?: number
  /** JSON text. */
  readonly data?: string
  /** Login that it is about; empty when it is about none. */
  readonly user: string
  /** It is resolved when it was not raised for so long. */
  readonly resolveAfterMs: number
}

export interface Alert extends AlertContent {
  /** Grows with every new alert, never used twice. */
  readonly id: number
  /** How often it was raised. */
  readonly count: number
  readonly state: AlertState
  readonly firstAtMs: number
  readonly lastAtMs: number
  /** When its severity or its state last became another. */
  readonly changedAtMs: number
  readonly firstReport?: AlertReport
  readonly lastReport?: AlertReport
  readonly acknowledged?: AlertNote
  readonly resolved?: AlertNote
  /** Oldest first, at most MAX_COMMENTS. */
  readonly comments: readonly AlertNote[]
  /** Grows with every change that routing must look at. */
  readonly revision: number
}

/** What a run asks for; takes place when the run has ended well, in one transaction with the rest of it. */
export type AlertEffect = RaiseEffect | ResolveEffect

export interface RaiseEffect extends AlertContent {
  readonly kind: 'raise'
  readonly atMs: number
  /** It counts so often; once where it is left out. */
  readonly times?: number
  /** Raised again within this time, it is the same alert. */
  readonly dedupMs: number
  /** Of the report whose run this is; its number is known where the outcome is stored. */
  readonly report?: Omit<AlertReport, 'id'>
  /** What the run knew; kept beside the alert, for explaining it. A RaiseGrounds as JSON text. */
  readonly grounds?: string
}

export interface ResolveEffect {
  readonly kind: 'resolve'
  readonly rule: string
  readonly key: string
  readonly atMs: number
}

/** What an operator does to one alert. */
export interface AlertAction {
  readonly kind: 'acknowledge' | 'resolve' | 'comment'
  readonly id: number
  readonly author: string
  readonly comment: string
  readonly atMs: number
}

/** UTF-8 bytes, but for effects and comments, which are counted. */
export const ALERT_LIMITS = {
  ruleBytes: 128,
  keyBytes: 1024,
  messageBytes: 4096,
  dataBytes: 16 * 1024,
  userBytes: 4096,
  authorBytes: 128,
  commentBytes: 2048,
  comments: 100,
  effectsPerRun: 1000,
} as const

export const DEFAULT_DEDUP_MS = 3_600_000
export const DEFAULT_RESOLVE_AFTER_MS = 86_400_000
