/**
 * What the functions of alerts share: asking the main thread, times, and patterns of alerts.
 */
import type { AlertPattern } from '../../alerts/alert-matcher.ts'
import type { AlertQuestion, AlertReply } from '../../alerts/alert-questions.ts'
import { ALERT_LIMITS } from '../../alerts/alert.ts'
import { parseDate, parseTimeSpan, SPAN_HINT, TIME_HINT } from '../../alerts/time-span.ts'
import type { HostCall } from '../host-function.ts'
import type { RunContext } from '../run-context.ts'
import type { AskStore } from './stored-reports.ts'
import type { TableArgument } from './table-argument.ts'

/** The run in progress, and the time that is now in it. */
export function runOf(call: HostCall): { readonly run: RunContext; readonly nowMs: number } {
  const { run } = call
  if (run === undefined)
    return call.fail('alerts can be raised and looked at only by report, background and endpoint functions')
  return { run, nowMs: run.nowSeconds * 1000 }
}

/** Rejects when the main thread refuses. */
export async function askAlerts(call: HostCall, ask: AskStore, question: AlertQuestion): Promise<AlertReply> {
  runOf(call)
  const answer = await ask({ kind: 'alerts', question })
  if (answer.kind !== 'alerts') return { kind: 'refused', reason: 'there was no answer' }
  return answer.reply.kind === 'refused' ? call.fail(answer.reply.reason) : answer.reply
}

interface TimeReading {
  /** For time spans; undefined where only a fixed time makes sense. */
  readonly nowMs: number | undefined
  /** On which side of now the end of a span is. */
  readonly direction: 'past' | 'future'
}

/** Unix milliseconds: a number is Unix seconds, a text a date or, with a time that is now, a span from it. */
export function timeOption(
  argument: TableArgument,
  name: string,
  { nowMs, direction }: TimeReading,
): number | undefined {
  const value = argument.value(name)
  if (value === undefined || value === null) return undefined
  const atMs =
    typeof value === 'number'
      ? value * 1000
      : typeof value === 'string'
        ? (parseDate(value) ?? spanEnd(value, nowMs, direction))
        : undefined
  if (atMs !== undefined && Number.isFinite(atMs)) return atMs
  const spans = nowMs === undefined ? '' : `, or a time span: ${SPAN_HINT.replace('seconds, or ', '')}`
  return argument.fail(`${name} must be ${TIME_HINT}${spans}`)
}

function spanEnd(
  text: string,
  nowMs: number | undefined,
  direction: TimeReading['direction'],
): number | undefined {
  const spanMs = parseTimeSpan(text)
  if (spanMs === undefined || nowMs === undefined) return undefined
  return direction === 'past' ? nowMs - spanMs : nowMs + spanMs
}

/** The options rule and key; severity as the least or the most. */
export function patternOptions(argument: TableArgument, severity: 'least' | 'most'): AlertPattern {
  const rule = argument.optionalText('rule', { maxBytes: ALERT_LIMITS.ruleBytes })
  const key = argument.optionalText('key', { maxBytes: ALERT_LIMITS.keyBytes })
  const bound = argument.optionalSeverity('severity')
  return {
    ...(rule === undefined ? {} : { rule }),
    ...(key === undefined ? {} : { key }),
    ...(bound === undefined ? {} : severity === 'least' ? { leastSeverity: bound } : { mostSeverity: bound }),
  }
}
