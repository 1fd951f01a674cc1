/**
 * Which alerts a search is about. Pure; the stores ask it.
 */
import type { AlertQuery } from '../store/alert-store.ts'
import type { Alert } from './alert.ts'
import { createMatcher } from './alert-matcher.ts'

export type AlertFilter = Omit<AlertQuery, 'limit'>

/** Severity is the least, rule and key are patterns; what is not given does not matter. */
export function createFilter(filter: AlertFilter): (alert: Alert) => boolean {
  const matches = createMatcher(filter)
  const { states, sinceMs = -Infinity } = filter
  return (alert) =>
    alert.lastAtMs >= sinceMs && (states === undefined || states.includes(alert.state)) && matches(alert)
}
