/**
 * What is removed over time: expired rows and reports, and what is above a maximum. Store thread. Candidates are read
 * beside the batches; a step of them joins a batch, as a rule one with changes, and is checked again there, so that nobody waits
 * for more than one step of a few milliseconds (step-budget.ts).
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type AlertMaintenanceDeps, expireAlerts } from './alert-maintenance.ts'
import type { Expiry } from '../store.ts'
import type { Database } from './database.ts'
import type { GroupCommit } from './group-commit.ts'
import type { History } from './history.ts'
import type { Journal } from './journal.ts'
import { numberOfKey, PREFIX, wholePrefix } from './keys.ts'
import type { Outbox } from './outbox.ts'
import { decodeDeadState, decodeFailed } from './records.ts'
import { unseal } from './sealed-value.ts'
import { startBudget, type StepBudget } from './step-budget.ts'
import type { ExpiryPage } from './trend-expiry.ts'
import type { TrendRows } from './trend-rows.ts'
import type { WriteBatch } from './write-batch.ts'

/** A failed report is kept for so long, and a dead message. */
const KEEP_FAILED_MS = 7 * 86_400_000
const KEEP_DEAD_MS = 30 * 86_400_000
/** Of a database's maximum: as long as no more rows are above it, eviction waits for batches that there would be anyway. */
const PATIENT_SURPLUS = 1 / 16
/** Failed reports or messages of one step. */
const STEP_RECORDS = 128

interface MaintenanceDeps {
  readonly database: () => Database
  readonly writer: GroupCommit
  readonly journal: Journal
  readonly history: History
  readonly outbox: Outbox
  readonly trendRows: TrendRows
  readonly maxFailedReports: number
  readonly alerts: Pick<AlertMaintenanceDeps, 'alertRows' | 'alertNotes' | 'mailNotes'>
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
  #longestStepMs = 0
  #longestStepCpuMs = 0

  constructor(deps: MaintenanceDeps) {
    this.#deps = deps
    this.alertHistoryMs = deps.alertHistoryMs
  }

  /** Removes everything that has expired by then. */
  async expire(nowMs: number): Promise<Expiry> {
    this.#longestStepMs = 0
    this.#longestStepCpuMs = 0
    await expireAlerts(this.#alertDeps, nowMs)
    await this.#expireHistory(nowMs)
    await this.#expireFailed(nowMs)
    await this.#expireDead(nowMs)
    // Under load these may take minutes: nothing else waits for them.
    await this.#expireRows(nowMs)
    return { longestStepMs: this.#longestStepMs, longestStepCpuMs: this.#longestStepCpuMs }
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

  stop(): void {
    this.#isStopped = true
  }

  get #alertDeps(): AlertMaintenanceDeps {
    const { database, writer, alerts } = this.#deps
    return {
      database,
      writer,
      ...alerts,
      alertHistoryMs: this.alertHistoryMs,
      isStopped: () => this.#isStopped,
    }
  }

  /** A step may note rows anew, before others: only when it is written does the next page tell who is first. */
  async #shrink(database: string): Promise<void> {
    const { trendRows } = this.#deps
    while (!this.#isStopped && trendRows.surplusOf(database) > 0) {
      const isBehind = trendRows.surplusOf(database) > trendRows.maxKeysOf(database) * PATIENT_SURPLUS
      const page = await trendRows.expiry.oldest(database, Infinity, isBehind)
      if (page === undefined) return
      await this.#step((batch, budget) => trendRows.expiry.stageEviction(batch, page, budget), isBehind)
    }
  }

  /** Who is first does not matter here: the next page is read while a step waits for its write. */
  async #expireRows(nowMs: number): Promise<void> {
    const { databases, expiry } = this.#deps.trendRows
    for (const database of databases) {
      let page = await expiry.oldest(database, nowMs)
      while (page !== undefined && !this.#isStopped) {
        const staged = page
        let next: Promise<ExpiryPage | undefined> = Promise.resolve(undefined)
        await this.#step((batch, budget) => {
          const isWhole = expiry.stageExpiry(batch, staged, { nowMs, budget })
          if (staged.isLast && isWhole) return
          // Once the batch is being written: a read begins with LevelDB's lock, which it has while it removes old files.
          next = nextTurn().then(() => (this.#isStopped ? undefined : expiry.oldest(database, nowMs)))
          next.catch(() => undefined)
        })
        // A write that failed may have closed the database under the read.
        page = await next.catch(() => expiry.oldest(database, nowMs))
      }
    }
  }

  async #expireHistory(nowMs: number): Promise<void> {
    const { history, journal } = this.#deps
    if (this.#isStopped) return
    await this.#step((batch) => {
      history.stageFrom(
        batch,
        history.firstKept(nowMs, (segment) => journal.isSegmentOpen(segment)),
      )
    })
    await history.removeFiles()
  }

  async #expireFailed(nowMs: number): Promise<void> {
    const { database, journal, maxFailedReports } = this.#deps
    for await (const page of database().pages(wholePrefix(PREFIX.failed), STEP_RECORDS)) {
      const surplus = journal.failedReports - maxFailedReports
      const expired = page
        .filter(([key, value], index) => {
          return index < surplus || decodeFailed(unseal(key, value)).failedAtMs <= nowMs - KEEP_FAILED_MS
        })
        .map(([key]) => numberOfKey(key))
      // Ids grow with time but for reports that were run again: a page without an expired one is the end.
      if (expired.length === 0 || this.#isStopped) return
      await this.#step((batch) => void journal.stageRemoveFailed(batch, expired))
    }
  }

  async #expireDead(nowMs: number): Promise<void> {
    const { database, outbox } = this.#deps
    for await (const page of database().pages(wholePrefix(PREFIX.deadState), STEP_RECORDS)) {
      const expired = page
        .filter(([key, value]) => decodeDeadState(unseal(key, value)).diedAtMs <= nowMs - KEEP_DEAD_MS)
        .map(([key]) => numberOfKey(key))
      if (expired.length === 0 || this.#isStopped) return
      await this.#step((batch) => outbox.stageRemoveDead(batch, expired))
    }
  }

  /** Stages one step in a batch, as a rule one that there would be anyway, and waits until that is written. */
  async #step(stage: (batch: WriteBatch, budget: StepBudget) => void, isUrgent = false): Promise<void> {
    const { writer } = this.#deps
    const timed = (batch: WriteBatch): void => {
      const cpuBefore = process.threadCpuUsage()
      const beganMs = monotonicMs()
      stage(batch, startBudget(monotonicMs))
      this.#longestStepMs = Math.max(this.#longestStepMs, monotonicMs() - beganMs)
      const { user, system } = process.threadCpuUsage(cpuBefore)
      this.#longestStepCpuMs = Math.max(this.#longestStepCpuMs, (user + system) / 1000)
    }
    await (isUrgent ? writer.submit('maintenance', timed) : writer.join(timed))
  }
}

function monotonicMs(): number {
  return performance.now()
}
