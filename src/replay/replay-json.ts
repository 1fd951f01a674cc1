/**
 * A replay's outcome as one JSON object, for programs. Pure. Times are Unix seconds.
 */
import { viewAlert } from '../alerts/alert-view.ts'
import type { AlertDifference } from './compare-alerts.ts'
import type { Judgement } from './judgement.ts'
import type { ConfigurationOutcome, ReplayOutcome } from './replay-outcome.ts'
import { summarizeRules } from './rule-summary.ts'

/** With its line end. */
export function replayJson(outcome: ReplayOutcome): string {
  const { reports, firstSeconds, lastSeconds, late, badLines, tookMs, configurations, difference } = outcome
  return `${JSON.stringify({
    reports,
    first: firstSeconds,
    last: lastSeconds,
    late,
    bad_lines: { count: badLines.count, first: badLines.first },
    seconds: tookMs / 1000,
    configurations: configurations.map(configurationJson),
    difference: difference && differenceJson(difference),
  })}\n`
}

function configurationJson({ file, end, judgement }: ConfigurationOutcome) {
  return {
    file,
    rules: summarizeRules(end.alerts).map(({ rule, alerts, raised, firstAtMs, lastAtMs }) => ({
      rule,
      alerts: alerts.length,
      raised,
      first: firstAtMs / 1000,
      last: lastAtMs / 1000,
    })),
    judgement: judgement && judgementJson(judgement),
    failed_runs: end.failedRuns,
    failures: end.failures.map(({ reportId, ...failure }) => ({ ...failure, report: reportId })),
    background_runs: end.backgroundRuns,
    background_gaps: end.backgroundGaps,
    webhooks: end.webHooks,
    alerts: end.alerts.map(viewAlert),
  }
}

function judgementJson(judgement: Judgement) {
  const { users, days, attacks, trueAlerts, falseAlerts, undecided, falseByRule } = judgement
  return {
    users,
    days,
    attacks: attacks.map(({ type, form, attacks: count, found, missed, medianSeconds }) => ({
      type,
      form,
      attacks: count,
      found,
      recall: found / count,
      missed,
      median_seconds: medianSeconds,
    })),
    true_alerts: trueAlerts,
    false_alerts: falseAlerts,
    undecided_alerts: undecided,
    false_per_1000_users_and_day: judgement.falsePerThousandUsersAndDay,
    false_by_rule: falseByRule.map(({ rule, alerts, byTrap }) => ({
      rule,
      alerts,
      by_trap: Object.fromEntries(byTrap),
    })),
  }
}

function differenceJson({ both, onlyFirst, onlySecond }: AlertDifference) {
  return {
    both: both.length,
    only_first: onlyFirst.map(viewAlert),
    only_second: onlySecond.map(viewAlert),
  }
}
