/**
 * What was told of alerts, the state of their groups, and the silences made at run time. Store thread; memory holds next
 * numbers and those of the silences.
 */
import type { StoredGroup } from '../../alerts/alert-group.ts'
import { MAX_SILENCES, type NewSilence, type Silence } from '../../alerts/silence.ts'
import {
  type DeliveryNote,
  MAX_NOTIFICATIONS_LISTED,
  MAX_NOTIFIED_IDS,
  type NewNotification,
  type NotificationRecord,
} from '../alert-store.ts'
import { groupKey, sealJson, decodeNotification, decodeGroup, decodeSilence } from './alert-records.ts'
import type { Database, Entry } from './database.ts'
import {
  MAX_NUMBER,
  metaKey,
  numberKey,
  numberOfKey,
  numbersOfPairKey,
  pairKey,
  PREFIX,
  textKey,
  wholePrefix,
} from './keys.ts'
import { putNumbers, readNumbers } from './meta.ts'
import { seal, unseal } from './sealed-value.ts'
import type { WriteBatch } from './write-batch.ts'
import type { Participant } from './write-jobs.ts'

/** Next numbers of a notification and of a silence. */
export const NOTE_COUNTERS = metaKey('alert-notes')
const PAGE = 256

export class AlertNotes implements Participant {
  readonly #database: () => Database
  #nextNotification = 1
  #nextSilence = 1
  readonly #silences = new Set<number>()
  /** Notifications that the batch in work has changed. */
  readonly #staged = new Map<number, NotificationRecord>()

  constructor(database: () => Database) {
    this.#database = database
  }

  async load(): Promise<void> {
    const [notification, silence] = readNumbers(this.#database(), NOTE_COUNTERS) ?? []
    this.#nextNotification = notification ?? 1
    this.#nextSilence = silence ?? 1
    for await (const page of this.#database().pages(wholePrefix(PREFIX.silence), PAGE))
      for (const [key] of page) this.#silences.add(numberOfKey(key))
  }

  stageNotification(batch: WriteBatch, notification: NewNotification): void {
    const id = this.#nextNotification++
    const record = { ...notification, alertIds: notification.alertIds.slice(0, MAX_NOTIFIED_IDS), id }
    this.#stageRecord(batch, record)
    stageNotificationIndexes(batch, record)
    this.#stageCounters(batch)
  }

  /** Newest first. */
  async listOf(alertId: number): Promise<readonly NotificationRecord[]> {
    const entries = await this.#database().scan({
      from: pairKey(PREFIX.notificationByAlert, alertId, 0),
      to: pairKey(PREFIX.notificationByAlert, alertId + 1, 0),
      limit: MAX_NOTIFICATIONS_LISTED,
    })
    return entries.flatMap(([key]) => {
      const record = this.#read(numberKey(PREFIX.notification, MAX_NUMBER - numbersOfPairKey(key)[1]))
      return record === undefined ? [] : [record]
    })
  }

  /** False when no notification has this delivery. */
  stageDelivery(batch: WriteBatch, note: DeliveryNote): boolean {
    const key = textKey(PREFIX.notificationByDelivery, note.deliveryId)
    const sealed = this.#database().get(key)
    const record = sealed === undefined ? undefined : this.#read(unseal(key, sealed))
    if (record === undefined) return false
    this.#stageRecord(batch, {
      ...record,
      deliveries: record.deliveries.map((delivery) =>
        delivery.deliveryId === note.deliveryId ? { ...delivery, ...note } : delivery,
      ),
    })
    return true
  }

  /** The oldest notifications: those up to a time, and those above a maximum. At most one page. */
  async expired(untilMs: number, maxNotifications: number): Promise<readonly NotificationRecord[]> {
    const page = await this.#database().scan({ ...wholePrefix(PREFIX.notification), limit: PAGE })
    const records = page.map(recordOf)
    const surplus = this.#nextNotification - (records[0]?.id ?? this.#nextNotification) - maxNotifications
    // Numbers grow with time.
    return records.filter(({ atMs }, index) => atMs <= untilMs || index < surplus)
  }

  stageRemove(batch: WriteBatch, records: readonly NotificationRecord[]): void {
    for (const { id, alertIds, deliveries } of records) {
      batch.delete(numberKey(PREFIX.notification, id))
      for (const alertId of alertIds)
        batch.delete(pairKey(PREFIX.notificationByAlert, alertId, MAX_NUMBER - id))
      for (const { deliveryId } of deliveries)
        batch.delete(textKey(PREFIX.notificationByDelivery, deliveryId))
    }
  }

  stageGroups(batch: WriteBatch, groups: readonly StoredGroup[], gone: readonly string[]): void {
    for (const group of groups) {
      const key = groupKey(group.key)
      batch.put(key, sealJson(key, group))
    }
    for (const key of gone) batch.delete(groupKey(key))
  }

  async groups(): Promise<readonly StoredGroup[]> {
    return await this.#all(PREFIX.alertGroup, decodeGroup)
  }

  /** undefined when there are as many as may be. */
  stageSilence(batch: WriteBatch, silence: NewSilence): Silence | undefined {
    if (this.#silences.size >= MAX_SILENCES) return undefined
    const number = this.#nextSilence++
    this.#silences.add(number)
    const made = { ...silence, id: `s${number}` }
    const key = numberKey(PREFIX.silence, number)
    batch.put(key, sealJson(key, made))
    this.#stageCounters(batch)
    return made
  }

  stageRemoveSilence(batch: WriteBatch, id: string): boolean {
    const number = /^s(\d{1,14})$/.exec(id)?.[1]
    if (number === undefined || !this.#silences.delete(Number(number))) return false
    batch.delete(numberKey(PREFIX.silence, Number(number)))
    return true
  }

  async silences(): Promise<readonly Silence[]> {
    return await this.#all(PREFIX.silence, decodeSilence)
  }

  finishAll(): void {
    this.#staged.clear()
  }

  #stageRecord(batch: WriteBatch, record: NotificationRecord): void {
    this.#staged.set(record.id, record)
    const key = numberKey(PREFIX.notification, record.id)
    batch.put(key, sealJson(key, record))
  }

  #stageCounters(batch: WriteBatch): void {
    putNumbers(batch, NOTE_COUNTERS, [this.#nextNotification, this.#nextSilence])
  }

  #read(key: Uint8Array): NotificationRecord | undefined {
    const staged = this.#staged.get(numberOfKey(key))
    if (staged !== undefined) return staged
    const sealed = this.#database().get(key)
    return sealed === undefined ? undefined : decodeNotification(key, sealed)
  }

  async #all<T>(prefix: number, decode: (key: Uint8Array, value: Uint8Array) => T): Promise<readonly T[]> {
    const all: T[] = []
    for await (const page of this.#database().pages(wholePrefix(prefix), PAGE))
      for (const [key, value] of page) all.push(decode(key, value))
    return all
  }
}

function recordOf([key, value]: Entry): NotificationRecord {
  return decodeNotification(key, value)
}

/** By alert and by delivery. */
export function stageNotificationIndexes(
  batch: WriteBatch,
  { id, alertIds, deliveries }: NotificationRecord,
): void {
  for (const alertId of alertIds)
    batch.put(pairKey(PREFIX.notificationByAlert, alertId, MAX_NUMBER - id), new Uint8Array(0))
  for (const { deliveryId } of deliveries) {
    const key = textKey(PREFIX.notificationByDelivery, deliveryId)
    batch.put(key, seal(key, numberKey(PREFIX.notification, id)))
  }
}
