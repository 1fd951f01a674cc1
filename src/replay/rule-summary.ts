/**
 * The alerts of a replay by rule. Pure.
 */
import type { Alert } from '../alerts/alert.ts'

export interface RuleSummary {
  readonly rule: string
  /** In the order in which they were raised first. */
  readonly alerts: readonly Alert[]
  /** How often they were raised, all together. */
  readonly raised: number
  readonly firstAtMs: number
  readonly lastAtMs: number
}

/** In the order of the rules' names. */
export function summarizeRules(alerts: readonly Alert[]): readonly RuleSummary[] {
  return Array.from(
    Map.groupBy(alerts, ({ rule }) => rule),
    ([rule, group]) => ({
      rule,
      alerts: group,
      raised: group.reduce((sum, { count }) => sum + count, 0),
      firstAtMs: group.reduce((first, { firstAtMs }) => Math.min(first, firstAtMs), Infinity),
      lastAtMs: group.reduce((last, { lastAtMs }) => Math.max(last, lastAtMs), -Infinity),
    }),
  ).toSorted((a, b) => (a.rule < b.rule ? -1 : 1))
}
