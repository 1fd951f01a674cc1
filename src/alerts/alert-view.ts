/**
 * Alerts and what was told of them as Lua and HTTP clients see them: times in Unix seconds, what is not there undefined.
 * Pure.
 */
import type { JsonValue } from '../delivery/alert-notification.ts'
import type { NotificationRecord } from '../store/alert-store.ts'
import type { AlertEvidence, KeptEvidence } from './alert-evidence.ts'
import type { ListedAlert } from './alert-questions.ts'
import type { AlertNote, AlertReport } from './alert.ts'
import { parseData } from './compose-notification.ts'

export type View = Readonly<Record<string, JsonValue | undefined>>

export function viewAlert(alert: ListedAlert): View {
  const { id, rule, key, severity, message, value, threshold, user, count, state, silence } = alert
  return {
    id,
    rule,
    key,
    severity,
    message,
    value,
    threshold,
    data: alert.data === undefined ? undefined : parseData(alert.data),
    user,
    count,
    state,
    silence,
    first: alert.firstAtMs / 1000,
    last: alert.lastAtMs / 1000,
    first_report: viewReport(alert.firstReport),
    last_report: viewReport(alert.lastReport),
    acknowledged: viewNote(alert.acknowledged),
    resolved: viewNote(alert.resolved),
    comments: alert.comments.flatMap((note) => viewNote(note) ?? []),
  }
}

export function viewNotification(record: NotificationRecord): { readonly [key: string]: JsonValue } {
  const { atMs, group, reason, total, deliveries } = record
  return {
    at: atMs / 1000,
    group,
    reason,
    total,
    deliveries: deliveries.map(({ sink, deliveryId, state, tries, to, answer, atMs: knownAtMs }) => ({
      sink,
      delivery: deliveryId,
      state,
      tries,
      to,
      answer,
      at: knownAtMs / 1000,
    })),
  }
}

/** What is kept for explaining an alert. */
export function viewEvidence({ first, latest }: KeptEvidence): View {
  return { first: viewRaise(first), latest: viewRaise(latest) }
}

function viewRaise(evidence: AlertEvidence | undefined): JsonValue | undefined {
  if (evidence === undefined) return undefined
  const { atMs, severity, message, value, threshold, parameters, reads, earlierReads } = evidence
  return defined({
    at: atMs / 1000,
    severity,
    message,
    value,
    threshold,
    report: viewEvidenceReport(evidence),
    parameters: parameters === undefined ? undefined : parseData(parameters),
    reads: reads.map(({ call, database, key, field, item, answer, entries }) =>
      defined({ call, database, key, field, item, answer, entries }),
    ),
    earlier_reads: earlierReads,
  })
}

function viewEvidenceReport({ report, reportId }: AlertEvidence): JsonValue | undefined {
  if (report === undefined) return undefined
  const { login, remote, t, success, failType, protocol, tls, deviceId, deviceAttrs } = report
  return defined({
    id: reportId,
    login,
    remote,
    t,
    success,
    fail_type: failType,
    protocol,
    tls,
    device_id: deviceId,
    device_attrs: deviceAttrs,
  })
}

/** Without the members that are not there. */
function defined(members: View): { readonly [key: string]: JsonValue } {
  const kept: Record<string, JsonValue> = {}
  for (const [name, value] of Object.entries(members)) if (value !== undefined) kept[name] = value
  return kept
}

function viewReport(report: AlertReport | undefined): JsonValue | undefined {
  return report === undefined
    ? undefined
    : { id: report.id, login: report.login, remote: report.remote, t: report.t }
}

function viewNote(note: AlertNote | undefined): JsonValue | undefined {
  return note === undefined ? undefined : { author: note.author, comment: note.comment, at: note.atMs / 1000 }
}
