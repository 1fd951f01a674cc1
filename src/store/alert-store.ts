/**
 * The alerts' face of the store's port: alerts, what routing has to look at, what was told to whom, silences. Alerts are
 * raised with the outcomes of runs (store.ts); here they are read, acted upon and told of. Types only. Times are Unix
 * milliseconds and come from the caller.
 */
import type { KeptEvidence } from '../alerts/alert-evidence.ts'
import type { StoredGroup } from '../alerts/alert-group.ts'
import type { Alert, AlertAction, AlertState } from '../alerts/alert.ts'
import type { Severity } from '../alerts/severity.ts'
import type { NewSilence, Silence } from '../alerts/silence.ts'
import type { OutboxMessage } from './store.ts'

export interface AlertQuery {
  /** Raised last at this time or later. */
  readonly sinceMs?: number
  /** At least so bad. */
  readonly leastSeverity?: Severity
  readonly states?: readonly AlertState[]
  /** In rule and key `*` stands for any text, `?` for any one character. */
  readonly rule?: string
  readonly key?: string
  /** At most 10,000. */
  readonly limit: number
}

/** What routing has not looked at yet. */
export interface AlertChanges {
  /** In the order in which they changed, as they are now. */
  readonly alerts: readonly Alert[]
  /** Alerts that were erased. */
  readonly erased: readonly number[]
}

export type DeliveryState = 'queued' | 'retrying' | 'delivered' | 'failed'

/** What became of a notification at one sink. */
export interface NotificationDelivery {
  readonly sink: string
  readonly deliveryId: string
  readonly state: DeliveryState
  readonly tries: number
  /** When this was last known; until then that of the notification. */
  readonly atMs: number
  /** Whom it went to, as the sink says: addresses, a host, a URL without credentials. */
  readonly to: string
  /** What the other side answered to the last try. */
  readonly answer: string
}

export interface NewNotification {
  readonly atMs: number
  readonly group: string
  readonly reason: 'new' | 'changed' | 'repeat' | 'resolved'
  readonly total: number
  /** At most 1000 of the alerts that it is about; it is found under these. */
  readonly alertIds: readonly number[]
  readonly deliveries: readonly NotificationDelivery[]
}

export interface NotificationRecord extends NewNotification {
  readonly id: number
}

/** What routing has done, all or nothing. */
export interface NotificationCommit {
  /** Alerts that were looked at, as of this revision; a later change is still to be looked at. */
  readonly handled: readonly { readonly id: number; readonly revision: number }[]
  readonly handledErased: readonly number[]
  readonly messages: readonly OutboxMessage[]
  readonly groups: readonly StoredGroup[]
  readonly goneGroups: readonly string[]
  readonly notifications: readonly NewNotification[]
}

/** One try of a delivery, by the sender. */
export type DeliveryNote = NotificationDelivery

/** Somebody was written to. */
export interface MailNote {
  /** Name given to addAlertSink. */
  readonly sink: string
  /** Not kept, but for a hash of it. */
  readonly address: string
  /** Logins that the mail was about: forgetting one of them erases the note. */
  readonly logins: readonly string[]
  readonly deliveryId: string
  readonly atMs: number
  /** From then on nobody asks for it. */
  readonly keepUntilMs: number
}

/** The last mail that an address got through a sink. */
export type LastMail = Pick<MailNote, 'deliveryId' | 'atMs'>

export interface AlertCounts {
  /** Not resolved, by severity from info to critical. */
  readonly open: readonly [info: number, low: number, medium: number, high: number, critical: number]
  readonly resolved: number
  /** Resolved because there were more than the store may hold, since start. */
  readonly evicted: number
}

export const NO_ALERT_COUNTS: AlertCounts = { open: [0, 0, 0, 0, 0], resolved: 0, evicted: 0 }

export interface AlertStore {
  /** Raised last comes first. */
  list(query: AlertQuery): Promise<readonly Alert[]>
  /** Those that exist, in the order asked for; at most 1000. */
  get(ids: readonly number[]): Promise<readonly Alert[]>
  /** What is kept for explaining an alert; empty when there is no such alert. */
  evidence(alertId: number): Promise<KeptEvidence>
  /** Alerts that are not resolved, by number, from the one after `afterId` on. */
  unresolved(afterId: number, limit: number): Promise<readonly Alert[]>
  /** The alert afterwards; unchanged when there was nothing to do in its state; undefined when there is none. */
  act(action: AlertAction): Promise<Alert | undefined>
  changes(limit: number): Promise<AlertChanges>
  commitNotifications(commit: NotificationCommit): Promise<void>
  groups(): Promise<readonly StoredGroup[]>
  /** Newest first, at most 100. */
  notifications(alertId: number): Promise<readonly NotificationRecord[]>
  /** False when no notification has this delivery. */
  noteDelivery(note: DeliveryNote): Promise<boolean>
  /** Those made at run time that are not over, oldest first. */
  silences(): Promise<readonly Silence[]>
  /** undefined when there are as many as may be. */
  addSilence(silence: NewSilence): Promise<Silence | undefined>
  removeSilence(id: string): Promise<boolean>
  lastMail(sink: string, address: string): Promise<LastMail | undefined>
  /** Takes the place of the last note of the same sink and address. */
  noteMail(note: MailNote): Promise<void>
}

/** At most so many alerts are found by a notification, and so many notifications by an alert. */
export const MAX_NOTIFIED_IDS = 1000
export const MAX_NOTIFICATIONS_LISTED = 100
export const MAX_ALERTS_LISTED = 10_000

/** Defaults of what the adapters keep. */
export const ALERT_STORE_DEFAULTS = {
  /** setAlertHistory: resolved alerts are kept for so long, and what was told of them. */
  alertHistoryDays: 90,
  /** Above this the least and oldest are resolved. */
  maxOpenAlerts: 100_000,
  /** Above these the oldest go. */
  maxResolvedAlerts: 1_000_000,
  maxNotifications: 100_000,
  maxMailNotes: 100_000,
} as const
