/**
 * The store behind its messages: takes calls, puts their changes into batches, answers. Store thread.
 *
 * Life: `checking` (files) → the main thread opens the database → `open` → `closed`. In `open`, damage that is found
 * stops all changes for good: what is on disk is left as it is, and the next start says what is wrong.
 */
import { messageOf, TrackError } from '../../errors.ts'
import type { StoreCounts } from '../store.ts'
import type { TrendApplier } from '../trend-applier.ts'
import { AlertNotes } from './alert-notes.ts'
import { AlertRows } from './alert-rows.ts'
import { checkBesideWork } from './check-beside-work.ts'
import { markClean } from './clean-mark.ts'
import { hasOutwardEffects, stageCommit } from './commit-outcomes.ts'
import { Database } from './database.ts'
import { Disk } from './disk.ts'
import { GroupCommit } from './group-commit.ts'
import { History } from './history.ts'
import { Journal } from './journal.ts'
import { MailNotes } from './mail-notes.ts'
import { Maintenance } from './maintenance.ts'
import type { FromStoreThread, StoreThreadChange, StoreThreadSetup, ToStoreThread } from './messages.ts'
import {
  checkDirectory,
  type CheckedDirectory,
  forgetWorkers,
  openDatabase,
  setAside,
  withAdvice,
} from './open-database.ts'
import { Outbox } from './outbox.ts'
import { ReportLog } from './reports/report-log.ts'
import { RowOwners } from './row-owners.ts'
import { answerCall } from './store-calls.ts'
import { TrendRows } from './trend-rows.ts'

/**
 * Changes for which nobody waits gather for so long: the rows of busy addresses are written once for many reports, with one
 * fsync for all of them.
 */
const GATHER_MS = 20
/** Under load the next changes come at once: when none have come for so long, maintenance by itself is in nobody's way. */
const EXPECT_MS = 40

/** The main thread still has the database open: its files change under way and were checked before. */
const UNCHECKED: CheckedDirectory = {
  report: { isNew: false, tornBytes: 0, salvage: undefined, tablesToCheck: 0 },
  unchecked: [],
  uncheckedReports: [],
}

interface StoreServiceDeps {
  readonly setup: StoreThreadSetup
  readonly createApplier: (setup: unknown) => TrendApplier
  readonly send: (message: FromStoreThread) => void
}

type Settled = Extract<FromStoreThread, { readonly type: 'settled' }>
type CallMessage = Extract<ToStoreThread, { readonly type: 'call' }>

interface Anchoring {
  readonly resolve: () => void
  readonly reject: (error: TrackError) => void
}

export class StoreService {
  readonly #deps: StoreServiceDeps
  readonly history: History
  readonly journal: Journal
  readonly outbox: Outbox
  readonly alertRows: AlertRows
  readonly alertNotes: AlertNotes
  readonly mailNotes: MailNotes
  readonly trendRows: TrendRows
  readonly writer: GroupCommit
  readonly maintenance: Maintenance
  readonly #disk: Disk
  #database: Database | undefined
  #reports: ReportLog | undefined
  #anchoring: Anchoring | undefined
  /** Set while the database is opened again; reads wait for it. */
  #reopened: PromiseWithResolvers<void> | undefined
  #broken: TrackError | undefined
  #isClosing = false
  #settled = empty()

  constructor(deps: StoreServiceDeps) {
    this.#deps = deps
    const { setup, createApplier, send } = deps
    const database = (): Database => this.database
    const owners = new RowOwners(setup.rowOwners)
    // What the thread before this one had written and not noted is not known.
    if (setup.isRestart) owners.changedAll()
    const reports = (): ReportLog => this.reports
    this.history = new History({
      database,
      reports,
      keepMs: setup.historyMs,
      keepBytes: setup.historyBytes,
    })
    const isEarly = setup.durability === 'none'
    this.journal = new Journal({ database, reports, history: this.history, opensWhenStaged: isEarly })
    this.outbox = new Outbox(database)
    this.alertRows = new AlertRows(database, setup.maxOpenAlerts)
    this.alertNotes = new AlertNotes(database)
    this.mailNotes = new MailNotes(database)
    this.trendRows = new TrendRows({
      database,
      applier: createApplier(setup.trends.setup),
      owners,
      recentBytes: setup.recentRowsBytes,
      onRowError: (name, message) => send({ type: 'row-error', database: name, message }),
    })
    this.#disk = new Disk({
      directory: setup.databaseDirectory,
      durability: setup.durability,
      reserveBytes: setup.reserveBytes,
      database,
      reports,
      reopen: () => this.#reopen(),
      onChange: () => this.#tellReadiness(),
      onWritten: (batch) => this.#settled.written.push(batch),
    })
    this.writer = new GroupCommit({
      disk: this.#disk,
      participants: [
        this.trendRows,
        this.journal,
        this.outbox,
        this.alertRows,
        this.alertNotes,
        this.mailNotes,
      ],
      gatherMs: GATHER_MS,
      expectMs: EXPECT_MS,
      settlesEarly: isEarly,
      onSettled: () => this.#afterBatch(),
      onBroken: (error) => this.#break(error),
    })
    this.maintenance = new Maintenance({
      database,
      writer: this.writer,
      journal: this.journal,
      history: this.history,
      outbox: this.outbox,
      trendRows: this.trendRows,
      maxFailedReports: setup.maxFailedReports,
      alerts: { alertRows: this.alertRows, alertNotes: this.alertNotes, mailNotes: this.mailNotes },
      alertHistoryMs: setup.alertHistoryMs,
      onError: (error) => this.#noteReadError(error),
    })
  }

  get database(): Database {
    if (this.#database === undefined) throw new TrackError('TRK_STORE_FAILED', 'it is not open')
    return this.#database
  }

  get reports(): ReportLog {
    if (this.#reports === undefined) throw new TrackError('TRK_STORE_FAILED', 'it is not open')
    return this.#reports
  }

  get counts(): StoreCounts {
    const { journal, outbox, history, trendRows, alertRows } = this
    const { unstaged } = this.writer
    return {
      backlogReports: journal.backlogReports + unstaged.reports,
      backlogBytes: journal.backlogBytes + unstaged.sizeBytes,
      failedReports: journal.failedReports,
      outboxEntries: outbox.entries,
      outboxByReceiver: outbox.byReceiver,
      deadLetters: outbox.deadLetters,
      historyReports: history.reports,
      historyBytes: history.sizeBytes,
      trendRows: trendRows.rows,
      trendRowsByDatabase: trendRows.rowsByDatabase,
      trendRowsEvicted: trendRows.expiry.evicted,
      alerts: alertRows.counts,
    }
  }

  /** Checks, opens and loads; throws what stands in the way. */
  async start(): Promise<void> {
    const { setup, send } = this.#deps
    const checked = setup.isRestart ? UNCHECKED : await checkDirectory(setup.databaseDirectory, setup)
    const anchored = await this.#anchor(checked)
    const { database, report } = await openDatabase(setup.databaseDirectory, anchored)
    if (!setup.isRestart) await forgetWorkers(database)
    this.#database = database
    await this.#load()
    send({ type: 'open', report, nextSegment: this.journal.nextSegment, counts: this.counts })
    this.#tellReadiness()
    this.maintenance.afterBatch()
    void checkBesideWork(anchored, {
      isOver: () => this.#isClosing || this.#broken !== undefined,
      onDamage: (error) => this.#break(error),
    })
  }

  async #load(): Promise<void> {
    try {
      const directory = this.#deps.setup.databaseDirectory
      this.#reports = await ReportLog.open(directory, () => this.history.fileLimits)
      this.history.load()
      await this.journal.load()
      await this.outbox.load()
      await this.alertRows.load()
      await this.alertNotes.load()
      await this.mailNotes.load()
      await this.trendRows.load()
    } catch (error) {
      const known = asTrackError(error)
      throw known.code === 'TRK_STORE_DAMAGED' ? withAdvice(known) : known
    }
  }

  receive(message: ToStoreThread): void {
    switch (message.type) {
      case 'append': {
        const { call } = message
        this.writer.enqueue({
          kind: 'append',
          reports: message.reportSizes.length,
          sizeBytes: message.contents.length,
          stage: (batch) => this.journal.stageAppend(batch, message),
          settle: () => this.#settled.done.push(call),
          refuse: (reason, detail) => this.#settled.refused.push({ call, reason, detail }),
        })
        break
      }
      case 'commit': {
        const { call } = message
        this.writer.enqueue({
          kind: 'change',
          isUrgent: hasOutwardEffects(message),
          stage: (batch) => stageCommit(this, batch, message),
          settle: () => this.#settled.done.push(call),
          fail: (error) => this.#settled.failed.push({ call, error: error.toWire() }),
        })
        break
      }
      case 'call':
        void this.#answer(message)
        break
      case 'anchored':
        this.#anchoring?.resolve()
        break
      case 'let-go':
        void this.#letGo()
        break
      case 'not-anchored':
        this.#anchoring?.reject(TrackError.fromWire(message.error))
        break
      case 'close':
        void this.#close()
        break
      default:
        message satisfies never
    }
  }

  async #answer(message: CallMessage): Promise<void> {
    const { send } = this.#deps
    try {
      await this.#reopened?.promise
      if (this.#isClosing) throw new TrackError('TRK_STOPPING')
      await this.writer.settledIsWritten()
      const answer = await answerCall(this, message, (reports) => send({ type: 'run', reports }))
      send({ type: 'answer', call: message.call, answer, counts: this.counts })
    } catch (error) {
      this.#noteReadError(error)
      this.#settled.failed.push({ call: message.call, error: asTrackError(error).toWire() })
      this.#sendSettled()
    }
  }

  /** In a batch, so that what was asked for before goes by the old settings and what comes after by the new ones. */
  async reconfigure(change: StoreThreadChange): Promise<void> {
    const applier = this.#deps.createApplier(change.trendSetup)
    await this.writer.submit('change', (batch) => {
      this.trendRows.stageApplier(batch, applier)
      this.history.keep(change.historyMs, change.historyBytes)
      this.#disk.durability = change.durability
      this.maintenance.alertHistoryMs = change.alertHistoryMs
    })
  }

  /** Has the main thread open the database before this thread does. */
  async #anchor(checked: CheckedDirectory): Promise<CheckedDirectory> {
    const { setup, send } = this.#deps
    try {
      await this.#askForAnchor(() => send({ type: 'checked' }))
      return checked
    } catch (error) {
      const known = asTrackError(error)
      if (known.code !== 'TRK_STORE_DAMAGED' || !setup.recover || checked.report.salvage !== undefined)
        throw known
      const salvaged = await setAside(setup.databaseDirectory, known, setup)
      await this.#askForAnchor(() => send({ type: 'checked' }))
      return salvaged
    }
  }

  #askForAnchor(ask: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#anchoring = { resolve, reject }
      ask()
    })
  }

  /** Rejects when it cannot be done now; the database may be closed then, until the next try. */
  async #reopen(): Promise<void> {
    await this.#askForAnchor(() => this.#deps.send({ type: 'reopen' }))
    this.#database = await Database.open(this.#deps.setup.databaseDirectory)
    this.#reopened?.resolve()
    this.#reopened = undefined
  }

  /** Reads wait from here on, until the database is open again. */
  async #letGo(): Promise<void> {
    this.#reopened ??= Promise.withResolvers<void>()
    await this.#database?.close()
    this.#deps.send({ type: 'gone' })
  }

  #afterBatch(): void {
    this.#sendSettled()
    if (this.#broken === undefined && !this.#isClosing) this.maintenance.afterBatch()
  }

  #sendSettled(): void {
    this.#deps.send({ type: 'settled', ...this.#settled, counts: this.counts })
    this.#settled = empty()
  }

  #noteReadError(error: unknown): void {
    const known = asTrackError(error)
    if (known.code === 'TRK_STORE_DAMAGED') this.#break(known)
  }

  #break(error: TrackError): void {
    if (this.#broken !== undefined) return
    this.#broken = error
    this.writer.refuseAll(error)
    this.#tellReadiness()
  }

  #tellReadiness(): void {
    const { send } = this.#deps
    const refusal = this.#disk.refusal
    if (this.#broken !== undefined) {
      send({ type: 'readiness', readiness: { ready: false, reason: this.#broken.message } })
    } else if (refusal !== undefined) {
      send({
        type: 'readiness',
        readiness: { ready: false, reason: `reports cannot be stored: ${refusal.detail}` },
      })
    } else {
      send({ type: 'readiness', readiness: { ready: true } })
    }
  }

  async #close(): Promise<void> {
    this.#isClosing = true
    this.maintenance.stop()
    // Room may never come; what waits for it is told so.
    if (this.#disk.refusal !== undefined) this.#disk.stop()
    await this.writer.drained()
    this.#disk.stop()
    this.#reopened?.resolve()
    await this.#reports?.close()
    await this.#database?.close()
    if (this.#broken === undefined) markClean(this.#deps.setup.databaseDirectory)
    this.#deps.send({ type: 'closed' })
  }
}

function asTrackError(thrown: unknown): TrackError {
  return thrown instanceof TrackError
    ? thrown
    : new TrackError('TRK_STORE_FAILED', messageOf(thrown), { cause: thrown })
}

function empty(): {
  done: number[]
  refused: Settled['refused'][number][]
  failed: Settled['failed'][number][]
  written: Settled['written'][number][]
} {
  return { done: [], refused: [], failed: [], written: [] }
}
