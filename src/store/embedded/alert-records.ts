/**
 * Values and keys of alerts and of what was told of them. Pure; used on the store thread. The values are JSON, unlike
 * those of the hot path: a run rarely raises an alert, and a member that a later version adds needs no migration. Every
 * value is sealed.
 */
import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import type { AlertEvidence } from '../../alerts/alert-evidence.ts'
import type { StoredGroup } from '../../alerts/alert-group.ts'
import { ALERT_STATES, type Alert } from '../../alerts/alert.ts'
import { severityRank } from '../../alerts/severity.ts'
import type { Silence } from '../../alerts/silence.ts'
import type { MailNote, NotificationRecord } from '../alert-store.ts'
import { MAX_NUMBER, pairKey, PREFIX } from './keys.ts'
import { seal, unseal } from './sealed-value.ts'

/** What is kept of a mail: the key says where it went. */
export type MailRecord = Omit<MailNote, 'sink' | 'address'>

/** The value of a record; lone surrogates become escapes, so every text survives. */
export function sealJson(key: Uint8Array, record: unknown): Uint8Array {
  return sealText(key, JSON.stringify(record))
}

/** As sealJson, of what is JSON text already. */
export function sealText(key: Uint8Array, json: string): Uint8Array {
  return seal(key, Buffer.from(json, 'utf8'))
}

/** @throws TrackError TRK_STORE_DAMAGED when it is not what was stored; so do those below */
export function decodeAlert(key: Uint8Array, sealed: Uint8Array): Alert {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the seal says that sealJson wrote it under this key
  return unsealJson(key, sealed) as Alert
}

export function decodeEvidence(key: Uint8Array, sealed: Uint8Array): AlertEvidence {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
  return unsealJson(key, sealed) as AlertEvidence
}

export function decodeNotification(key: Uint8Array, sealed: Uint8Array): NotificationRecord {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
  return unsealJson(key, sealed) as NotificationRecord
}

export function decodeGroup(key: Uint8Array, sealed: Uint8Array): StoredGroup {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
  return unsealJson(key, sealed) as StoredGroup
}

export function decodeSilence(key: Uint8Array, sealed: Uint8Array): Silence {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
  return unsealJson(key, sealed) as Silence
}

export function decodeMail(key: Uint8Array, sealed: Uint8Array): MailRecord {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
  return unsealJson(key, sealed) as MailRecord
}

function unsealJson(key: Uint8Array, sealed: Uint8Array): unknown {
  return JSON.parse(Buffer.from(unseal(key, sealed)).toString('utf8'))
}

/** Of which raise evidence is. */
export type EvidenceOf = 'first' | 'latest'

export function evidenceKey(alertId: number, of: EvidenceOf): Uint8Array {
  return pairKey(PREFIX.alertEvidence, alertId, of === 'first' ? 0 : 1)
}

/** Index by time: the one that was raised last comes first. */
export function timeKey({ lastAtMs, id }: Pick<Alert, 'lastAtMs' | 'id'>): Uint8Array {
  const time = Math.min(MAX_NUMBER, Math.max(0, Math.floor(lastAtMs)))
  return pairKey(PREFIX.alertByTime, MAX_NUMBER - time, id)
}

/** Value of the index by time, so that a search need not read alerts that it does not want. */
export function timeValue({ severity, state }: Pick<Alert, 'severity' | 'state'>): Uint8Array {
  return Uint8Array.of(severityRank(severity), ALERT_STATES.indexOf(state))
}

export function resolvedKey(alert: Pick<Alert, 'id' | 'resolved'>): Uint8Array {
  return pairKey(PREFIX.alertResolved, alert.resolved?.atMs ?? 0, alert.id)
}

/** The key of a group's state: its own key may be long, and hold what is no UTF-8. */
export function groupKey(key: string): Uint8Array {
  const hash = createHash('sha256').update(Buffer.from(key, 'utf16le')).digest()
  const bytes = new Uint8Array(1 + hash.length)
  bytes[0] = PREFIX.alertGroup
  bytes.set(hash, 1)
  return bytes
}

/** Under which an open alert is found when it is raised again: short, however long rule and key are. */
export function dedupKey(rule: string, key: string): string {
  const whole = JSON.stringify([rule, key])
  return whole.length <= 64 ? whole : createHash('sha256').update(whole).digest('base64')
}
