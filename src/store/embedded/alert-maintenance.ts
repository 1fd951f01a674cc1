/**
 * What becomes of alerts over time: resolved when they are quiet, gone when they are old, erased with a login. Store
 * thread; in steps, as maintenance.ts does it.
 */
import { namesLogin } from '../../alerts/alert-changes.ts'
import { evidenceNames } from '../../alerts/alert-evidence.ts'
import { ALERT_STORE_DEFAULTS } from '../alert-store.ts'
import type { AlertParts } from './alert-calls.ts'
import { decodeAlert, decodeEvidence } from './alert-records.ts'
import type { Database } from './database.ts'
import { numbersOfPairKey, pairKey, PREFIX, wholePrefix } from './keys.ts'

/** Alerts of one step: each may be twenty kilobytes. */
const STEP = 64

export interface AlertMaintenanceDeps extends Omit<AlertParts, 'database' | 'outbox'> {
  readonly database: () => Database
  readonly alertHistoryMs: number
  readonly isStopped: () => boolean
}

/** Resolves what is quiet, removes what is older than the history or above its bounds. */
export async function expireAlerts(deps: AlertMaintenanceDeps, nowMs: number): Promise<void> {
  const { writer, alertRows, alertNotes, mailNotes, alertHistoryMs, isStopped } = deps
  await mailNotes.expire(writer, nowMs, isStopped)
  for (const ids of steps(alertRows.quietIds(nowMs))) {
    if (isStopped()) return
    await writer.join(() => alertRows.stageResolve(ids, 'quiet', nowMs))
  }
  const over = (await alertNotes.silences()).filter((silence) => silence.untilMs <= nowMs)
  if (over.length > 0) {
    await writer.join((batch) => {
      for (const { id } of over) alertNotes.stageRemoveSilence(batch, id)
    })
  }
  const untilMs = nowMs - alertHistoryMs
  for (;;) {
    const ids = await expiredAlerts(deps, untilMs)
    if (ids.length === 0 || isStopped()) break
    await writer.join((batch) => void alertRows.stageRemove(batch, ids, 'expired'))
  }
  for (;;) {
    const records = await alertNotes.expired(untilMs, ALERT_STORE_DEFAULTS.maxNotifications)
    if (records.length === 0 || isStopped()) return
    await writer.join((batch) => alertNotes.stageRemove(batch, records))
  }
}

/**
 * Erases the alerts that name a login, what was told of them alone, and what is kept for explaining others and names it.
 *
 * @returns how many alerts
 */
export async function forgetAlerts(
  parts: Omit<AlertParts, 'mailNotes' | 'outbox'>,
  login: string,
): Promise<number> {
  const { database, writer, alertRows, alertNotes } = parts
  const ids: number[] = []
  for await (const page of database.pages(wholePrefix(PREFIX.alert), STEP)) {
    for (const [key, value] of page) {
      const alert = decodeAlert(key, value)
      if (namesLogin(alert, login)) ids.push(alert.id)
    }
  }
  let erased = 0
  for (const step of steps(ids)) {
    const told = await Promise.all(step.map((id) => alertNotes.listOf(id)))
    const alone = told.flat().filter(({ total, group }) => total === 1 || group.includes(login))
    await writer.submit('maintenance', (batch) => {
      erased += alertRows.stageRemove(batch, step, 'erased')
      alertNotes.stageRemove(batch, alone)
    })
  }
  await forgetEvidence(parts, login)
  return erased
}

/** Of alerts that are about others, such as one whose policy had read what this login did. */
async function forgetEvidence(
  { database, writer }: Pick<AlertParts, 'database' | 'writer'>,
  login: string,
): Promise<void> {
  const named: Uint8Array[] = []
  for await (const page of database.pages(wholePrefix(PREFIX.alertEvidence), STEP))
    for (const [key, value] of page) if (evidenceNames(decodeEvidence(key, value), login)) named.push(key)
  for (const step of steps(named)) {
    await writer.submit('maintenance', (batch) => {
      for (const key of step) batch.delete(key)
    })
  }
}

/** The next step of resolved alerts to let go: the oldest come first. */
async function expiredAlerts(
  { database, alertRows }: AlertMaintenanceDeps,
  untilMs: number,
): Promise<readonly number[]> {
  const { from, to } = wholePrefix(PREFIX.alertResolved)
  const surplus = alertRows.counts.resolved - ALERT_STORE_DEFAULTS.maxResolvedAlerts
  const end = surplus > 0 ? to : pairKey(PREFIX.alertResolved, untilMs + 1, 0)
  const page = await database().scan({ from, to: end, limit: STEP })
  return page
    .map(([key]) => numbersOfPairKey(key))
    .filter(([atMs], index) => atMs <= untilMs || index < surplus)
    .map(([, id]) => id)
}

function steps<T>(all: readonly T[]): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(all.length / STEP) }, (_, index) =>
    all.slice(index * STEP, (index + 1) * STEP),
  )
}
