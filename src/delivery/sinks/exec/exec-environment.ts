/**
 * What a script finds in its environment. Pure. Nothing of the server's own environment is in it: that may hold secrets.
 */
import type { SinkMessage } from '../sink-port.ts'

/** Linux takes 128 KiB for one variable; a message is far shorter, and this stays far below. */
const MAX_VALUE_LENGTH = 8 * 1024

export function execEnvironment(
  sink: string,
  { deliveryId, notification, alert }: SinkMessage,
): Readonly<Record<string, string>> {
  const values: Readonly<Record<string, string | number | undefined>> = {
    SINK: sink,
    DELIVERY: deliveryId,
    KIND: notification.kind,
    REASON: notification.reason,
    GROUP: notification.group,
    TOTAL: notification.total,
    ID: alert.id,
    RULE: alert.rule,
    SEVERITY: alert.severity,
    KEY: alert.key,
    MESSAGE: alert.message,
    VALUE: alert.value,
    THRESHOLD: alert.threshold,
    COUNT: alert.count,
    STATE: alert.state,
    USER: alert.user,
    FIRST: Math.floor(alert.firstAtMs / 1000),
    LAST: Math.floor(alert.lastAtMs / 1000),
    LOGIN: alert.report?.login,
    REMOTE: alert.report?.remote,
  }
  const environment: Record<string, string> = { PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8' }
  for (const [name, value] of Object.entries(values))
    environment[`TRACKALERT_${name}`] = environmentText(value === undefined ? '' : String(value))
  return environment
}

/** A NUL ends a variable, and would make the whole start fail. */
function environmentText(text: string): string {
  return text.toWellFormed().replaceAll('\0', '').slice(0, MAX_VALUE_LENGTH).toWellFormed()
}
