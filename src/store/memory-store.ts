/**
 * The port without a disk: everything in memory, every answer a promise after a delay, as from a database far away. For
 * tests of what stands above the port, and for the contract suite. Any thread. Nothing survives `close`.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf, TrackError } from '../errors.ts'
import { ALERT_STORE_DEFAULTS } from './alert-store.ts'
import { MemoryAlerts } from './memory-alerts.ts'
import { MemoryOutbox } from './memory-outbox.ts'
import { MemoryTrends } from './memory-trends.ts'
import type {
  AppendOutcome,
  DeadLetter,
  Expiry,
  FailedReport,
  Forgotten,
  HistoryEntry,
  HistoryQuery,
  JournalledReport,
  Outcome,
  OrphanCount,
  OrphanRule,
  OutboxClaim,
  ReportToAppend,
  RunFailureRecord,
  Store,
  StoreChange,
  StoreCounts,
  StoredTrendRow,
  TrendReader,
} from './store.ts'
import type { StoreOptions } from './store-options.ts'
import type { TrendApplier } from './trend-applier.ts'

const KEEP_FAILED_MS = 7 * 86_400_000
const MAX_RESULTS = 10_000
/** What a report takes beside its texts. */
const OVERHEAD_BYTES = 16

export interface MemoryStoreOptions extends Omit<StoreOptions, 'trends' | 'durability'> {
  readonly applier: TrendApplier
  /** For reconfigure; without it the applier stays. */
  readonly createApplier?: (setup: unknown) => TrendApplier
  /** Delay of every answer; default 2. */
  readonly delayMs?: number
}

interface KeptReport extends ReportToAppend {
  readonly id: number
  readonly sizeBytes: number
  isOpen: boolean
  /** False: only its run or its failure keeps it. */
  isInHistory: boolean
  failed: { readonly atMs: number; readonly failure: RunFailureRecord } | undefined
}

export class MemoryStore implements Store {
  #options: MemoryStoreOptions
  readonly alerts: MemoryAlerts
  readonly #reports = new Map<number, KeptReport>()
  readonly #outbox = new MemoryOutbox()
  readonly #trends: MemoryTrends
  #nextId = 1
  #run: ((reports: readonly JournalledReport[]) => void) | undefined
  readonly #held: JournalledReport[] = []
  #isClosed = false

  constructor(options: MemoryStoreOptions) {
    this.#options = options
    this.#trends = new MemoryTrends(options.applier)
    const { alertHistoryDays, maxOpenAlerts } = { ...ALERT_STORE_DEFAULTS, ...options }
    this.alerts = new MemoryAlerts({
      later: (work) => this.#later(work),
      addMessage: (message) => this.#outbox.add(message),
      maxOpenAlerts,
      alertHistoryMs: alertHistoryDays * 86_400_000,
    })
  }

  /** Reads what this store committed, for the worker of this number. */
  trendReader(worker: number): TrendReader {
    return this.#trends.reader(worker, this.#options.delayMs ?? 2)
  }

  append(reports: readonly ReportToAppend[]): Promise<AppendOutcome> {
    return this.#later(() => {
      const { backlogReports = 1_000_000, backlogBytes = 1024 ** 3 } = this.#options
      const counts = this.counts()
      if (counts.backlogReports + reports.length > backlogReports || counts.backlogBytes >= backlogBytes) {
        const detail = `${counts.backlogReports} reports of ${counts.backlogBytes} bytes wait to be run`
        return { kind: 'refused', reason: 'backlog', detail }
      }
      const kept = reports.map((report) => this.#keep(report))
      if (this.#run === undefined) this.#held.push(...kept)
      else this.#run(kept)
      return { kind: 'durable', reports: kept }
    })
  }

  subscribe(run: (reports: readonly JournalledReport[]) => void): Promise<void> {
    return this.#later(() => {
      this.#run = run
      if (this.#held.length > 0) run(this.#held.splice(0))
    })
  }

  commit(outcomes: readonly Outcome[]): Promise<void> {
    return this.#later(() => {
      for (const outcome of outcomes) this.#commitOne(outcome)
      this.#trends.evict()
    })
  }

  claimDue(receiver: string, nowMs: number, limit: number): Promise<OutboxClaim> {
    return this.#later(() => this.#outbox.claim(receiver, nowMs, limit))
  }

  rewriteMessage(id: number, body: string): Promise<void> {
    return this.#later(() => this.#outbox.rewrite(id, body))
  }

  settleDelivered(ids: readonly number[]): Promise<void> {
    return this.#later(() => this.#outbox.remove(ids))
  }

  settleRetry(id: number, tries: number, nextTryAtMs: number): Promise<void> {
    return this.#later(() => this.#outbox.retry(id, tries, nextTryAtMs))
  }

  settleDead(id: number, tries: number, atMs: number, reason: string): Promise<void> {
    return this.#later(() => this.#outbox.bury(id, { tries, diedAtMs: atMs, reason }))
  }

  buryOrphans(rule: OrphanRule): Promise<readonly OrphanCount[]> {
    return this.#later(() => this.#outbox.buryOrphans(rule))
  }

  deadLetters(limit: number): Promise<readonly DeadLetter[]> {
    return this.#later(() => this.#outbox.dead(limit))
  }

  resendDeadLetter(id: number, nowMs: number): Promise<boolean> {
    return this.#later(() => this.#outbox.resend(id, nowMs))
  }

  failedReports(limit: number): Promise<readonly FailedReport[]> {
    return this.#later(() => this.#newestFirst().flatMap(failedReport).slice(0, limit))
  }

  rerunFailedReport(id: number): Promise<boolean> {
    return this.#later(() => {
      const report = this.#reports.get(id)
      if (report?.failed === undefined) return false
      report.failed = undefined
      report.isOpen = true
      this.#run?.([journalled(report)])
      return true
    })
  }

  history(query: HistoryQuery): Promise<readonly HistoryEntry[]> {
    return this.#later(() =>
      this.#inOrderOf(query)
        .filter((report) => report.isInHistory && matches(report, query))
        .slice(0, Math.max(0, Math.min(query.limit, MAX_RESULTS)))
        .map(({ id, receivedAtMs, text }) => ({ id, receivedAtMs, text })),
    )
  }

  forgetLogin(login: string): Promise<Forgotten> {
    return this.#later(() => {
      const known = [...this.#reports.values()].filter((report) => report.login === login && !report.isOpen)
      for (const report of known) this.#reports.delete(report.id)
      const alerts = this.alerts.forget(login)
      const mails = this.alerts.forgetMails(login)
      return { reports: known.length, trendRows: this.#trends.forget(login), alerts, mails }
    })
  }

  scanTrends(
    database: string,
    after: Uint8Array | undefined,
    limit: number,
  ): Promise<readonly StoredTrendRow[]> {
    return this.#later(() => this.#trends.scan(database, after, limit))
  }

  reconfigure({ historyDays, historyMegabytes, alertHistoryDays, trendSetup }: StoreChange): Promise<void> {
    return this.#later(() => {
      const { createApplier } = this.#options
      if (createApplier !== undefined) this.#trends.applyWith(createApplier(trendSetup))
      this.#options = { ...this.#options, historyDays, historyMegabytes }
      this.alerts.alertHistoryMs = alertHistoryDays * 86_400_000
    })
  }

  expire(nowMs: number): Promise<Expiry> {
    return this.#later(() => {
      this.#trends.expire(nowMs)
      this.#outbox.expire(nowMs)
      this.#expireReports(nowMs)
      this.alerts.expire(nowMs)
      return { longestStepMs: 0, longestStepCpuMs: 0 }
    })
  }

  counts(): StoreCounts {
    const reports = [...this.#reports.values()]
    const open = reports.filter((report) => report.isOpen)
    const history = reports.filter((report) => report.isInHistory)
    return {
      backlogReports: open.length,
      backlogBytes: sizeOf(open),
      failedReports: reports.filter((report) => report.failed !== undefined).length,
      ...this.#outbox.counts(),
      historyReports: history.length,
      historyBytes: sizeOf(history),
      ...this.#trends.counts(),
      alerts: this.alerts.counts(),
    }
  }

  readiness(): { readonly ready: true } | { readonly ready: false; readonly reason: string } {
    return this.#isClosed ? { ready: false, reason: 'the store is closed' } : { ready: true }
  }

  async close(): Promise<void> {
    await this.#later(() => undefined).catch(() => undefined)
    this.#isClosed = true
  }

  /** Timers of one delay run in the order in which they were set: so do the calls. */
  async #later<T>(work: () => T): Promise<T> {
    if (this.#isClosed) throw new TrackError('TRK_STOPPING')
    await sleep(this.#options.delayMs ?? 2)
    if (this.#isClosed) throw new TrackError('TRK_STOPPING')
    return work()
  }

  get #keepsHistory(): boolean {
    const { historyDays = 7, historyMegabytes = 1024 } = this.#options
    return historyDays > 0 && historyMegabytes > 0
  }

  #keep(report: ReportToAppend): JournalledReport {
    const id = this.#nextId++
    const sizeBytes = report.login.length + report.remote.length + report.text.length + OVERHEAD_BYTES
    const kept = {
      ...report,
      id,
      sizeBytes,
      isOpen: true,
      isInHistory: this.#keepsHistory,
      failed: undefined,
    }
    this.#reports.set(id, kept)
    return journalled(kept)
  }

  #commitOne(outcome: Outcome): void {
    const report = outcome.reportId === undefined ? undefined : this.#reports.get(outcome.reportId)
    const isOpen = report?.isOpen === true
    if (outcome.kind === 'failed') {
      if (!isOpen) return
      report.isOpen = false
      report.failed = outcome
      return
    }
    const { commit } = outcome
    const isNew = commit === undefined || !this.#trends.isCommitted(commit)
    if (outcome.reportId === undefined ? isNew : isOpen) {
      if (report !== undefined) this.#end(report)
      try {
        this.#trends.apply(outcome.deltas)
      } catch (error) {
        throw new TrackError('TRK_STORE_FAILED', messageOf(error), { cause: error })
      }
      for (const message of outcome.messages) this.#outbox.add(message)
      for (const effect of outcome.alerts ?? []) this.alerts.apply(effect, outcome.reportId)
    }
    if (commit !== undefined) this.#trends.note(commit)
  }

  #end(report: KeptReport): void {
    report.isOpen = false
    if (!report.isInHistory) this.#reports.delete(report.id)
  }

  #expireReports(nowMs: number): void {
    const { historyDays = 7, historyMegabytes = 1024 } = this.#options
    let surplusBytes = this.counts().historyBytes - historyMegabytes * 1024 * 1024
    for (const report of this.#reports.values()) {
      if (report.failed !== undefined && report.failed.atMs <= nowMs - KEEP_FAILED_MS)
        report.failed = undefined
      const isOld = report.receivedAtMs <= nowMs - historyDays * 86_400_000 || surplusBytes > 0
      if (report.isInHistory && !report.isOpen && isOld) {
        report.isInHistory = false
        surplusBytes -= report.sizeBytes
      }
      if (!report.isOpen && !report.isInHistory && report.failed === undefined)
        this.#reports.delete(report.id)
    }
  }

  #inOrderOf({ afterId }: HistoryQuery): readonly KeptReport[] {
    return afterId === undefined
      ? this.#newestFirst()
      : this.#newestFirst()
          .filter(({ id }) => id > afterId)
          .toReversed()
  }

  #newestFirst(): readonly KeptReport[] {
    return [...this.#reports.values()].toSorted((a, b) => b.id - a.id)
  }
}

function journalled({ id, login, text, receivedAtMs, sizeBytes }: KeptReport): JournalledReport {
  return { id, login, text, receivedAtMs, sizeBytes }
}

function failedReport({ id, login, text, failed }: KeptReport): readonly FailedReport[] {
  return failed === undefined ? [] : [{ id, login, text, failedAtMs: failed.atMs, failure: failed.failure }]
}

function matches(report: KeptReport, query: HistoryQuery): boolean {
  return (
    (query.login === undefined || report.login === query.login) &&
    (query.remote === undefined || report.remote === query.remote) &&
    (query.success === undefined || report.success === query.success) &&
    (query.sinceMs === undefined || report.receivedAtMs >= query.sinceMs) &&
    (query.untilMs === undefined || report.receivedAtMs < query.untilMs)
  )
}

function sizeOf(reports: readonly KeptReport[]): number {
  return reports.reduce((total, report) => total + report.sizeBytes, 0)
}
