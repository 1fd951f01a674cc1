/**
 * The notification of a test: an alert that says so wherever it is shown. Pure.
 */
import type { AlertNotification, NotifiedAlert } from '../alert-notification.ts'
import type { SinkMessage } from './sink-port.ts'

/** @param nowMs - Unix milliseconds */
export function testMessage(sink: string, deliveryId: string, nowMs: number): SinkMessage {
  const alert: NotifiedAlert = {
    id: 0,
    rule: 'server.test',
    severity: 'info',
    key: sink,
    message: 'This is a test of an alert sink; nothing has happened.',
    count: 1,
    state: 'open',
    user: '',
    firstAtMs: nowMs,
    lastAtMs: nowMs,
  }
  const notification: AlertNotification = {
    kind: 'test',
    reason: 'new',
    sentAtMs: nowMs,
    group: 'test',
    alerts: [alert],
    total: 1,
  }
  return { deliveryId, body: JSON.stringify(notification), notification, alert }
}
