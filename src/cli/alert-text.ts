/**
 * Alerts as text: a table for people, a line for scripts, and all about one. Pure. What a login or a policy chose never
 * breaks a line or drives a terminal.
 */
import { plainText, textTable, type Column } from '../console/text-table.ts'
import type { ShownAlert, ShownNote, ShownNotification } from './shown-alert.ts'

const COLUMNS: readonly Column[] = [
  { title: 'ID', width: 7 },
  { title: 'Last', width: 20 },
  { title: 'Severity', width: 8 },
  { title: 'State', width: 12 },
  { title: 'Count', width: 7 },
  { title: 'Rule', width: 20 },
  { title: 'Key', width: 24 },
  { title: 'Message', width: 0 },
]

/** A header and a line for each. */
export function alertTable(alerts: readonly ShownAlert[]): string {
  return textTable(COLUMNS, alerts.map(cells))
}

/** Lines without the header, for what is added to a table. */
export function alertRows(alerts: readonly ShownAlert[]): string {
  return alertTable(alerts).split('\n').slice(1).join('\n')
}

function cells(alert: ShownAlert): readonly string[] {
  const { id, last, severity, state, count, rule, key, message } = alert
  return [String(id), timeText(last), severity, state, String(count), rule, key, message]
}

/**
 * `MM/DD/YY HH:MM:SS.usec ALERTDEF SEVERITY "MESSAGE" ID=id TYPE=type state=STATE user=USER v1=COUNT v2=THRESHOLD`, in the
 * local zone, with its line end. What is not there is `-`.
 */
export function alertLine(alert: ShownAlert): string {
  const { id, last, rule, severity, message, state, user, threshold } = alert
  const type = rule.startsWith('server.') ? 'server' : 'policy'
  const v1 = alert.value ?? alert.count
  return (
    `${lineTime(last)} ${word(rule)} ${severity} ${quoted(message)} ID=${id} TYPE=${type} state=${state} ` +
    `user=${word(user)} v1=${v1} v2=${threshold ?? '-'}\n`
  )
}

function lineTime(seconds: number): string {
  const micros = Math.round(seconds * 1e6)
  const at = new Date(Math.floor(micros / 1000))
  const two = (number: number): string => String(number % 100).padStart(2, '0')
  const date = [at.getMonth() + 1, at.getDate(), at.getFullYear()].map(two).join('/')
  const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(':')
  return `${date} ${time}.${String(micros % 1_000_000).padStart(6, '0')}`
}

/** As it is where that leaves no doubt where it ends, in quotes otherwise. */
function word(text: string): string {
  if (text === '') return '-'
  return text !== '-' && PLAIN_WORD.test(text) ? text : quoted(text)
}

const PLAIN_WORD = /^[^\s"\\=\p{C}]+$/u
const ESCAPED = /["\\\p{Cc}\p{Cs}\u2028\u2029]/gu

/** Escaped as in JSON. */
function quoted(text: string): string {
  return `"${text.replace(ESCAPED, escaped)}"`
}

function escaped(character: string): string {
  if (character === '"' || character === '\\') return `\\${character}`
  if (character === '\n') return '\\n'
  if (character === '\r') return '\\r'
  return character === '\t' ? '\\t' : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** Everything about one alert, with what was told of it, to whom, and what was answered. */
export function alertDetails(alert: ShownAlert): string {
  const facts: readonly (readonly [name: string, value: string | undefined])[] = [
    ['Alert', String(alert.id)],
    ['Rule', alert.rule],
    ['Key', alert.key],
    ['Severity', alert.severity],
    ['State', alert.state],
    ['Message', alert.message],
    ['Value', alert.value?.toString()],
    ['Threshold', alert.threshold?.toString()],
    ['User', alert.user],
    ['Count', String(alert.count)],
    ['First', timeText(alert.first)],
    ['Last', timeText(alert.last)],
    ['Silenced by', alert.silence],
    ['Acknowledged', noteText(alert.acknowledged)],
    ['Resolved', noteText(alert.resolved)],
    ...alert.comments.map((note) => ['Comment', noteText(note)] as const),
  ]
  const lines = facts
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([name, value]) => `${name.padEnd(13)} ${plainText(value ?? '')}\n`)
  return `${lines.join('')}\n${notificationText(alert.notifications)}`
}

function noteText(note: ShownNote | undefined): string | undefined {
  if (note === undefined) return undefined
  return `${timeText(note.at)} by ${note.author}${note.comment === '' ? '' : `: ${note.comment}`}`
}

const HISTORY_COLUMNS: readonly Column[] = [
  { title: 'Told', width: 20 },
  { title: 'Why', width: 8 },
  { title: 'Alerts', width: 6 },
  { title: 'Sink', width: 16 },
  { title: 'State', width: 9 },
  { title: 'Tries', width: 5 },
  { title: 'Known', width: 20 },
  { title: 'To', width: 32 },
  { title: 'Answer', width: 0 },
]

function notificationText(notifications: readonly ShownNotification[]): string {
  if (notifications.length === 0) return 'Nobody was told.\n'
  return textTable(
    HISTORY_COLUMNS,
    notifications.flatMap(({ at, reason, total, deliveries }) =>
      deliveries.map(({ sink, state, tries, at: knownAt, to, answer }) => [
        timeText(at),
        reason,
        String(total),
        sink,
        state,
        String(tries),
        timeText(knownAt),
        to,
        answer,
      ]),
    ),
  )
}

/** Universal time, to the second. */
function timeText(seconds: number): string {
  return new Date(Math.floor(seconds) * 1000).toISOString().replace('.000', '')
}
