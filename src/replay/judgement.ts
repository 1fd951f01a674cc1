/**
 * How good the alerts of a replay are, by what the labels of its reports say. Pure. trackalert(1) gives these definitions to
 * those who read the figures.
 *
 * An attack is found when an alert that was raised between its first report and an hour after its last one is about it:
 * - one of its own reports raised the alert, and the alert names that report's login, its address, or a network of it; or
 * - its own reports raised the alert within that time more often than all other reports together; or
 * - a background function raised the alert, which names a login or an address of the attack, or a network of one.
 *
 * An alert is false when only honest reports raised it. One that a background function alone raised is false when it finds no
 * attack and none was under way; if one was, nobody can tell whether it is about that, and it counts as neither.
 */
import type { Alert } from '../alerts/alert.ts'
import { namesAddress, type RaiseLog, type Evidence } from './raise-log.ts'
import type { Attack, Traffic } from './traffic.ts'

/** An alert that comes later is about something else. */
const AFTERWARDS_SECONDS = 3600
const DAY_SECONDS = 86_400

export interface AttackResult {
  readonly type: string
  readonly form: string
  readonly attacks: number
  readonly found: number
  /** Ids of those that no alert found. */
  readonly missed: readonly string[]
  /** Of those that were found: seconds from the first report to the first such alert, the middle one. */
  readonly medianSeconds: number | undefined
}

export interface FalseAlerts {
  readonly rule: string
  readonly alerts: number
  /** Number of them by trap; those of reports without one under the empty name. */
  readonly byTrap: ReadonlyMap<string, number>
}

export interface Judgement {
  readonly users: number
  readonly days: number
  /** By type and form. */
  readonly attacks: readonly AttackResult[]
  readonly trueAlerts: number
  readonly falseAlerts: number
  /** Neither. */
  readonly undecided: number
  readonly falsePerThousandUsersAndDay: number
  readonly falseByRule: readonly FalseAlerts[]
}

/** @param spanSeconds from the first report of all to the last */
export function judge(
  alerts: readonly Alert[],
  evidence: RaiseLog,
  { attacks, users }: Pick<Traffic, 'attacks' | 'users'>,
  spanSeconds: number,
): Judgement {
  const foundAfter = new Map<Attack, number>()
  const falseAlerts: { readonly rule: string; readonly trap: string }[] = []
  let undecided = 0
  for (const alert of alerts) {
    const seen = evidence.of(alert.id)
    const verdict = verdictOf(alert, seen, attacks)
    if (verdict.kind === 'false') falseAlerts.push({ rule: alert.rule, trap: seen.trap ?? '' })
    else if (verdict.kind === 'undecided') undecided++
    for (const { attack, atMs } of verdict.found) {
      const seconds = atMs / 1000 - attack.firstSeconds
      foundAfter.set(attack, Math.min(seconds, foundAfter.get(attack) ?? Infinity))
    }
  }
  const days = Math.max(1, spanSeconds / DAY_SECONDS)
  return {
    users,
    days,
    attacks: attackResults(attacks, foundAfter),
    trueAlerts: alerts.length - falseAlerts.length - undecided,
    falseAlerts: falseAlerts.length,
    undecided,
    falsePerThousandUsersAndDay: users === 0 ? 0 : falseAlerts.length / (users / 1000) / days,
    falseByRule: falseByRule(falseAlerts),
  }
}

interface Found {
  readonly attack: Attack
  readonly atMs: number
}

interface Verdict {
  readonly kind: 'true' | 'false' | 'undecided'
  readonly found: readonly Found[]
}

function verdictOf(alert: Alert, evidence: Evidence, attacks: readonly Attack[]): Verdict {
  const found = [...foundByOwnReports(evidence), ...foundAlone(alert, evidence, attacks)]
  if (found.length > 0 || evidence.byReports.some(({ attack }) => attack !== undefined))
    return { kind: 'true', found }
  const isCovered = evidence.alone.some((atMs) => attacks.some((attack) => isDuring(attack, atMs)))
  return { kind: evidence.byReports.length === 0 && isCovered ? 'undecided' : 'false', found }
}

function foundByOwnReports({ byReports }: Evidence): readonly Found[] {
  const attacks = new Set(byReports.flatMap(({ attack }) => attack ?? []))
  return [...attacks].flatMap((attack) => {
    const meanwhile = byReports.filter(({ atMs }) => isDuring(attack, atMs))
    const own = meanwhile.filter((raise) => raise.attack === attack)
    const first = own.length * 2 > meanwhile.length ? own[0] : own.find(({ isNamed }) => isNamed)
    return first === undefined ? [] : [{ attack, atMs: first.atMs }]
  })
}

function foundAlone(alert: Alert, { alone }: Evidence, attacks: readonly Attack[]): readonly Found[] {
  if (alone.length === 0) return []
  return attacks.flatMap((attack) => {
    const atMs = alone.find((time) => isDuring(attack, time))
    return atMs !== undefined && namesAttack(alert, attack) ? [{ attack, atMs }] : []
  })
}

function isDuring({ firstSeconds, lastSeconds }: Attack, atMs: number): boolean {
  return atMs >= firstSeconds * 1000 && atMs <= (lastSeconds + AFTERWARDS_SECONDS) * 1000
}

function namesAttack({ key, user }: Alert, { logins, remotes }: Attack): boolean {
  return logins.has(key) || logins.has(user) || namesAddress(key, remotes)
}

function attackResults(
  attacks: readonly Attack[],
  foundAfter: ReadonlyMap<Attack, number>,
): readonly AttackResult[] {
  const groups = Map.groupBy(attacks, ({ type, form }) => `${type}\0${form}`)
  return Array.from(groups.values(), (group) => {
    const seconds = group.flatMap((attack) => foundAfter.get(attack) ?? []).toSorted((a, b) => a - b)
    return {
      type: group[0]?.type ?? '',
      form: group[0]?.form ?? '',
      attacks: group.length,
      found: seconds.length,
      missed: group.filter((attack) => !foundAfter.has(attack)).map(({ id }) => id),
      medianSeconds: seconds[Math.floor((seconds.length - 1) / 2)],
    }
  }).toSorted((a, b) => compare(a.type, b.type) || compare(a.form, b.form))
}

function falseByRule(
  alerts: readonly { readonly rule: string; readonly trap: string }[],
): readonly FalseAlerts[] {
  return Array.from(
    Map.groupBy(alerts, ({ rule }) => rule),
    ([rule, group]) => ({
      rule,
      alerts: group.length,
      byTrap: new Map(
        Array.from(
          Map.groupBy(group, ({ trap }) => trap),
          ([trap, { length }]) => [trap, length] as const,
        ).toSorted(([, a], [, b]) => b - a),
      ),
    }),
  ).toSorted((a, b) => b.alerts - a.alerts)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}
