/**
 * One alert as a syslog message, RFC 5424 or RFC 3164. Pure.
 *
 * Nothing from outside can begin a new message or a new field: control characters are gone, and structured data is
 * escaped. What does not fit is cut at the end of a character: the values of structured data first, then the text.
 */
import { Buffer } from 'node:buffer'
import type { Severity } from '../../../alerts/severity.ts'
import type { AlertNotification, NotifiedAlert } from '../../alert-notification.ts'
import { cutBytes, oneLine } from '../clean-text.ts'
import type { SyslogSink } from './syslog-sink.ts'

export interface SyslogOrigin {
  readonly hostname: string
  readonly pid: number
}

type MessageSink = Pick<SyslogSink, 'format' | 'facility' | 'tag' | 'enterprise' | 'maxBytes'>

/** RFC 5424, table 2. An alert is never an emergency (0) of the machine, nor its debugging (7). */
const SYSLOG_SEVERITY: Readonly<Record<Severity, number>> = {
  critical: 2,
  high: 3,
  medium: 4,
  low: 5,
  info: 6,
}

/** Of one value of structured data, so that the text has room too. */
const MAX_VALUE_SHARE = 1 / 16
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

export function syslogMessage(
  sink: MessageSink,
  origin: SyslogOrigin,
  notification: AlertNotification,
  alert: NotifiedAlert,
): Buffer {
  const priority = `<${sink.facility * 8 + SYSLOG_SEVERITY[alert.severity]}>`
  const head =
    sink.format === 'rfc3164'
      ? `${priority}${localTime(alert.lastAtMs)} ${origin.hostname} ${sink.tag}[${origin.pid}]: `
      : modernHead(sink, origin, notification, alert)
  const room = sink.maxBytes - Buffer.byteLength(head)
  return Buffer.from(head + cutBytes(alertText(notification, alert), Math.max(0, room)))
}

function modernHead(
  sink: MessageSink,
  { hostname, pid }: SyslogOrigin,
  notification: AlertNotification,
  alert: NotifiedAlert,
): string {
  const priority = `<${sink.facility * 8 + SYSLOG_SEVERITY[alert.severity]}>1`
  const time = new Date(alert.lastAtMs).toISOString()
  const data = structuredData(sink, notification, alert)
  return `${priority} ${time} ${hostname} ${sink.tag} ${pid} ${notification.kind} ${data} `
}

function structuredData(sink: MessageSink, notification: AlertNotification, alert: NotifiedAlert): string {
  const maxBytes = Math.floor(sink.maxBytes * MAX_VALUE_SHARE)
  const parameters: readonly (readonly [string, string | number | undefined])[] = [
    ['id', alert.id],
    ['rule', alert.rule],
    ['severity', alert.severity],
    ['state', alert.state],
    ['reason', notification.reason],
    ['count', alert.count],
    ['key', alert.key],
    ['user', alert.user],
    ['remote', alert.report?.remote],
    ['value', alert.value],
    ['threshold', alert.threshold],
  ]
  const shown = parameters
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([name, value]) => `${name}="${escapeValue(cutBytes(oneLine(String(value)), maxBytes))}"`)
  return `[alert@${sink.enterprise} ${shown.join(' ')}]`
}

/** RFC 5424, section 6.3.3: these three and no others. */
function escapeValue(value: string): string {
  return value.replace(/["\\\]]/g, '\\$&')
}

/** The text for people, which is all that RFC 3164 has. */
function alertText(notification: AlertNotification, alert: NotifiedAlert): string {
  const words = [
    notification.kind === 'test' ? 'TEST ' : '',
    notification.reason === 'resolved' ? 'resolved ' : '',
    `${alert.severity} alert ${alert.rule} (${alert.key}): ${alert.message}`,
    alert.count > 1 ? ` (${alert.count} times)` : '',
  ]
  return oneLine(words.join(''))
}

/** RFC 3164, section 4.1.2: local time without a year, the day padded with a blank. */
function localTime(atMs: number): string {
  const date = new Date(atMs)
  const two = (value: number): string => String(value).padStart(2, '0')
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')
  return `${MONTHS[date.getMonth()] ?? ''} ${String(date.getDate()).padStart(2)} ${time}`
}
