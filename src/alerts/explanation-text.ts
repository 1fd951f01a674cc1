/**
 * Why an alert was raised, as text for people: times in the local zone, units, sentences. Pure but for the zone. What a
 * login or a policy chose never breaks a line or drives a terminal.
 */
import { plainText } from '../console/text-table.ts'
import type { JsonValue } from '../delivery/alert-notification.ts'
import type { AlertEvidence, EvidenceReport, TrendRead } from './alert-evidence.ts'
import type { Alert } from './alert.ts'
import { parseData } from './compose-notification.ts'

/** As a server of another version may have it, too. */
export type ExplainedAlert = Pick<Alert, 'id' | 'rule' | 'key' | 'count' | 'firstAtMs' | 'lastAtMs'> & {
  readonly severity: string
  readonly state: string
}
export type ExplainedRaise = Omit<AlertEvidence, 'severity'>

export interface ExplainedRaises {
  readonly first?: ExplainedRaise
  readonly latest?: ExplainedRaise
}

/** Several lines, each with its end. */
export function explanationText(alert: ExplainedAlert, { first, latest }: ExplainedRaises): string {
  const lines = [...headLines(alert)]
  const isAgain = alert.count > 1 || latest !== undefined
  if (first !== undefined) lines.push('', ...raiseLines(isAgain ? 'Raised first' : 'Raised', first))
  if (latest !== undefined) lines.push('', ...raiseLines('Raised last', latest))
  if (first === undefined) lines.push('', missingText(latest === undefined ? '' : ' the first time'))
  else if (isAgain && latest === undefined) lines.push('', missingText(' the last time'))
  return lines.map((line) => `${plainText(line)}\n`).join('')
}

function missingText(when: string): string {
  return `What the policy had read${when} is not kept: the server itself raised this alert, or an older version did, or a login that was part of it has been forgotten.`
}

function headLines(alert: ExplainedAlert): readonly string[] {
  const { id, rule, key, severity, state, count, firstAtMs, lastAtMs } = alert
  const about = key === '' ? '' : ` about ${key}`
  const since = `first at ${timeText(firstAtMs)}`
  const spanMs = lastAtMs - firstAtMs
  const later = spanMs < 1000 ? '' : `, which is ${spanText(spanMs)} later`
  const until = count === 1 ? '' : `, last at ${timeText(lastAtMs)}${later}`
  return [
    `Alert ${id}: ${rule}${about}. It is ${severity} and ${state}.`,
    `It was raised ${timesText(count)}: ${since}${until}.`,
  ]
}

function raiseLines(title: string, evidence: ExplainedRaise): readonly string[] {
  const { atMs, message, report, reportId, parameters, reads, earlierReads } = evidence
  const lines = [`${title} at ${timeText(atMs)}`, `  ${message}`]
  if (report !== undefined) lines.push(...reportLines(report, reportId))
  const crossed = crossedText(evidence)
  if (crossed !== undefined) lines.push(`  ${crossed}`)
  const named = parameters === undefined ? [] : entriesOf(parseData(parameters))
  if (named.length > 0) {
    const texts = named.map(([name, value]) => `${name} = ${valueText(value)}`)
    lines.push(`  The parameters of the rule were ${texts.toSorted().join(', ')}.`)
  }
  lines.push(...readLines(reads, earlierReads))
  return lines
}

function reportLines(report: EvidenceReport, reportId: number | undefined): readonly string[] {
  const { login, remote, t, success, failType, protocol, tls, deviceId, deviceAttrs } = report
  const number = reportId === undefined ? 'The report' : `Report ${reportId}`
  const way = protocol === '' ? '' : ` by ${protocol}`
  const outcome = success ? 'succeeded' : `failed${failType === '' ? '' : ` (${failType})`}`
  const lines = [
    `  ${number}: a login of ${login} from ${remote}${way}, ${tls ? 'encrypted' : 'not encrypted'}, ${outcome} at ${timeText(t * 1000)}.`,
  ]
  const attrs = Object.entries(deviceAttrs).map(([name, value]) => `${name}=${value}`)
  const device = [...(deviceId === '' ? [] : [deviceId]), ...attrs].join(', ')
  if (device !== '') lines.push(`  The device said ${device}`)
  return lines
}

/** The number that the rule found beside the one with which it compared it, and what that one is called. */
function crossedText({ value, threshold, parameters }: ExplainedRaise): string | undefined {
  if (threshold === undefined) {
    return value === undefined ? undefined : `The value was ${value}; the rule names no threshold for it.`
  }
  if (value === undefined) return `The threshold was ${threshold}${parameterName(threshold, parameters)}.`
  const name = parameterName(threshold, parameters)
  if (value === threshold) return `The value was ${value} and so reached the threshold${name}.`
  const by = Number(Math.abs(value - threshold).toPrecision(6))
  const side = value > threshold ? 'above' : 'below'
  return `The value was ${value}, ${by} ${side} the threshold of ${threshold}${name}.`
}

/** Only where it can be no other. */
function parameterName(threshold: number, parameters: string | undefined): string {
  const named = parameters === undefined ? [] : entriesOf(parseData(parameters))
  const [found, ...others] = named.filter(([, value]) => value === threshold)
  return found === undefined || others.length > 0 ? '' : ` (the parameter ${found[0]})`
}

function readLines(reads: readonly TrendRead[], earlierReads: number): readonly string[] {
  if (reads.length === 0 && earlierReads === 0) return ['  The policy had read nothing from trends.']
  const earlier = earlierReads === 0 ? '' : ` (${earlierReads} earlier questions are not kept)`
  return [
    `  Until then the policy had asked its trends${earlier}:`,
    ...reads.map((read) => `    ${readText(read)}`),
  ]
}

/** Calls whose argument is a number and not an item. */
const NUMBERED: ReadonlySet<string> = new Set(['twItems', 'twTop', 'twScore'])

function readText(read: TrendRead): string {
  const { call, database, key, field, item } = read
  const about = item === undefined || NUMBERED.has(call) ? '' : `, ${quoted(item)}`
  return `${database}, ${quoted(key)}, ${field}${about}: ${answerText(read)} [${call}]`
}

function answerText({ call, item, answer, entries }: TrendRead): string {
  if (answer === null) return call === 'twScore' ? 'not known yet' : 'nothing'
  switch (call) {
    case 'twGet':
      return `${valueText(answer)} over all windows`
    case 'twGetCurrent':
      return `${valueText(answer)} in the current window`
    case 'twGetWindows':
      return `${listText(answer, entries, valueText)} by window, the current one first`
    case 'twSeen':
      return seenText(answer)
    case 'twItems':
      return listText(answer, entries, (part) => `${quoted(memberText(part, 'item'))} ${seenText(part)}`)
    case 'twTop':
      return listText(
        answer,
        entries,
        (part) => `${quoted(memberText(part, 'item'))} ${memberText(part, 'count')}`,
      )
    case 'twLast':
      return Array.isArray(answer)
        ? `${valueText(answer[0])}, set ${timeText(Number(answer[1]) * 1000)}`
        : valueText(answer)
    case 'twBaseline':
      return `usual is ${memberText(answer, 'mean')}, standard deviation ${memberText(answer, 'stddev')}, of ${memberText(answer, 'samples')} samples`
    case 'twScore':
      return `${valueText(answer)} standard deviations for ${item ?? 'the number'}`
    default:
      return valueText(answer)
  }
}

function seenText(answer: JsonValue): string {
  const [first, last, count] = ['first', 'last', 'count'].map((name) => Number(member(answer, name)))
  return `${timesText(count ?? 0)}, first ${timeText((first ?? 0) * 1000)}, last ${timeText((last ?? 0) * 1000)}`
}

function listText(answer: JsonValue, entries: number | undefined, show: (part: JsonValue) => string): string {
  if (!Array.isArray(answer)) return valueText(answer)
  const parts: readonly JsonValue[] = answer
  if (parts.length === 0) return 'nothing'
  const more = entries === undefined ? '' : `; and ${entries - parts.length} more`
  return `${parts.map(show).join('; ')}${more}`
}

function member(value: JsonValue, name: string): JsonValue | undefined {
  return entriesOf(value).find(([key]) => key === name)?.[1]
}

function memberText(value: JsonValue, name: string): string {
  const found = member(value, name)
  return found === undefined ? '-' : valueText(found)
}

function entriesOf(value: JsonValue): readonly (readonly [string, JsonValue])[] {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : []
}

/** A number that is not whole as far as it matters. */
function valueText(value: JsonValue | undefined): string {
  if (typeof value === 'number') return String(Number.isInteger(value) ? value : Number(value.toPrecision(6)))
  return typeof value === 'string' ? value : JSON.stringify(value ?? null)
}

function quoted(text: string): string {
  return JSON.stringify(text.replaceAll('\t', ' '))
}

function timesText(count: number): string {
  return count === 1 ? 'once' : `${count} times`
}

/** `2026-11-21 15:01:07 +01:00`, in the zone of whoever reads it. */
function timeText(ms: number): string {
  const at = new Date(ms)
  if (Number.isNaN(at.getTime())) return 'at a time that is not known'
  const two = (number: number): string => String(number).padStart(2, '0')
  const date = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join('-')
  const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(':')
  const offset = -at.getTimezoneOffset()
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`
  return `${date} ${time} ${zone}`
}

/** In the largest unit of which there are two. */
function spanText(ms: number): string {
  const units = [
    ['days', 86_400_000],
    ['hours', 3_600_000],
    ['minutes', 60_000],
  ] as const
  const [name, unitMs] = units.find(([, size]) => ms >= 2 * size) ?? (['seconds', 1000] as const)
  return `${Math.round(ms / unitMs)} ${name}`
}
