/**
 * What is kept of the run that raised an alert, so that it can be explained later: the report, what the policy had read
 * from trends until then, and the numbers that it compared. Of the first and of the latest raise. Pure; used on every
 * thread. All of it is bounded when it is collected, and a login's is erased with the login.
 */
import type { JsonValue } from '../delivery/alert-notification.ts'
import type { RaiseEffect } from './alert.ts'
import type { Severity } from './severity.ts'

/** What a run knows when it raises an alert; goes with the effect, as text. */
export interface RaiseGrounds {
  readonly report?: EvidenceReport
  /** Of the rule, as raiseAlert was given them: JSON text. */
  readonly parameters?: string
  /** In the order in which the run made them, at most EVIDENCE_LIMITS.reads of the last. */
  readonly reads: readonly TrendRead[]
  /** Earlier ones that are not among them. */
  readonly earlierReads: number
}

/** Of a report only what helps to understand an alert; no hash of a password. */
export interface EvidenceReport {
  readonly login: string
  readonly remote: string
  /** Unix seconds, as the report said. */
  readonly t: number
  readonly success: boolean
  readonly failType: string
  readonly protocol: string
  readonly tls: boolean
  readonly deviceId: string
  readonly deviceAttrs: Readonly<Record<string, string>>
}

/** One question to a trend database, and what it answered. */
export interface TrendRead {
  /** The function: twGet, twSeen, … */
  readonly call: string
  readonly database: string
  readonly key: string
  readonly field: string
  /** What was asked about: an item, or the number of twScore. */
  readonly item?: string
  /** null: nothing was known. Long texts end in an ellipsis. */
  readonly answer: JsonValue
  /** How many entries the answer had, where only the first of them are kept. */
  readonly entries?: number
}

/** One raise, as the store keeps it. */
export interface AlertEvidence extends RaiseGrounds {
  /** Unix milliseconds. */
  readonly atMs: number
  readonly severity: Severity
  readonly message: string
  readonly value?: number
  readonly threshold?: number
  /** The report's number in the journal. */
  readonly reportId?: number
}

/** What the store has of an alert; nothing of one that was raised by an older version or by the server itself. */
export interface KeptEvidence {
  readonly first?: AlertEvidence
  /** Only of an alert that was raised again. */
  readonly latest?: AlertEvidence
}

export const EVIDENCE_LIMITS = {
  reads: 64,
  /** UTF-8 bytes of all reads, as JSON. */
  readsBytes: 12 * 1024,
  parametersBytes: 4 * 1024,
  /** Characters of one text. */
  textLength: 256,
  /** Entries of one answer, and attributes of a device. */
  entries: 8,
  attributes: 16,
  /** Of one run; further alerts of it keep no reads. */
  raisesWithReads: 64,
} as const

/**
 * An AlertEvidence as JSON text. As text it was made once, in the run: an attack raises an alert with every try, and to take the
 * questions apart on every thread that they pass would cost more than the rest of the raise.
 */
export function evidenceText(raise: RaiseEffect, reportId: number | undefined): string | undefined {
  const { grounds, atMs, severity, message, value, threshold } = raise
  if (grounds === undefined) return undefined
  const own = JSON.stringify({ atMs, severity, message, value, threshold, reportId })
  return `${own.slice(0, -1)},${grounds.slice(1)}`
}

/** @param reads - the array of a RaiseGrounds as JSON text */
export function groundsText(rest: Omit<RaiseGrounds, 'reads'>, reads: string): string {
  return `${JSON.stringify(rest).slice(0, -1)},"reads":${reads}}`
}

/** A text as evidence keeps it. */
export function cutText(text: string): string {
  const { textLength } = EVIDENCE_LIMITS
  return text.length <= textLength ? text : `${text.slice(0, textLength)}${ELLIPSIS}`
}

/** Whether it says something of a login: who forgets the login erases it. */
export function evidenceNames({ report, reads }: AlertEvidence, login: string): boolean {
  return (
    (report !== undefined && isText(report.login, login)) ||
    reads.some(
      ({ key, item, answer }) =>
        isText(key, login) || (item !== undefined && isText(item, login)) || answerNames(answer, login),
    )
  )
}

function answerNames(answer: JsonValue, login: string): boolean {
  if (typeof answer === 'string') return isText(answer, login)
  if (typeof answer !== 'object' || answer === null) return false
  return Object.entries(answer).some(([name, value]) => isText(name, login) || answerNames(value, login))
}

/** A cut text may be any that begins so. */
function isText(kept: string, text: string): boolean {
  const isCut = kept.length === EVIDENCE_LIMITS.textLength + 1 && kept.endsWith(ELLIPSIS)
  return isCut ? text.startsWith(kept.slice(0, -1)) : kept === text
}

const ELLIPSIS = '…'
