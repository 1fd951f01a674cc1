/**
 * Erases what is kept of a login, kind by kind. Store thread. Each step joins a batch and is checked again there; a crash in
 * the middle leaves the rest, and the call can be made again.
 *
 * A new kind of data about a login: a member of `Forgotten` in the port, and its function in `ERASERS`.
 */
import type { Forgotten } from '../store.ts'
import { forgetAlerts } from './alert-maintenance.ts'
import type { AlertNotes } from './alert-notes.ts'
import type { AlertRows } from './alert-rows.ts'
import type { Database } from './database.ts'
import type { GroupCommit } from './group-commit.ts'
import type { History } from './history.ts'
import type { Journal } from './journal.ts'
import { numberOfKey, PREFIX, wholePrefix } from './keys.ts'
import type { MailNotes } from './mail-notes.ts'
import { decodeFailed } from './records.ts'
import { unseal } from './sealed-value.ts'
import type { TrendRows } from './trend-rows.ts'

/** Reports of one step. */
const STEP_REPORTS = 128

interface ForgetParts {
  readonly database: Database
  readonly writer: GroupCommit
  readonly journal: Journal
  readonly history: History
  readonly trendRows: TrendRows
  readonly alertRows: AlertRows
  readonly alertNotes: AlertNotes
  readonly mailNotes: MailNotes
}

/** @returns how many were erased. */
type Eraser = (parts: ForgetParts, login: string) => Promise<number>

const ERASERS: { readonly [Kind in keyof Forgotten]: Eraser } = {
  reports: eraseReports,
  trendRows: eraseTrendRows,
  alerts: forgetAlerts,
  mails: ({ mailNotes, writer }, login) => mailNotes.forget(writer, login),
}

/** Erases a login everywhere; unfinished reports run to their end. */
export async function forgetLogin(parts: ForgetParts, login: string): Promise<Forgotten> {
  return {
    reports: await ERASERS.reports(parts, login),
    trendRows: await ERASERS.trendRows(parts, login),
    alerts: await ERASERS.alerts(parts, login),
    mails: await ERASERS.mails(parts, login),
  }
}

/** Done and failed reports. Most failed ones are in the history as well, and count once. */
async function eraseReports(parts: ForgetParts, login: string): Promise<number> {
  const { writer, journal, history } = parts
  const kept = (await history.idsOfLogin(login)).filter((id) => !journal.isReportOpen(id))
  const failed = await failedOf(parts.database, login)
  let erased = 0
  for (const step of stepsOf(kept)) erased += await history.erase(step)
  const inHistory = new Set(kept)
  for (const step of stepsOf(failed)) {
    await writer.submit('maintenance', (batch) => {
      const removed = journal.stageRemoveFailed(batch, step)
      erased += Math.min(removed, step.filter((id) => !inHistory.has(id)).length)
    })
  }
  return erased
}

async function eraseTrendRows({ writer, trendRows }: ForgetParts, login: string): Promise<number> {
  let erased = 0
  await writer.submit('maintenance', (batch) => {
    erased = trendRows.stageForget(batch, login)
  })
  return erased
}

async function failedOf(database: Database, login: string): Promise<readonly number[]> {
  const ids: number[] = []
  for await (const page of database.pages(wholePrefix(PREFIX.failed), STEP_REPORTS)) {
    for (const [key, value] of page) {
      if (decodeFailed(unseal(key, value)).report.login === login) ids.push(numberOfKey(key))
    }
  }
  return ids
}

function* stepsOf(ids: readonly number[]): Iterable<readonly number[]> {
  for (let from = 0; from < ids.length; from += STEP_REPORTS) yield ids.slice(from, from + STEP_REPORTS)
}
