/**
 * Notifications as the subject and the body of one mail, plain and HTML. Pure. Whatever comes from outside is one line in
 * the subject and escaped in the HTML.
 */
import type { AlertNotification, NotifiedAlert } from '../../alert-notification.ts'
import { expandTemplate } from '../alert-macros.ts'
import { cutBytes, oneLine } from '../clean-text.ts'
import type { SinkMessages } from '../sink-port.ts'
import type { EmailSink } from './email-sink.ts'

export interface MailText {
  readonly subject: string
  readonly text: string
  readonly html: string
}

type Templates = Pick<EmailSink, 'subject' | 'text'>

/** An alert with the notification that told of it last. */
interface Told {
  readonly notification: AlertNotification
  readonly alert: NotifiedAlert
}

const MAX_SUBJECT_BYTES = 200
/** A mail for people; how many there are beyond is said. */
const MAX_SHOWN = 200
const MAX_DATA_BYTES = 2000

export function mailText(templates: Templates, messages: SinkMessages): MailText {
  const told = toldAlerts(messages)
  const [first] = messages
  const total = Math.max(
    told.length,
    messages.reduce(
      (sum, { notification }) => sum + notification.total - notification.alerts.length,
      told.length,
    ),
  )
  const subject =
    templates.subject === undefined
      ? subjectOf(told, total, first.notification)
      : fill(templates.subject, first, oneLine)
  if (templates.text !== undefined) {
    const text = fill(templates.text, first, oneLine)
    return { subject: cutSubject(subject), text: `${text}\n`, html: `<pre>${escapeHtml(text)}</pre>\n` }
  }
  const shown = told.slice(0, MAX_SHOWN)
  const rest = total > shown.length ? `and ${total - shown.length} more` : ''
  return { subject: cutSubject(subject), text: plainText(shown, rest), html: htmlText(shown, rest) }
}

function fill(template: string, { notification, alert }: Told, escape: (value: string) => string): string {
  return expandTemplate(template, notification, alert, escape)
}

/** Each alert once, as it was told last, the worst first as they came. */
function toldAlerts(messages: SinkMessages): readonly Told[] {
  const byId = new Map<number, Told>()
  for (const { notification } of messages)
    for (const alert of notification.alerts) byId.set(alert.id, { notification, alert })
  return [...byId.values()]
}

function subjectOf(told: readonly Told[], total: number, { kind, reason }: AlertNotification): string {
  const prefix = kind === 'test' ? '[trackalert] TEST' : '[trackalert]'
  const [only] = told
  if (only === undefined) return prefix
  if (told.length === 1 && total === 1) {
    const { alert } = only
    const resolved = reason === 'resolved' ? 'resolved: ' : ''
    return `${prefix} ${resolved}${alert.severity} ${alert.rule} (${alert.key}): ${alert.message}${times(alert)}`
  }
  const rules = [...new Set(told.map(({ alert }) => alert.rule))].join(', ')
  return `${prefix} ${worst(told)}: ${total} alerts: ${rules}`
}

function cutSubject(subject: string): string {
  return cutBytes(oneLine(subject), MAX_SUBJECT_BYTES)
}

const ORDER = ['critical', 'high', 'medium', 'low', 'info'] as const

function worst(told: readonly Told[]): string {
  return ORDER.find((severity) => told.some(({ alert }) => alert.severity === severity)) ?? 'info'
}

function times({ count }: NotifiedAlert): string {
  return count > 1 ? ` (${count} times)` : ''
}

/** The lines below an alert's message: name and value. */
function details({ notification, alert }: Told): readonly (readonly [name: string, value: string])[] {
  const { value, threshold, report, data } = alert
  const lines: readonly (readonly [string, string | undefined])[] = [
    ['state', notification.reason === 'resolved' ? 'resolved' : alert.state],
    ['user', alert.user],
    ['value', value === undefined ? undefined : String(value)],
    ['threshold', threshold === undefined ? undefined : String(threshold)],
    ['count', String(alert.count)],
    ['first', timeText(alert.firstAtMs)],
    ['last', timeText(alert.lastAtMs)],
    ['login', report === undefined ? undefined : `${report.login} from ${report.remote}`],
    ['data', data === undefined ? undefined : cutBytes(JSON.stringify(data), MAX_DATA_BYTES)],
    ['alert', String(alert.id)],
  ]
  return lines.flatMap(([name, text]) =>
    text === undefined || text === '' ? [] : [[name, oneLine(text)] as const],
  )
}

function timeText(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`
}

function headline({ notification, alert }: Told): string {
  const state = notification.reason === 'resolved' ? 'RESOLVED ' : ''
  return oneLine(`${state}${alert.severity.toUpperCase()} ${alert.rule} (${alert.key})`)
}

function plainText(told: readonly Told[], rest: string): string {
  const blocks = told.map((one) => {
    const lines = details(one).map(([name, value]) => `  ${`${name}:`.padEnd(11)}${value}`)
    return [headline(one), `  ${oneLine(one.alert.message)}`, ...lines].join('\n')
  })
  return `${[...testNote(told), ...blocks, ...(rest === '' ? [] : [rest])].join('\n\n')}\n`
}

function testNote(told: readonly Told[]): readonly string[] {
  return told.some(({ notification }) => notification.kind === 'test') ? ['This is a test.'] : []
}

function htmlText(told: readonly Told[], rest: string): string {
  const blocks = told.map((one) => {
    const rows = details(one).map(
      ([name, value]) => `<tr><td>${escapeHtml(name)}</td><td>${escapeHtml(value)}</td></tr>`,
    )
    return `<h3>${escapeHtml(headline(one))}</h3>\n<p>${escapeHtml(oneLine(one.alert.message))}</p>\n<table>${rows.join('')}</table>`
  })
  const notes = [...testNote(told), ...(rest === '' ? [] : [rest])].map(
    (note) => `<p>${escapeHtml(note)}</p>`,
  )
  return `<!DOCTYPE html>\n<html><body>\n${[...blocks, ...notes].join('\n')}\n</body></html>\n`
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
}
