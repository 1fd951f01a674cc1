/**
 * A line of a file of reports: the report, and what is known about it. Pure.
 */
import { isObject } from '../login/attributes.ts'
import { jsonErrorPlace } from '../login/json-error-place.ts'
import type { LoginReport } from '../login/login-report.ts'
import { parseLoginReport } from '../login/parse-report.ts'
import { MOST_LINE_BYTES, type Line } from './report-lines.ts'

/** What the file says of a report beside what a sender does. */
export interface ReportLabels {
  /** The type of the attack that it belongs to. */
  readonly label: string | undefined
  /** Which attack it is. */
  readonly attack: string | undefined
  /** Why an honest report may look suspicious. */
  readonly trap: string | undefined
}

export type ParsedLine =
  | { readonly kind: 'report'; readonly report: LoginReport; readonly labels: ReportLabels }
  | { readonly kind: 'bad'; readonly reason: string }
  | { readonly kind: 'empty' }

const MOST_LABEL_LENGTH = 256
/** The end of 2099: later times are most likely milliseconds. */
const LATEST_SECONDS = 4_102_444_800
const BYTE_ORDER_MARK = '\uFEFF'
const NO_LABELS: ReportLabels = { label: undefined, attack: undefined, trap: undefined }

export function parseLine(line: Line): ParsedLine {
  if (line === undefined) return bad(`the line is longer than ${MOST_LINE_BYTES} bytes`)
  if (line.trim() === '') return { kind: 'empty' }
  let value: unknown
  try {
    value = JSON.parse(line.startsWith(BYTE_ORDER_MARK) ? line.slice(1) : line)
  } catch (error) {
    return bad(`it is not valid JSON${jsonErrorPlace(error)}`)
  }
  if (!isObject(value)) return bad('a report must be a JSON object')
  const time = timeFault(value['t'])
  if (time !== undefined) return bad(time)
  const parsed = parseLoginReport(value, 0)
  if (!parsed.ok) return bad(parsed.reason)
  const labels = labelsOf(value)
  return typeof labels === 'string' ? bad(labels) : { kind: 'report', report: parsed.report, labels }
}

/** A replay goes by the reports' own clock: it must be there, and be one. */
function timeFault(time: unknown): string | undefined {
  if (typeof time !== 'number') return 'the field t is missing: a replay goes by the times of the reports'
  if (time > LATEST_SECONDS) return 'the field t is after 2099: it is in seconds since 1970'
  return time < 0 ? 'the field t is before 1970' : undefined
}

function labelsOf({ label, attack, trap }: Readonly<Record<string, unknown>>): ReportLabels | string {
  if (label === undefined && attack === undefined && trap === undefined) return NO_LABELS
  const labels: Record<keyof ReportLabels, string | undefined> = { ...NO_LABELS }
  for (const [name, value] of Object.entries({ label, attack, trap })) {
    if (value === undefined || value === null) continue
    if (typeof value !== 'string' || value.length > MOST_LABEL_LENGTH)
      return `the field ${name} must be a string of at most ${MOST_LABEL_LENGTH} characters`
    Object.assign(labels, { [name]: value })
  }
  return labels
}

function bad(reason: string): ParsedLine {
  return { kind: 'bad', reason }
}
