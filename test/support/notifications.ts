/** Notifications of alerts, as an outbox holds them. */
import type { AlertNotification, NotifiedAlert } from '../../src/delivery/alert-notification.ts'

export const ALERT: NotifiedAlert = {
  id: 7,
  rule: 'impossible-travel',
  severity: 'high',
  key: 'ann',
  message: 'from GB to BR in 10 minutes',
  value: 900.5,
  threshold: 500,
  count: 3,
  state: 'open',
  user: 'ann',
  firstAtMs: Date.UTC(2025, 10, 2, 3, 4, 5, 678),
  lastAtMs: Date.UTC(2025, 10, 2, 3, 14, 5),
  data: { mail: 'ann@users.example', km: 9000 },
  report: { login: 'ann', remote: '192.0.2.7', t: 1_762_053_245 },
}

export function notification(
  alerts: readonly Partial<NotifiedAlert>[] = [{}],
  more: Partial<AlertNotification> = {},
): AlertNotification {
  return {
    kind: 'alert',
    reason: 'new',
    sentAtMs: ALERT.lastAtMs,
    group: 'rule=impossible-travel',
    alerts: alerts.map((alert) => ({ ...ALERT, ...alert })),
    total: alerts.length,
    ...more,
  }
}

export function notificationBody(...parts: Parameters<typeof notification>): string {
  return JSON.stringify(notification(...parts))
}
