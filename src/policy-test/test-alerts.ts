/**
 * The alerts of one policy test, deduplicated as the server does it, and how they are looked for. Pure.
 */
import type { Alert, AlertEffect, RaiseEffect } from '../alerts/alert.ts'
import { isRaisedAgain, newAlert, raisedAgain, resolvedFor } from '../alerts/alert-changes.ts'

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

export class TestAlerts {
  #alerts: Alert[] = []
  #lastId = 0

  /** In the order in which they were raised first. */
  all(): readonly Alert[] {
    return this.#alerts
  }

  clear(): void {
    this.#alerts = []
  }

  /** @returns the rules that were raised, in order */
  apply(effects: readonly AlertEffect[], reportId: number | undefined): readonly string[] {
    for (const effect of effects) {
      if (effect.kind === 'raise') this.#raise(effect, reportId)
      else this.#replaceOpen(effect, (open) => resolvedFor(open, 'policy', effect.atMs))
    }
    return effects.filter((effect) => effect.kind === 'raise').map(({ rule }) => rule)
  }

  #raise(raise: RaiseEffect, reportId: number | undefined): void {
    let isAgain = false
    this.#replaceOpen(raise, (open) => {
      isAgain = isRaisedAgain(open, raise)
      return isAgain ? raisedAgain(open, raise, reportId) : resolvedFor(open, 'raised-anew', raise.atMs)
    })
    if (!isAgain) this.#alerts.push(newAlert(++this.#lastId, raise, reportId))
  }

  #replaceOpen({ rule, key }: AlertEffect, change: (open: Alert) => Alert): void {
    this.#alerts = this.#alerts.map((alert) =>
      alert.rule === rule && alert.key === key && alert.state === 'open' ? change(alert) : alert,
    )
  }
}

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
