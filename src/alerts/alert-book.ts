/**
 * Alerts in memory, deduplicated and resolved as the server does it: for runs of a policy without a server. Pure; lives on the
 * thread that runs the policy.
 */
import type { Alert, AlertEffect, RaiseEffect } from './alert.ts'
import { isRaisedAgain, newAlert, quietAtMs, raisedAgain, resolvedFor } from './alert-changes.ts'

export class AlertBook {
  readonly #alerts = new Map<number, Alert>()
  /** Numbers of open alerts, by rule and key. */
  readonly #open = new Map<string, number>()
  #lastId = 0

  get size(): number {
    return this.#alerts.size
  }

  /** In the order in which they were raised first. */
  all(): readonly Alert[] {
    return [...this.#alerts.values()]
  }

  /** Numbers are not used again. */
  clear(): void {
    this.#alerts.clear()
    this.#open.clear()
  }

  /** @returns the alerts that were raised, in the order of the effects. */
  apply(effects: readonly AlertEffect[], reportId: number | undefined): readonly Alert[] {
    const raised: Alert[] = []
    for (const effect of effects) {
      if (effect.kind === 'raise') raised.push(this.#raise(effect, reportId))
      else this.#replaceOpen(effect, (open) => resolvedFor(open, 'policy', effect.atMs))
    }
    return raised
  }

  /** Alerts that nobody raised again in time are resolved by then. */
  expire(nowMs: number): void {
    for (const id of this.#open.values()) {
      const alert = this.#alerts.get(id)
      if (alert !== undefined) this.#resolveIfQuiet(alert, nowMs)
    }
  }

  #raise(raise: RaiseEffect, reportId: number | undefined): Alert {
    const again = this.#replaceOpen(raise, (open) =>
      isRaisedAgain(open, raise)
        ? raisedAgain(open, raise, reportId)
        : resolvedFor(open, 'raised-anew', raise.atMs),
    )
    if (again !== undefined && again.state !== 'resolved') return again
    const made = newAlert(++this.#lastId, raise, reportId)
    this.#alerts.set(made.id, made)
    this.#open.set(nameOf(raise), made.id)
    return made
  }

  #replaceOpen(effect: AlertEffect, change: (open: Alert) => Alert): Alert | undefined {
    const open = this.#alerts.get(this.#open.get(nameOf(effect)) ?? 0)
    if (open === undefined || this.#resolveIfQuiet(open, effect.atMs)) return undefined
    const changed = change(open)
    this.#set(changed)
    return changed
  }

  /** The server looks every few seconds; here it is done when somebody asks. */
  #resolveIfQuiet(alert: Alert, nowMs: number): boolean {
    const isQuiet = quietAtMs(alert) <= nowMs
    if (isQuiet) this.#set(resolvedFor(alert, 'quiet', quietAtMs(alert)))
    return isQuiet
  }

  #set(alert: Alert): void {
    this.#alerts.set(alert.id, alert)
    if (alert.state === 'resolved') this.#open.delete(nameOf(alert))
  }
}

function nameOf({ rule, key }: Pick<Alert, 'rule' | 'key'>): string {
  return `${rule}\0${key}`
}
