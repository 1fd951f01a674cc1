/**
 * Decides what is told to whom and when: alerts in, planned notifications out. Pure: it does nothing by itself, and time
 * comes in as a parameter. Main thread. Bounded by the store's bound on open alerts: one small entry for each, and for
 * each that is resolved and whose end is still to be told.
 */
import type { Alert } from './alert.ts'
import { AlertGroup, type PlannedNotification, type StoredGroup, type TrackedAlert } from './alert-group.ts'
import type { AlertFacts } from './alert-matcher.ts'
import { listedIds } from './compose-notification.ts'
import type { FindGroups, GroupOfRoute } from './alert-route.ts'
import type { Mutes } from './silence.ts'

/** Alerts whose content one commit reads and writes: each may be twenty kilobytes. */
const LISTED_AT_ONCE = 200

/** What is due now. */
export interface DueNotifications {
  readonly plans: readonly PlannedNotification[]
  /** Groups of which nothing is left and nothing is to be told. */
  readonly goneGroups: readonly string[]
}

interface Entry {
  readonly alert: TrackedAlert
  readonly groups: readonly AlertGroup[]
}

export class AlertRouter {
  readonly #findGroups: FindGroups
  #mutes: Mutes
  readonly #alerts = new Map<number, Entry>()
  readonly #groups = new Map<string, AlertGroup>()
  /** From the last process; each goes when its group is made anew. */
  readonly #stored: Map<string, StoredGroup>
  readonly #gone = new Set<string>()

  constructor(findGroups: FindGroups, mutes: Mutes, stored: readonly StoredGroup[]) {
    this.#findGroups = findGroups
    this.#mutes = mutes
    this.#stored = new Map(stored.map((group) => [group.key, group]))
  }

  /** Alerts that are followed. */
  get size(): number {
    return this.#alerts.size
  }

  /** Ends the restoring, when every alert that still matters was noted: what is left of the last process is stale. */
  restored(): void {
    for (const key of this.#stored.keys()) this.#gone.add(key)
    this.#stored.clear()
    for (const group of this.#groups.values()) group.prune()
  }

  /** An alert is new, or has changed. @param sinceMs from when on its news waits; the time of the call, but at start */
  note({ id, rule, key, severity, state }: Alert, sinceMs: number): void {
    const facts = { rule, key, severity }
    const alert = { id, ...facts, state, mutedBy: this.#mutes.silencing(facts) }
    const groups = this.#findGroups(facts).map((found) => this.#groupOf(found))
    const before = this.#alerts.get(id)?.groups ?? []
    for (const group of before) {
      if (groups.includes(group)) continue
      group.drop(id)
      this.#removeIfEmpty(group)
    }
    for (const group of groups) {
      group.note(alert, sinceMs)
      this.#removeIfEmpty(group)
    }
    if (state === 'resolved' && groups.every((group) => !group.has(id))) this.#alerts.delete(id)
    else this.#alerts.set(id, { alert, groups })
  }

  /** There is no such alert any more. */
  drop(id: number): void {
    for (const group of this.#alerts.get(id)?.groups ?? []) {
      group.drop(id)
      this.#removeIfEmpty(group)
    }
    this.#alerts.delete(id)
  }

  /** Other silences are in force from now on. */
  setMutes(mutes: Mutes, nowMs: number): void {
    this.#mutes = mutes
    mutes.advance(nowMs)
    this.#muteAll()
  }

  silencing(facts: AlertFacts): string | undefined {
    return this.#mutes.silencing(facts)
  }

  /** At most `limit` notifications that are due, fewer if they are long; they stay due until they are confirmed. */
  due(nowMs: number, limit: number): DueNotifications {
    if (this.#mutes.advance(nowMs)) this.#muteAll()
    const plans: PlannedNotification[] = []
    let listed = 0
    for (const group of this.#groups.values()) {
      if (plans.length >= limit || listed >= LISTED_AT_ONCE) break
      if (group.dueAtMs() > nowMs) continue
      const plan = group.plan(nowMs)
      plans.push(plan)
      listed += listedIds(plan).length
    }
    return { plans, goneGroups: [...this.#gone] }
  }

  /** What `due` answered has been carried out. */
  confirm({ plans, goneGroups }: DueNotifications): void {
    for (const key of goneGroups) this.#gone.delete(key)
    for (const plan of plans) {
      const group = this.#groups.get(plan.groupKey)
      if (group === undefined) continue
      group.confirm(plan)
      // The plan has told the store whether anything of it is left.
      if (group.isEmpty) this.#groups.delete(group.key)
      for (const id of plan.alertIds) this.#forgetEnded(id)
    }
  }

  /** When `due` may have something new to say; Infinity when it will not by itself. */
  nextDueAtMs(): number {
    let next = this.#gone.size > 0 ? -Infinity : this.#mutes.changesAtMs
    for (const group of this.#groups.values()) next = Math.min(next, group.dueAtMs())
    return next
  }

  #groupOf(found: GroupOfRoute): AlertGroup {
    const known = this.#groups.get(found.key)
    if (known !== undefined) return known
    const made = new AlertGroup(found, this.#stored.get(found.key))
    this.#stored.delete(found.key)
    this.#gone.delete(found.key)
    this.#groups.set(found.key, made)
    return made
  }

  #removeIfEmpty(group: AlertGroup): void {
    if (!group.isEmpty) return
    this.#groups.delete(group.key)
    if (group.isStored) this.#gone.add(group.key)
  }

  #forgetEnded(id: number): void {
    const entry = this.#alerts.get(id)
    if (entry?.alert.state === 'resolved' && !entry.groups.some((group) => group.has(id)))
      this.#alerts.delete(id)
  }

  #muteAll(): void {
    for (const [id, { alert, groups }] of this.#alerts) {
      const mutedBy = this.#mutes.silencing(alert)
      if (mutedBy === alert.mutedBy) continue
      const changed = { ...alert, mutedBy }
      this.#alerts.set(id, { alert: changed, groups })
      for (const group of groups) if (group.has(id)) group.replace(changed)
    }
  }
}
