/**
 * The alerts' operations of the port, by name: their types, and the store thread's answers.
 */
import type { KeptEvidence } from '../../alerts/alert-evidence.ts'
import type { StoredGroup } from '../../alerts/alert-group.ts'
import { type AlertFilter, createFilter } from '../../alerts/alert-filter.ts'
import { type Alert, type AlertAction, ALERT_STATES } from '../../alerts/alert.ts'
import { severityRank } from '../../alerts/severity.ts'
import type { NewSilence, Silence } from '../../alerts/silence.ts'
import {
  type AlertChanges,
  type AlertQuery,
  type DeliveryNote,
  type LastMail,
  type MailNote,
  MAX_ALERTS_LISTED,
  type NotificationCommit,
  type NotificationRecord,
} from '../alert-store.ts'
import type { AlertNotes } from './alert-notes.ts'
import type { AlertRows } from './alert-rows.ts'
import type { Database, Entry } from './database.ts'
import type { GroupCommit } from './group-commit.ts'
import type { MailNotes } from './mail-notes.ts'
import { MAX_NUMBER, numbersOfPairKey, pairKey, PREFIX, wholePrefix } from './keys.ts'
import type { Outbox } from './outbox.ts'
import type { WriteBatch } from './write-batch.ts'

export interface AlertCalls {
  readonly list: { readonly args: AlertQuery; readonly answer: readonly Alert[] }
  readonly get: { readonly args: readonly number[]; readonly answer: readonly Alert[] }
  readonly evidence: { readonly args: { readonly alertId: number }; readonly answer: KeptEvidence }
  readonly unresolved: {
    readonly args: { readonly afterId: number; readonly limit: number }
    readonly answer: readonly Alert[]
  }
  readonly act: { readonly args: AlertAction; readonly answer: Alert | undefined }
  readonly changes: { readonly args: { readonly limit: number }; readonly answer: AlertChanges }
  readonly commitNotifications: { readonly args: NotificationCommit; readonly answer: undefined }
  readonly groups: { readonly args: undefined; readonly answer: readonly StoredGroup[] }
  readonly notifications: {
    readonly args: { readonly alertId: number }
    readonly answer: readonly NotificationRecord[]
  }
  readonly noteDelivery: { readonly args: DeliveryNote; readonly answer: boolean }
  readonly silences: { readonly args: undefined; readonly answer: readonly Silence[] }
  readonly addSilence: { readonly args: NewSilence; readonly answer: Silence | undefined }
  readonly removeSilence: { readonly args: { readonly id: string }; readonly answer: boolean }
  readonly lastMail: {
    readonly args: { readonly sink: string; readonly address: string }
    readonly answer: LastMail | undefined
  }
  readonly noteMail: { readonly args: MailNote; readonly answer: undefined }
}

export type AlertCallName = keyof AlertCalls
export type AlertAnswer = AlertCalls[AlertCallName]['answer']
export type AlertCall = {
  [Name in AlertCallName]: { readonly name: Name; readonly args: AlertCalls[Name]['args'] }
}[AlertCallName]

export interface AlertParts {
  readonly database: Database
  readonly writer: GroupCommit
  readonly outbox: Outbox
  readonly alertRows: AlertRows
  readonly alertNotes: AlertNotes
  readonly mailNotes: MailNotes
}

const PAGE = 256

/** Does what was asked for; resolves when it is on disk, if it changes anything. */
export async function answerAlertCall(parts: AlertParts, call: AlertCall): Promise<AlertAnswer> {
  const { alertRows, alertNotes } = parts
  switch (call.name) {
    case 'list':
      return await listAlerts(parts, call.args)
    case 'get':
      return readAll(alertRows, call.args)
    case 'evidence':
      return alertRows.readEvidence(call.args.alertId)
    case 'unresolved':
      return readAll(alertRows, alertRows.openIds(call.args.afterId, call.args.limit))
    case 'act':
      return await changed(parts, () => alertRows.stageAction(call.args))
    case 'changes':
      return changesOf(alertRows, call.args.limit)
    case 'commitNotifications':
      await parts.writer.submit('change', (batch) => stageNotifications(parts, batch, call.args))
      return undefined
    case 'groups':
      return await alertNotes.groups()
    case 'notifications':
      return await alertNotes.listOf(call.args.alertId)
    case 'noteDelivery':
      return await changed(parts, (batch) => alertNotes.stageDelivery(batch, call.args))
    case 'silences':
      return await alertNotes.silences()
    case 'addSilence':
      return await changed(parts, (batch) => alertNotes.stageSilence(batch, call.args))
    case 'removeSilence':
      return await changed(parts, (batch) => alertNotes.stageRemoveSilence(batch, call.args.id))
    case 'lastMail':
      return parts.mailNotes.last(call.args.sink, call.args.address)
    case 'noteMail':
      await parts.writer.submit('change', (batch) => parts.mailNotes.stage(batch, call.args))
      return undefined
    default:
      return call satisfies never
  }
}

async function changed<T>({ writer }: AlertParts, stage: (batch: WriteBatch) => T): Promise<T | undefined> {
  let answer: T | undefined
  await writer.submit('change', (batch) => {
    answer = stage(batch)
  })
  return answer
}

function stageNotifications(
  { alertRows, alertNotes, outbox }: AlertParts,
  batch: WriteBatch,
  commit: NotificationCommit,
): void {
  for (const message of commit.messages) outbox.stageAdd(batch, message)
  for (const notification of commit.notifications) alertNotes.stageNotification(batch, notification)
  alertNotes.stageGroups(batch, commit.groups, commit.goneGroups)
  alertRows.stageHandled(batch, commit.handled, commit.handledErased)
}

function readAll(alertRows: AlertRows, ids: readonly number[]): readonly Alert[] {
  return ids.flatMap((id) => alertRows.read(id) ?? [])
}

function changesOf(alertRows: AlertRows, limit: number): AlertChanges {
  const ids = alertRows.unlooked(limit)
  const alerts = readAll(alertRows, ids)
  const found = new Set(alerts.map(({ id }) => id))
  return { alerts, erased: ids.filter((id) => !found.has(id)) }
}

async function listAlerts({ database, alertRows }: AlertParts, query: AlertQuery): Promise<readonly Alert[]> {
  const limit = Math.max(0, Math.min(query.limit, MAX_ALERTS_LISTED))
  const filter = createFilter(query)
  const { from, to } = wholePrefix(PREFIX.alertByTime)
  const oldest = query.sinceMs === undefined ? 0 : Math.max(0, Math.floor(query.sinceMs))
  const end = oldest === 0 ? to : pairKey(PREFIX.alertByTime, MAX_NUMBER - oldest + 1, 0)
  const found: Alert[] = []
  if (limit === 0) return found
  for await (const page of database.pages({ from, to: end }, PAGE)) {
    for (const [key] of page.filter((entry) => mayMatch(entry, query))) {
      const alert = alertRows.read(numbersOfPairKey(key)[1])
      if (alert !== undefined && filter(alert)) found.push(alert)
      if (found.length === limit) return found
    }
  }
  return found
}

/** As far as the index knows. */
function mayMatch([, value]: Entry, { leastSeverity, states }: AlertFilter): boolean {
  const state = ALERT_STATES[value[1] ?? 0]
  return (
    (leastSeverity === undefined || (value[0] ?? 0) >= severityRank(leastSeverity)) &&
    (states === undefined || state === undefined || states.includes(state))
  )
}
