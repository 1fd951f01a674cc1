/**
 * A replay's outcome as tables, for people. Pure. Times are UTC.
 */
import type { Alert } from '../alerts/alert.ts'
import { plainText, textTable, type Column } from '../console/text-table.ts'
import { utcTime } from '../console/utc-time.ts'
import type { AlertDifference } from './compare-alerts.ts'
import { judgementText } from './judgement-text.ts'
import type { ConfigurationOutcome, ReplayOutcome } from './replay-outcome.ts'
import { summarizeRules } from './rule-summary.ts'

const RULE_WIDTH = 30
const NUMBER_WIDTH = 7
const TIME_WIDTH = 19
const SHOWN_FAILURES = 5
const RULE_COLUMNS: readonly Column[] = [
  { title: 'Rule', width: RULE_WIDTH },
  { title: 'Alerts', width: NUMBER_WIDTH },
  { title: 'Raised', width: NUMBER_WIDTH },
  { title: 'First', width: TIME_WIDTH },
  { title: 'Last', width: TIME_WIDTH },
]
const DIFFERENCE_COLUMNS: readonly Column[] = [
  { title: 'Rule', width: RULE_WIDTH },
  { title: 'Both', width: NUMBER_WIDTH },
  { title: 'Only A', width: NUMBER_WIDTH },
  { title: 'Only B', width: NUMBER_WIDTH },
]

/** @param examples - alerts of each rule that are shown */
export function replayText(outcome: ReplayOutcome, examples: number): string {
  const { configurations, difference } = outcome
  const parts = [headText(outcome)]
  for (const [index, configuration] of configurations.entries()) {
    const name = difference === undefined ? '' : `${LETTERS[index] ?? ''}: ${configuration.file}\n`
    // Two lists of examples would bury the difference.
    parts.push(name + configurationText(configuration, difference === undefined ? examples : 0))
  }
  if (difference !== undefined) parts.push(differenceText(difference, examples))
  return parts.join('\n')
}

const LETTERS = ['A', 'B'] as const

function headText({ reports, firstSeconds, lastSeconds, late, tookMs, badLines }: ReplayOutcome): string {
  const lines: string[] = []
  if (firstSeconds === undefined || lastSeconds === undefined) {
    lines.push('there is no report')
  } else {
    const days = ((lastSeconds - firstSeconds) / 86_400).toFixed(1)
    const speed = Math.round((reports / Math.max(tookMs, 1)) * 1000)
    lines.push(
      `${counted(reports, 'report')} from ${utcTime(firstSeconds)} to ${utcTime(lastSeconds)} UTC, ${days} days; ` +
        `${(tookMs / 1000).toFixed(1)} s, ${speed} reports/s`,
    )
  }
  if (late > 0)
    lines.push(
      `${counted(late, 'report')} older than one before: trends take them as they come, out of order`,
    )
  if (badLines.count > 0) lines.push(`${counted(badLines.count, 'bad line')} left out, first of all:`)
  for (const { file, line, reason } of badLines.first) lines.push(`  ${file}:${line}: ${reason}`)
  return `${lines.join('\n')}\n`
}

function configurationText({ end, judgement }: ConfigurationOutcome, examples: number): string {
  const rules = summarizeRules(end.alerts)
  const rows = rules.map(({ rule, alerts, raised, firstAtMs, lastAtMs }) => [
    rule,
    String(alerts.length),
    String(raised),
    utcTime(firstAtMs / 1000),
    utcTime(lastAtMs / 1000),
  ])
  const table = rules.length === 0 ? 'no alert was raised\n' : textTable(RULE_COLUMNS, rows)
  const shown = rules.map(({ rule, alerts }) => examplesText(rule, alerts, examples)).join('')
  const judged = judgement === undefined ? '' : `\n${judgementText(judgement)}`
  return `${table}${shown === '' ? '' : `\n${shown}`}${judged}${endText(end)}`
}

/** What else there is to know, most of it nothing. */
function endText({ failedRuns, failures, backgroundGaps, webHooks }: ConfigurationOutcome['end']): string {
  const lines: string[] = []
  if (webHooks > 0) lines.push(`${counted(webHooks, 'webhook')} not sent`)
  if (backgroundGaps > 0)
    lines.push('background functions were left out in a long time without reports, as were their alerts')
  if (failedRuns > 0) lines.push(`${counted(failedRuns, 'run')} failed, without any effect:`)
  for (const { name, count, message, traceback, reportId } of failures.slice(0, SHOWN_FAILURES)) {
    const first = reportId === undefined ? '' : `, first of report ${reportId}`
    lines.push(`  ${name}, ${counted(count, 'time')}${first}: ${plainText(message)}`)
    for (const line of traceback.split('\n')) if (line.trim() !== '') lines.push(`    ${plainText(line)}`)
  }
  return lines.length === 0 ? '' : `\n${lines.join('\n')}\n`
}

function differenceText({ both, onlyFirst, onlySecond }: AlertDifference, examples: number): string {
  const pairs = both.map(([first]) => first)
  const counts = (alerts: readonly Alert[]): ReadonlyMap<string, readonly Alert[]> =>
    Map.groupBy(alerts, ({ rule }) => rule)
  const [inBoth, inFirst, inSecond] = [counts(pairs), counts(onlyFirst), counts(onlySecond)]
  const rules = [...new Set([...inBoth.keys(), ...inFirst.keys(), ...inSecond.keys()])].toSorted()
  const size = (map: ReadonlyMap<string, readonly Alert[]>, rule: string): string =>
    String(map.get(rule)?.length ?? 0)
  const rows = rules.map((rule) => [rule, size(inBoth, rule), size(inFirst, rule), size(inSecond, rule)])
  const shown = rules.flatMap((rule) => [
    examplesText(`${rule}, only A`, inFirst.get(rule) ?? [], examples),
    examplesText(`${rule}, only B`, inSecond.get(rule) ?? [], examples),
  ])
  return `difference:\n${textTable(DIFFERENCE_COLUMNS, rows)}\n${shown.join('')}`
}

function examplesText(title: string, alerts: readonly Alert[], examples: number): string {
  if (examples === 0 || alerts.length === 0) return ''
  const lines = alerts.slice(0, examples).map(exampleLine)
  return `${plainText(title)}\n${lines.join('')}`
}

function exampleLine({ id, firstAtMs, severity, key, count, message }: Alert): string {
  // An alert of the whole site is about no key.
  const about = key === '' ? '' : ` ${plainText(key)}`
  const times = count === 1 ? '' : ` (${count} times)`
  return `  ${id} ${utcTime(firstAtMs / 1000)} ${severity}${about}${times}: ${plainText(message)}\n`
}

/** `1 report`, `2 reports`. */
function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}
