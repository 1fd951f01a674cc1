/**
 * How a policy's test looks for alerts, and how it shows them. Pure.
 */
import type { Alert } from '../alerts/alert.ts'

/** What expectAlert and expectNoAlert can name. */
export interface AlertWish {
  readonly rule: string | undefined
  readonly key: string | undefined
  readonly severity: string | undefined
  /** A Lua pattern. */
  readonly message: string | undefined
  /** How often it was raised. */
  readonly count: number | undefined
}

/** Whether a text has a match of a Lua pattern. */
export type MatchPattern = (text: string, pattern: string) => boolean

export function fits(alert: Alert, wish: AlertWish, matches: MatchPattern): boolean {
  return (
    (wish.rule === undefined || wish.rule === alert.rule) &&
    (wish.key === undefined || wish.key === alert.key) &&
    (wish.severity === undefined || wish.severity === alert.severity) &&
    (wish.count === undefined || wish.count === alert.count) &&
    (wish.message === undefined || matches(alert.message, wish.message))
  )
}

/** `rule="spray" severity="high"`; empty for any alert. */
export function describeWish(wish: AlertWish): string {
  return Object.entries(wish)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(' ')
}

export function describeAlert(alert: Alert): string {
  const times = alert.count === 1 ? '' : ` (${alert.count} times)`
  const state = alert.state === 'resolved' ? ' resolved' : ''
  return `${alert.severity} ${alert.rule} key=${JSON.stringify(alert.key)}${times}${state}: ${alert.message}`
}
