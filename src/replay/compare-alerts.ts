/**
 * What two configurations made of the same reports: which alerts only one of them raised. Pure.
 *
 * Two alerts are the same when they have one rule and key and their times overlap, give or take an hour: a threshold that is
 * reached earlier makes no other alert.
 */
import type { Alert } from '../alerts/alert.ts'

const SLACK_MS = 3_600_000

export interface AlertDifference {
  /** Alerts of both, as each of them has it. */
  readonly both: readonly (readonly [first: Alert, second: Alert])[]
  readonly onlyFirst: readonly Alert[]
  readonly onlySecond: readonly Alert[]
}

/** Alerts are in the order in which they were raised first, and so are those of the answer. */
export function compareAlerts(first: readonly Alert[], second: readonly Alert[]): AlertDifference {
  const waiting = Map.groupBy(second, nameOf)
  const both: (readonly [Alert, Alert])[] = []
  const onlyFirst: Alert[] = []
  const matched = new Set<Alert>()
  for (const alert of first) {
    const candidates = waiting.get(nameOf(alert)) ?? []
    const twin = candidates.find((other) => overlap(alert, other))
    if (twin === undefined) {
      onlyFirst.push(alert)
      continue
    }
    matched.add(twin)
    both.push([alert, twin])
    // What comes before it was not taken, and ends before what is still to come begins.
    candidates.splice(0, candidates.indexOf(twin) + 1)
  }
  return { both, onlyFirst, onlySecond: second.filter((alert) => !matched.has(alert)) }
}

function overlap(a: Alert, b: Alert): boolean {
  return a.firstAtMs <= b.lastAtMs + SLACK_MS && b.firstAtMs <= a.lastAtMs + SLACK_MS
}

function nameOf({ rule, key }: Alert): string {
  return `${rule}\0${key}`
}
