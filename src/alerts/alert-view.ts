/**
 * Alerts and what was told of them as Lua and HTTP clients see them: times in Unix seconds, what is not there undefined.
 * Pure.
 */
import type { JsonValue } from '../delivery/alert-notification.ts'
import type { NotificationRecord } from '../store/alert-store.ts'
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

function viewReport(report: AlertReport | undefined): JsonValue | undefined {
  return report === undefined
    ? undefined
    : { id: report.id, login: report.login, remote: report.remote, t: report.t }
}

function viewNote(note: AlertNote | undefined): JsonValue | undefined {
  return note === undefined ? undefined : { author: note.author, comment: note.comment, at: note.atMs / 1000 }
}
