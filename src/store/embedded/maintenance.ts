/**
 * What is removed over time: expired rows and reports, what is above a maximum, and what is to be forgotten. Store
 * thread. Candidates are read beside the batches; a step of them joins a batch like everything else and is checked again
 * there, so that nobody waits for more than one step of a few milliseconds.
 */
import type { Forgotten } from '../store.ts'
import { type AlertMaintenanceDeps, expireAlerts, forgetAlerts } from './alert-maintenance.ts'
import type { Database } from './database.ts'
import type { GroupCommit } from './group-commit.ts'
import type { History } from './history.ts'
import type { Journal } from './journal.ts'
import { numberOfKey, PREFIX, wholePrefix } from './keys.ts'
import type { Outbox } from './outbox.ts'
import { decodeDeadState, decodeFailed } from './records.ts'
import { unseal } from './sealed-value.ts'
import type { TrendRows } from './trend-rows.ts'

/** A failed report is kept for so long, and a dead message. */
const KEEP_FAILED_MS = 7 * 86_400_000
const KEEP_DEAD_MS = 30 * 86_400_000
/** Failed reports or messages of one step, and reports of one step of forgetting. */
const STEP_RECORDS = 128

interface MaintenanceDeps {
  readonly database: () => Database
  readonly writer: GroupCommit
  readonly journal: Journal
  readonly history: History
  readonly outbox: Outbox
  readonly trendRows: TrendRows
  readonly maxFailedReports: number
  readonly alerts: Pick<AlertMaintenanceDeps, 'alertRows' | 'alertNotes'>
  readonly alertHistoryMs: number
  readonly onError: (error: unknown) => void
}

export class Maintenance {
  readonly #deps: MaintenanceDeps
  /** Databases whose eviction is under way. */
  readonly #shrinking = new Set<string>()
  #isStopped = false
  /** Another value counts from the next expiry on. */
  alertHistoryMs: number

  constructor(deps: MaintenanceDeps) {
    this.#deps = deps
    this.alertHistoryMs = deps.alertHistoryMs
  }

  /** Removes everything that has expired by then. */
  async expire(nowMs: number): Promise<void> {
    await this.#expireRows(nowMs)
    await this.#expireHistory(nowMs)
    await this.#expireFailed(nowMs)
    await this.#expireDead(nowMs)
    await expireAlerts(this.#alertDeps, nowMs)
  }

  /** Looks for databases above their maximum; called after every batch. */
  afterBatch(): void {
    for (const database of this.#deps.trendRows.databases) {
      if (this.#deps.trendRows.surplusOf(database) <= 0 || this.#shrinking.has(database)) continue
      this.#shrinking.add(database)
      this.#shrink(database)
        .catch(this.#deps.onError)
        .finally(() => this.#shrinking.delete(database))
    }
  }

  /** Erases what is kept of a login; unfinished reports run to their end. */
  async forget(login: string): Promise<Forgotten> {
    const { writer, journal, history, trendRows } = this.#deps
    let reports = 0
    let rows = 0
    const ids = (await history.idsOfLogin(login)).filter((id) => !journal.isReportOpen(id))
    for (let from = 0; from < ids.length; from += STEP_RECORDS) {
      const step = ids.slice(from, from + STEP_RECORDS)
      await writer.submit('maintenance', (batch) => {
        reports += history.stageErase(batch, step)
      })
    }
    const failed = await this.#failedOf(login)
    await writer.submit('maintenance', (batch) => {
      const kept = new Set(ids)
      // Most failed reports are in the history as well, and count once.
      const others = failed.filter((id) => !kept.has(id)).length
      if (journal.stageRemoveFailed(batch, failed) > 0) reports += others
      rows = trendRows.stageForget(batch, login)
    })
    return { reports, trendRows: rows, alerts: await forgetAlerts(this.#alertDeps, login) }
  }

  stop(): void {
    this.#isStopped = true
  }

  get #alertDeps(): AlertMaintenanceDeps {
    const { database, writer, alerts } = this.#deps
    return { database, writer, ...alerts, alertHistoryMs: this.alertHistoryMs, isStopped: () => this.#isStopped }
  }

  async #shrink(database: string): Promise<void> {
    const { writer, trendRows } = this.#deps
    while (!this.#isStopped && trendRows.surplusOf(database) > 0) {
      const page = await trendRows.oldest(database, Infinity)
      if (page.entries.length === 0) return
      await writer.submit('maintenance', (batch) => trendRows.stageEviction(batch, page))
    }
  }

  async #expireRows(nowMs: number): Promise<void> {
    const { writer, trendRows } = this.#deps
    for (const database of trendRows.databases) {
      for (;;) {
        const page = await trendRows.oldest(database, nowMs)
        if (page.entries.length === 0) break
        await writer.submit('maintenance', (batch) => trendRows.stageExpiry(batch, page, nowMs))
        if (page.isLast || this.#isStopped) break
      }
    }
  }

  async #expireHistory(nowMs: number): Promise<void> {
    const { writer, history, journal } = this.#deps
    let from = 0
    while (!this.#isStopped) {
      const expired = await history.expiredSegments(nowMs, from)
      const segments = expired.map(([key]) => numberOfKey(key))
      const last = segments.at(-1)
      if (last === undefined) return
      from = last + 1
      await writer.submit('maintenance', (batch) => {
        for (const segment of segments)
          if (!journal.isSegmentOpen(segment)) history.stageRemove(batch, segment)
      })
    }
  }

  async #expireFailed(nowMs: number): Promise<void> {
    const { database, writer, journal, maxFailedReports } = this.#deps
    for await (const page of database().pages(wholePrefix(PREFIX.failed), STEP_RECORDS)) {
      const surplus = journal.failedReports - maxFailedReports
      const expired = page
        .filter(([key, value], index) => {
          return index < surplus || decodeFailed(unseal(key, value)).failedAtMs <= nowMs - KEEP_FAILED_MS
        })
        .map(([key]) => numberOfKey(key))
      // Ids grow with time but for reports that were run again: a page without an expired one is the end.
      if (expired.length === 0 || this.#isStopped) return
      await writer.submit('maintenance', (batch) => void journal.stageRemoveFailed(batch, expired))
    }
  }

  async #expireDead(nowMs: number): Promise<void> {
    const { database, writer, outbox } = this.#deps
    for await (const page of database().pages(wholePrefix(PREFIX.deadState), STEP_RECORDS)) {
      const expired = page
        .filter(([key, value]) => decodeDeadState(unseal(key, value)).diedAtMs <= nowMs - KEEP_DEAD_MS)
        .map(([key]) => numberOfKey(key))
      if (expired.length === 0 || this.#isStopped) return
      await writer.submit('maintenance', (batch) => outbox.stageRemoveDead(batch, expired))
    }
  }

  async #failedOf(login: string): Promise<readonly number[]> {
    const ids: number[] = []
    for await (const page of this.#deps.database().pages(wholePrefix(PREFIX.failed), STEP_RECORDS)) {
      for (const [key, value] of page) {
        if (decodeFailed(unseal(key, value)).report.login === login) ids.push(numberOfKey(key))
      }
    }
    return ids
  }
}
