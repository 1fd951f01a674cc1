/**
 * From a planned notification to what is stored of it: one message in the outbox for each sink, a record for the history
 * of its alerts, and the state of its group. Main thread; pure but for the delivery ids.
 */
import type { AlertNotification, JsonValue, NotifiedAlert } from '../delivery/alert-notification.ts'
import { sinkQueue } from '../delivery/sinks/sink-queue.ts'
import { MAX_NOTIFIED_IDS, type NotificationCommit } from '../store/alert-store.ts'
import type { Alert } from './alert.ts'
import type { PlannedNotification } from './alert-group.ts'

/** Alerts whose content a notification carries; the others are in its count. */
const MAX_LISTED_ALERTS = 100

/** The alerts that a plan lists. */
export function listedIds({ alertIds }: PlannedNotification): readonly number[] {
  return alertIds.slice(0, MAX_LISTED_ALERTS)
}

/**
 * @param alerts those of `listedIds` that there still are; with none of them nothing is sent
 * @param newDeliveryId a UUID of its own for every message
 */
export function composeNotification(
  plan: PlannedNotification,
  alerts: readonly Alert[],
  newDeliveryId: () => string,
): Pick<NotificationCommit, 'messages' | 'notifications'> {
  const { label, reason, sentAtMs, sinks, alertIds } = plan
  if (alerts.length === 0 || sinks.length === 0) return { messages: [], notifications: [] }
  const total = alertIds.length - (listedIds(plan).length - alerts.length)
  const notification: AlertNotification = {
    kind: 'alert',
    reason,
    sentAtMs,
    group: label,
    alerts: alerts.map(notifiedAlert),
    total,
  }
  const body = JSON.stringify(notification)
  const messages = sinks.map((sink) => ({
    deliveryId: newDeliveryId(),
    receiver: sinkQueue(sink),
    body,
    createdAtMs: sentAtMs,
  }))
  const deliveries = messages.map(({ deliveryId }, index) => ({
    sink: sinks[index] ?? '',
    deliveryId,
    state: 'queued' as const,
    tries: 0,
    atMs: sentAtMs,
    to: '',
    answer: '',
  }))
  const record = { atMs: sentAtMs, group: label, reason, total, deliveries }
  return { messages, notifications: [{ ...record, alertIds: alertIds.slice(0, MAX_NOTIFIED_IDS) }] }
}

function notifiedAlert(alert: Alert): NotifiedAlert {
  const { value, threshold, data, lastReport } = alert
  return {
    id: alert.id,
    rule: alert.rule,
    severity: alert.severity,
    key: alert.key,
    message: alert.message,
    ...(value === undefined ? {} : { value }),
    ...(threshold === undefined ? {} : { threshold }),
    count: alert.count,
    state: alert.state,
    user: alert.user,
    firstAtMs: alert.firstAtMs,
    lastAtMs: alert.lastAtMs,
    ...(data === undefined ? {} : { data: parseData(data) }),
    ...(lastReport === undefined
      ? {}
      : { report: { login: lastReport.login, remote: lastReport.remote, t: lastReport.t } }),
  }
}

/** What raiseAlert was given as data. */
export function parseData(text: string): JsonValue {
  const parsed: unknown = JSON.parse(text)
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- JSON.parse gives nothing else
  return parsed as JsonValue
}
