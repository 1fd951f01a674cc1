/**
 * What happens to an alert: raised, raised again, acknowledged, commented, resolved. Pure; the stores apply it, so that
 * every adapter keeps the same alerts. A change that routing need not look at leaves the revision as it is.
 */
import {
  ALERT_LIMITS,
  type Alert,
  type AlertAction,
  type AlertNote,
  type AlertReport,
  type RaiseEffect,
} from './alert.ts'
import { worseOf } from './severity.ts'

/** Stands as the author of what the server itself does. */
const SERVER = 'trackalert'

export function newAlert(id: number, raise: RaiseEffect, reportId: number | undefined): Alert {
  const report = reportOf(raise, reportId)
  return {
    id,
    rule: raise.rule,
    key: raise.key,
    severity: raise.severity,
    message: raise.message,
    ...latest(raise),
    user: raise.user,
    count: raise.times ?? 1,
    state: 'open',
    firstAtMs: raise.atMs,
    lastAtMs: raise.atMs,
    changedAtMs: raise.atMs,
    resolveAfterMs: raise.resolveAfterMs,
    ...(report === undefined ? {} : { firstReport: report, lastReport: report }),
    comments: [],
    revision: 1,
  }
}

/** Whether an alert that is not resolved is the one that is raised here: its dedup interval has not passed. */
export function isRaisedAgain(alert: Alert, raise: RaiseEffect): boolean {
  return raise.atMs - alert.lastAtMs <= raise.dedupMs
}

/** One that becomes worse is open again, also if somebody had acknowledged what it was before. */
export function raisedAgain(alert: Alert, raise: RaiseEffect, reportId: number | undefined): Alert {
  const severity = worseOf(alert.severity, raise.severity)
  const isWorse = severity !== alert.severity
  const report = reportOf(raise, reportId)
  const { value: _value, threshold: _threshold, data: _data, ...kept } = alert
  return {
    ...kept,
    severity,
    message: raise.message,
    ...latest(raise),
    user: raise.user === '' ? alert.user : raise.user,
    count: alert.count + (raise.times ?? 1),
    lastAtMs: Math.max(alert.lastAtMs, raise.atMs),
    resolveAfterMs: raise.resolveAfterMs,
    ...(report === undefined ? {} : { lastReport: report, firstReport: alert.firstReport ?? report }),
    ...(isWorse ? { state: 'open', changedAtMs: raise.atMs, revision: alert.revision + 1 } : {}),
  }
}

/** What an operator does; undefined when there is nothing to do to an alert in this state. */
export function acted(alert: Alert, { kind, author, comment, atMs }: AlertAction): Alert | undefined {
  const note = { author, comment, atMs }
  switch (kind) {
    case 'comment':
      return { ...alert, comments: [...alert.comments, note].slice(-ALERT_LIMITS.comments) }
    case 'acknowledge':
      if (alert.state !== 'open') return undefined
      return { ...alert, state: 'acknowledged', acknowledged: note, ...changed(alert, atMs) }
    case 'resolve':
      return alert.state === 'resolved' ? undefined : resolvedBy(alert, note)
    default:
      return kind satisfies never
  }
}

/** Why the server itself resolves an alert. */
export type ResolveCause = 'policy' | 'quiet' | 'raised-anew' | 'too-many'

const CAUSES: Readonly<Record<ResolveCause, string>> = {
  policy: 'resolveAlert',
  quiet: 'not raised again in time',
  'raised-anew': 'raised anew after its dedup interval',
  'too-many': 'there are more open alerts than the store may hold',
}

export function resolvedFor(alert: Alert, cause: ResolveCause, atMs: number): Alert {
  return resolvedBy(alert, { author: SERVER, comment: CAUSES[cause], atMs })
}

/** When an open alert counts as quiet. */
export function quietAtMs(alert: Pick<Alert, 'lastAtMs' | 'resolveAfterMs'>): number {
  return alert.lastAtMs + alert.resolveAfterMs
}

/** Whether the alert says something of a person: forgetting the login erases it. */
export function namesLogin(alert: Alert, login: string): boolean {
  const { key, user, firstReport, lastReport } = alert
  return [key, user, firstReport?.login, lastReport?.login].includes(login)
}

function resolvedBy(alert: Alert, note: AlertNote): Alert {
  return { ...alert, state: 'resolved', resolved: note, ...changed(alert, note.atMs) }
}

function changed(alert: Alert, atMs: number): Pick<Alert, 'changedAtMs' | 'revision'> {
  return { changedAtMs: atMs, revision: alert.revision + 1 }
}

function latest({ value, threshold, data }: RaiseEffect): Pick<Alert, 'value' | 'threshold' | 'data'> {
  return {
    ...(value === undefined ? {} : { value }),
    ...(threshold === undefined ? {} : { threshold }),
    ...(data === undefined ? {} : { data }),
  }
}

function reportOf({ report }: RaiseEffect, id: number | undefined): AlertReport | undefined {
  return report === undefined || id === undefined ? undefined : { ...report, id }
}
