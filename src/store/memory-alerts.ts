/**
 * The alerts of the in-memory store. Pure state but for the delay of its answers; see memory-store.ts.
 */
import type { StoredGroup } from '../alerts/alert-group.ts'
import {
  acted,
  isRaisedAgain,
  namesLogin,
  newAlert,
  quietAtMs,
  raisedAgain,
  resolvedFor,
} from '../alerts/alert-changes.ts'
import {
  type AlertEvidence,
  evidenceNames,
  evidenceText,
  type KeptEvidence,
} from '../alerts/alert-evidence.ts'
import { createFilter } from '../alerts/alert-filter.ts'
import type { Alert, AlertAction, AlertEffect, RaiseEffect } from '../alerts/alert.ts'
import { SEVERITIES, severityRank } from '../alerts/severity.ts'
import { MAX_SILENCES, type NewSilence, type Silence } from '../alerts/silence.ts'
import {
  ALERT_STORE_DEFAULTS,
  type AlertChanges,
  type AlertCounts,
  type AlertQuery,
  type AlertStore,
  type DeliveryNote,
  type LastMail,
  type MailNote,
  MAX_ALERTS_LISTED,
  MAX_NOTIFICATIONS_LISTED,
  MAX_NOTIFIED_IDS,
  type NotificationCommit,
  type NotificationRecord,
} from './alert-store.ts'
import type { OutboxMessage } from './store.ts'

interface MemoryAlertsDeps {
  /** Does the work when the answer is due. */
  readonly later: <T>(work: () => T) => Promise<T>
  readonly addMessage: (message: OutboxMessage) => void
  readonly maxOpenAlerts: number
  readonly alertHistoryMs: number
}

export class MemoryAlerts implements AlertStore {
  readonly #deps: MemoryAlertsDeps
  readonly #alerts = new Map<number, Alert>()
  readonly #evidence = new Map<number, KeptEvidence>()
  readonly #unlooked = new Set<number>()
  readonly #groups = new Map<string, StoredGroup>()
  readonly #notifications: NotificationRecord[] = []
  readonly #silences = new Map<string, Silence>()
  /** By sink and address. */
  readonly #mails = new Map<string, MailNote>()
  #nextId = 1
  #nextNotification = 1
  #nextSilence = 1
  #evicted = 0
  /** Another value counts from the next expiry on. */
  alertHistoryMs: number

  constructor(deps: MemoryAlertsDeps) {
    this.#deps = deps
    this.alertHistoryMs = deps.alertHistoryMs
  }

  counts(): AlertCounts {
    const open = this.#open()
    const count = (rank: number): number => open.filter((alert) => alert.severity === SEVERITIES[rank]).length
    return {
      open: [count(0), count(1), count(2), count(3), count(4)],
      resolved: this.#alerts.size - open.length,
      evicted: this.#evicted,
    }
  }

  apply(effect: AlertEffect, reportId: number | undefined): void {
    const open = this.#open().find(({ rule, key }) => rule === effect.rule && key === effect.key)
    if (effect.kind === 'raise') this.#raise(effect, open, reportId)
    else if (open !== undefined) this.#set(resolvedFor(open, 'policy', effect.atMs))
  }

  expire(nowMs: number): void {
    for (const alert of this.#open())
      if (quietAtMs(alert) <= nowMs) this.#set(resolvedFor(alert, 'quiet', nowMs))
    for (const { id, untilMs } of this.#silences.values()) if (untilMs <= nowMs) this.#silences.delete(id)
    const mails = [...this.#mails].toSorted(([, a], [, b]) => a.keepUntilMs - b.keepUntilMs)
    const surplus = mails.length - ALERT_STORE_DEFAULTS.maxMailNotes
    for (const [index, [key, { keepUntilMs }]] of mails.entries())
      if (index < surplus || keepUntilMs <= nowMs) this.#mails.delete(key)
    const untilMs = nowMs - this.alertHistoryMs
    for (const { id, resolved } of this.#alerts.values()) {
      if (resolved === undefined || resolved.atMs > untilMs) continue
      this.#alerts.delete(id)
      this.#evidence.delete(id)
      this.#unlooked.delete(id)
    }
    this.#keepNotifications(({ atMs }) => atMs > untilMs)
  }

  forget(login: string): number {
    const named = [...this.#alerts.values()].filter((alert) => namesLogin(alert, login))
    for (const { id } of named) {
      this.#alerts.delete(id)
      this.#evidence.delete(id)
      this.#unlooked.add(id)
      this.#keepNotifications(
        ({ alertIds, total, group }) => !alertIds.includes(id) || !(total === 1 || group.includes(login)),
      )
    }
    for (const [id, { first, latest }] of this.#evidence) {
      this.#evidence.set(id, {
        ...(first === undefined || evidenceNames(first, login) ? {} : { first }),
        ...(latest === undefined || evidenceNames(latest, login) ? {} : { latest }),
      })
    }
    return named.length
  }

  forgetMails(login: string): number {
    const named = [...this.#mails].filter(([, { logins }]) => logins.includes(login))
    for (const [key] of named) this.#mails.delete(key)
    return named.length
  }

  list(query: AlertQuery): Promise<readonly Alert[]> {
    const filter = createFilter(query)
    return this.#deps.later(() =>
      [...this.#alerts.values()]
        .filter(filter)
        .toSorted((a, b) => Math.floor(b.lastAtMs) - Math.floor(a.lastAtMs) || a.id - b.id)
        .slice(0, Math.max(0, Math.min(query.limit, MAX_ALERTS_LISTED))),
    )
  }

  get(ids: readonly number[]): Promise<readonly Alert[]> {
    return this.#deps.later(() => ids.flatMap((id) => this.#alerts.get(id) ?? []))
  }

  evidence(alertId: number): Promise<KeptEvidence> {
    return this.#deps.later(() => this.#evidence.get(alertId) ?? {})
  }

  unresolved(afterId: number, limit: number): Promise<readonly Alert[]> {
    return this.#deps.later(() =>
      this.#open()
        .filter(({ id }) => id > afterId)
        .slice(0, limit),
    )
  }

  act(action: AlertAction): Promise<Alert | undefined> {
    return this.#deps.later(() => {
      const before = this.#alerts.get(action.id)
      const after = before === undefined ? undefined : acted(before, action)
      if (after !== undefined) this.#set(after)
      return after ?? before
    })
  }

  changes(limit: number): Promise<AlertChanges> {
    return this.#deps.later(() => {
      const ids = [...this.#unlooked].slice(0, limit)
      return {
        alerts: ids.flatMap((id) => this.#alerts.get(id) ?? []),
        erased: ids.filter((id) => !this.#alerts.has(id)),
      }
    })
  }

  commitNotifications(commit: NotificationCommit): Promise<void> {
    return this.#deps.later(() => {
      for (const message of commit.messages) this.#deps.addMessage(message)
      for (const made of commit.notifications) {
        const alertIds = made.alertIds.slice(0, MAX_NOTIFIED_IDS)
        this.#notifications.push({ ...made, alertIds, id: this.#nextNotification++ })
      }
      for (const group of commit.groups) this.#groups.set(group.key, group)
      for (const key of commit.goneGroups) this.#groups.delete(key)
      for (const { id, revision } of commit.handled)
        if (this.#alerts.get(id)?.revision === revision) this.#unlooked.delete(id)
      for (const id of commit.handledErased) this.#unlooked.delete(id)
    })
  }

  groups(): Promise<readonly StoredGroup[]> {
    return this.#deps.later(() => [...this.#groups.values()])
  }

  notifications(alertId: number): Promise<readonly NotificationRecord[]> {
    return this.#deps.later(() =>
      this.#notifications
        .filter(({ alertIds }) => alertIds.includes(alertId))
        .toReversed()
        .slice(0, MAX_NOTIFICATIONS_LISTED),
    )
  }

  noteDelivery(note: DeliveryNote): Promise<boolean> {
    return this.#deps.later(() => {
      const isOf = ({ deliveries }: NotificationRecord): boolean =>
        deliveries.some(({ deliveryId }) => deliveryId === note.deliveryId)
      const at = this.#notifications.findIndex(isOf)
      const record = this.#notifications[at]
      if (record === undefined) return false
      const deliveries = record.deliveries.map((delivery) =>
        delivery.deliveryId === note.deliveryId ? { ...delivery, ...note } : delivery,
      )
      this.#notifications[at] = { ...record, deliveries }
      return true
    })
  }

  silences(): Promise<readonly Silence[]> {
    return this.#deps.later(() => [...this.#silences.values()])
  }

  addSilence(silence: NewSilence): Promise<Silence | undefined> {
    return this.#deps.later(() => {
      if (this.#silences.size >= MAX_SILENCES) return undefined
      const made = { ...silence, id: `s${this.#nextSilence++}` }
      this.#silences.set(made.id, made)
      return made
    })
  }

  removeSilence(id: string): Promise<boolean> {
    return this.#deps.later(() => this.#silences.delete(id))
  }

  lastMail(sink: string, address: string): Promise<LastMail | undefined> {
    return this.#deps.later(() => {
      const note = this.#mails.get(mailKey(sink, address))
      return note === undefined ? undefined : { deliveryId: note.deliveryId, atMs: note.atMs }
    })
  }

  noteMail(note: MailNote): Promise<void> {
    return this.#deps.later(() => void this.#mails.set(mailKey(note.sink, note.address), note))
  }

  #open(): readonly Alert[] {
    return [...this.#alerts.values()].filter(({ state }) => state !== 'resolved')
  }

  #raise(raise: RaiseEffect, open: Alert | undefined, reportId: number | undefined): void {
    if (open !== undefined && isRaisedAgain(open, raise)) {
      this.#set(raisedAgain(open, raise, reportId))
      const latest = evidenceOf(raise, reportId)
      if (latest !== undefined) this.#evidence.set(open.id, { ...this.#evidence.get(open.id), latest })
      return
    }
    if (open !== undefined) this.#set(resolvedFor(open, 'raised-anew', raise.atMs))
    const first = evidenceOf(raise, reportId)
    if (first !== undefined) this.#evidence.set(this.#nextId, { first })
    this.#set(newAlert(this.#nextId++, raise, reportId))
    const { maxOpenAlerts } = this.#deps
    for (let all = this.#open(); all.length > maxOpenAlerts; all = this.#open()) {
      const least = Math.min(...all.map(({ severity }) => severityRank(severity)))
      const victims = all
        .filter(({ severity }) => severityRank(severity) === least)
        .toSorted((a, b) => a.lastAtMs - b.lastAtMs)
        .slice(0, all.length - maxOpenAlerts + Math.floor(maxOpenAlerts / 100))
      for (const victim of victims) this.#set(resolvedFor(victim, 'too-many', raise.atMs))
      this.#evicted += victims.length
    }
  }

  #set(alert: Alert): void {
    if (this.#alerts.get(alert.id)?.revision !== alert.revision) this.#unlooked.add(alert.id)
    this.#alerts.set(alert.id, alert)
  }

  #keepNotifications(isKept: (record: NotificationRecord) => boolean): void {
    const kept = this.#notifications.filter(isKept).slice(-ALERT_STORE_DEFAULTS.maxNotifications)
    this.#notifications.splice(0, Infinity, ...kept)
  }
}

function mailKey(sink: string, address: string): string {
  return JSON.stringify([sink, address])
}

function evidenceOf(raise: RaiseEffect, reportId: number | undefined): AlertEvidence | undefined {
  const text = evidenceText(raise, reportId)
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- that is what evidenceText writes
  return text === undefined ? undefined : (JSON.parse(text) as AlertEvidence)
}
