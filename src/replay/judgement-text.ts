/**
 * How good the alerts of a replay are, as tables for people. Pure.
 */
import { plainText, textTable, type Column } from '../console/text-table.ts'
import type { AttackResult, FalseAlerts, Judgement } from './judgement.ts'
import { MOST_USERS } from './traffic.ts'

const ATTACK_COLUMNS: readonly Column[] = [
  { title: 'Attack', width: 26 },
  { title: 'Form', width: 8 },
  { title: 'Attacks', width: 7 },
  { title: 'Found', width: 6 },
  { title: 'Recall', width: 6 },
  { title: 'After', width: 7 },
  { title: 'Missed', width: 0 },
]
const FALSE_COLUMNS: readonly Column[] = [
  { title: 'False alerts of', width: 30 },
  { title: 'Alerts', width: 7 },
  { title: 'Traps of the reports', width: 0 },
]
const SHOWN_MISSED = 5

export function judgementText(judgement: Judgement): string {
  const { attacks, falseByRule } = judgement
  const types = [...Map.groupBy(attacks, ({ type }) => type)]
  const rows = types.flatMap(([type, forms]) => [
    // One form says it all.
    ...(forms.length === 1 ? [] : [attackRow({ ...sumOf(forms), type, form: 'all' })]),
    ...forms.map(attackRow),
  ])
  return [
    attacks.length === 0 ? 'there is no attack among the reports\n' : textTable(ATTACK_COLUMNS, rows),
    `\n${precisionText(judgement)}`,
    falseByRule.length === 0 ? '' : textTable(FALSE_COLUMNS, falseByRule.map(falseRow)),
  ].join('')
}

function sumOf(forms: readonly AttackResult[]): Omit<AttackResult, 'type' | 'form'> {
  const sum = (of: (result: AttackResult) => number): number => forms.reduce((all, form) => all + of(form), 0)
  return {
    attacks: sum(({ attacks }) => attacks),
    found: sum(({ found }) => found),
    missed: [],
    medianSeconds: undefined,
  }
}

function attackRow({ type, form, attacks, found, missed, medianSeconds }: AttackResult): readonly string[] {
  const more = missed.length > SHOWN_MISSED ? ` and ${missed.length - SHOWN_MISSED} more` : ''
  return [
    type,
    form,
    String(attacks),
    String(found),
    (found / attacks).toFixed(2),
    medianSeconds === undefined ? '' : spanText(medianSeconds),
    `${missed.slice(0, SHOWN_MISSED).join(' ')}${more}`,
  ]
}

function spanText(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`
}

function precisionText(judgement: Judgement): string {
  const { users, days, trueAlerts, falseAlerts, undecided, falsePerThousandUsersAndDay } = judgement
  const judged = trueAlerts + falseAlerts
  const precision = judged === 0 ? '' : `, precision ${(trueAlerts / judged).toFixed(2)}`
  const unclear = undecided === 0 ? '' : `; ${undecided} more came during attacks and name none of them`
  const most = users >= MOST_USERS ? ' or more' : ''
  return (
    `${falseAlerts} of ${judged} alerts are false${precision}${unclear}\n` +
    `${falsePerThousandUsersAndDay.toFixed(2)} false alerts per 1,000 users per day (${users}${most} users, ${days.toFixed(1)} days)\n`
  )
}

function falseRow({ rule, alerts, byTrap }: FalseAlerts): readonly string[] {
  const traps = Array.from(byTrap, ([trap, count]) => `${trap === '' ? 'none' : plainText(trap)} ${count}`)
  return [rule, String(alerts), traps.join(', ')]
}
