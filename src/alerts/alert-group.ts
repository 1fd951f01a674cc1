/**
 * The alerts that are told of together, and when. Pure; main thread.
 *
 * A group's life: its first alert → after groupWait the first notification → while alerts come, get worse or are
 * resolved, one notification per groupInterval → while it is open and nothing changes, one per repeatInterval → its
 * last alert is resolved, which is told once → gone. An alert has news for the group if it is open and was not told of,
 * is worse than what was told, or is resolved and was told of when it was open.
 */
import type { AlertState } from './alert.ts'
import type { AlertFacts } from './alert-matcher.ts'
import type { AlertRoute, GroupOfRoute } from './alert-route.ts'
import { severityRank, type Severity } from './severity.ts'

/** An alert as routing sees it. Shared by all groups that it is in. */
export interface TrackedAlert extends AlertFacts {
  readonly id: number
  readonly state: AlertState
  /** Id of the silence or window that keeps it from being told, if one does. */
  readonly mutedBy: string | undefined
}

/** What is kept of a group over a restart. */
export interface StoredGroup {
  readonly key: string
  readonly sentAtMs: number
  /** Alerts that were told of and whose end was not, with the severity that was told. */
  readonly notified: readonly (readonly [id: number, severity: Severity])[]
}

export type NotificationReason = 'new' | 'changed' | 'repeat' | 'resolved'

/** A notification that is due. Nothing of the group changes before `confirm`. */
export interface PlannedNotification {
  readonly groupKey: string
  readonly label: string
  readonly sinks: readonly string[]
  readonly reason: NotificationReason
  readonly sentAtMs: number
  /** What it is about: worst first, then newest first. */
  readonly alertIds: readonly number[]
  /** The group as it is to be kept; undefined when nothing of it is left. */
  readonly stored: StoredGroup | undefined
}

export class AlertGroup {
  readonly key: string
  readonly label: string
  readonly #route: AlertRoute
  readonly #members = new Map<number, TrackedAlert>()
  /** Since when a member has news. */
  readonly #newsSince = new Map<number, number>()
  #notified: Map<number, Severity>
  #sentAtMs: number | undefined
  #dueAtMs: number | undefined

  constructor({ key, label, route }: GroupOfRoute, stored: StoredGroup | undefined) {
    this.key = key
    this.label = label
    this.#route = route
    this.#notified = new Map(stored?.notified)
    this.#sentAtMs = stored?.sentAtMs
  }

  get isEmpty(): boolean {
    return this.#members.size === 0
  }

  /** Something of it is on disk. */
  get isStored(): boolean {
    return this.#sentAtMs !== undefined
  }

  /** Takes in an alert, or what has become of it. `sinceMs` counts if it has news now and had none. */
  note(alert: TrackedAlert, sinceMs: number): void {
    this.#dueAtMs = undefined
    this.#members.set(alert.id, alert)
    if (this.#hasNews(alert)) {
      if (!this.#newsSince.has(alert.id)) this.#newsSince.set(alert.id, sinceMs)
      return
    }
    this.#newsSince.delete(alert.id)
    // Nobody was told of it, and there is nothing left to tell.
    if (alert.state === 'resolved') this.drop(alert.id)
  }

  has(id: number): boolean {
    return this.#members.has(id)
  }

  /** A member is muted, or not any more; its news is as old as it was. */
  replace(alert: TrackedAlert): void {
    this.#dueAtMs = undefined
    this.#members.set(alert.id, alert)
  }

  drop(id: number): void {
    this.#dueAtMs = undefined
    this.#members.delete(id)
    this.#newsSince.delete(id)
    this.#notified.delete(id)
  }

  /** Forgets what was told of alerts that are not there any more. */
  prune(): void {
    for (const id of this.#notified.keys()) if (!this.#members.has(id)) this.drop(id)
  }

  /** When the next notification is due; Infinity when none is. */
  dueAtMs(): number {
    this.#dueAtMs ??= this.#findDue()
    return this.#dueAtMs
  }

  #findDue(): number {
    const { groupWaitMs, groupIntervalMs, repeatIntervalMs } = this.#route
    let sinceMs = Infinity
    for (const [id, atMs] of this.#newsSince) {
      if (this.#members.get(id)?.mutedBy === undefined) sinceMs = Math.min(sinceMs, atMs)
    }
    if (sinceMs < Infinity)
      return Math.max(sinceMs + groupWaitMs, (this.#sentAtMs ?? -Infinity) + groupIntervalMs)
    if (this.#sentAtMs === undefined || !this.#toRepeat().next().value) return Infinity
    return this.#sentAtMs + repeatIntervalMs
  }

  /** What is to be told now; to be called when it is due. */
  plan(nowMs: number): PlannedNotification {
    const news = [...this.#newsSince.keys()].flatMap((id) => this.#unmuted(id))
    const subjects = news.length > 0 ? news : [...this.#toRepeat()]
    const ended = new Set(news.filter(({ state }) => state === 'resolved'))
    const left = [...this.#members.values()].filter((member) => !ended.has(member))
    return {
      groupKey: this.key,
      label: this.label,
      sinks: this.#route.sinks,
      reason: this.#reasonOf(news, left),
      sentAtMs: nowMs,
      alertIds: subjects.toSorted(worstFirst).map(({ id }) => id),
      stored: left.length === 0 ? undefined : this.#storedAfter(nowMs, news),
    }
  }

  /** The plan has been carried out. */
  confirm({ sentAtMs, stored, alertIds }: PlannedNotification): void {
    this.#dueAtMs = undefined
    this.#sentAtMs = sentAtMs
    this.#notified = new Map(stored?.notified)
    for (const id of alertIds) {
      this.#newsSince.delete(id)
      if (this.#members.get(id)?.state === 'resolved') this.#members.delete(id)
    }
  }

  #hasNews({ id, state, severity }: TrackedAlert): boolean {
    const told = this.#notified.get(id)
    switch (state) {
      case 'open':
        return told === undefined || severityRank(severity) > severityRank(told)
      case 'acknowledged':
        return false
      case 'resolved':
        return told !== undefined
      default:
        return state satisfies never
    }
  }

  #unmuted(id: number): readonly TrackedAlert[] {
    const member = this.#members.get(id)
    return member === undefined || member.mutedBy !== undefined ? [] : [member]
  }

  *#toRepeat(): Generator<TrackedAlert, undefined> {
    for (const member of this.#members.values()) {
      if (member.state === 'open' && member.mutedBy === undefined && this.#notified.has(member.id))
        yield member
    }
  }

  #reasonOf(news: readonly TrackedAlert[], left: readonly TrackedAlert[]): NotificationReason {
    if (news.length === 0) return 'repeat'
    if (this.#sentAtMs === undefined) return 'new'
    return left.some(({ state }) => state !== 'resolved') ? 'changed' : 'resolved'
  }

  #storedAfter(nowMs: number, news: readonly TrackedAlert[]): StoredGroup {
    const notified = new Map(this.#notified)
    for (const { id, state, severity } of news) {
      if (state === 'resolved') notified.delete(id)
      else notified.set(id, severity)
    }
    return { key: this.key, sentAtMs: nowMs, notified: [...notified] }
  }
}

function worstFirst(a: TrackedAlert, b: TrackedAlert): number {
  return severityRank(b.severity) - severityRank(a.severity) || b.id - a.id
}
