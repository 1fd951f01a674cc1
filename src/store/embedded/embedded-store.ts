/**
 * The embedded store on the main thread: the port, in front of the store thread. It gathers the calls of one turn of the
 * event loop into one message, gives reports their ids, and hands durable reports to the subscriber. It touches no file but
 * through the thread, except that it holds lock and database open.
 */
import { join } from 'node:path'
import type { MessagePort } from 'node:worker_threads'
import { TrackError } from '../../errors.ts'
import { NO_COUNTS } from '../store.ts'
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
  Store,
  StoreChange,
  StoreCounts,
  StoredTrendRow,
  WrittenBatch,
} from '../store.ts'
import { AlertClient } from './alert-client.ts'
import { AppendQueue } from './append-queue.ts'
import { CallTable, type Settlement } from './call-table.ts'
import { lockDirectory } from './directory-lock.ts'
import type { HandedReport, Readiness, StoreCallName, StoreCalls, ToStoreThread } from './messages.ts'
import {
  backlogBounds,
  threadChange,
  threadSetup,
  type EmbeddedStoreOptions,
} from './embedded-store-options.ts'
import type { OpenReport } from './open-database.ts'
import { packCommit } from './pack-messages.ts'
import { ReaderPorts } from './reader-ports.ts'
import { decodeReport } from './records.ts'
import { storeThreads } from './store-thread-starter.ts'
import { ThreadLink, type OpenMessage, type StoreNews } from './thread-link.ts'

export interface EmbeddedStoreDeps {
  readonly onReadiness: (readiness: Readiness) => void
  /** Something an operator should read, once per event. */
  readonly onTrouble: (message: string) => void
  /** The store thread is gone, and another one takes its place. */
  readonly onThreadLost: (reason: string) => void
  /** For those who measure. */
  readonly onWritten?: (batch: WrittenBatch) => void
}

/** What a policy worker's reader is opened with, but for the worker's number. */
export interface ReaderAccess {
  readonly databaseDirectory: string
  /** Memory of RowOwners. */
  readonly rowOwners: SharedArrayBuffer
  /** To be transferred. */
  readonly port: MessagePort
}

export interface OpenedStore {
  readonly store: EmbeddedStore
  /** For the log: new, migrated, torn, salvaged. */
  readonly report: OpenReport
}

/**
 * Locks, checks and opens the store of a state directory.
 *
 * @throws TrackError TRK_STORE_LOCKED, TRK_STORE_DAMAGED, TRK_STORE_FORMAT or TRK_STORE_FAILED
 */
export async function openEmbeddedStore(
  deps: EmbeddedStoreDeps,
  options: EmbeddedStoreOptions,
): Promise<OpenedStore> {
  const unlock = await lockDirectory(join(options.stateDirectory, 'store.lock'))
  try {
    const store = new EmbeddedStore(deps, options, unlock)
    return { store, report: await store.start() }
  } catch (error) {
    await unlock()
    throw error
  }
}

type CallMessage = Extract<ToStoreThread, { readonly type: 'call' }>

/** The outcomes of one turn of the event loop. */
interface QueuedCommits {
  readonly outcomes: Outcome[]
  readonly stored: PromiseWithResolvers<void>
}

export class EmbeddedStore implements Store {
  readonly alerts = new AlertClient((call) => this.#call('alerts', call))
  readonly #deps: EmbeddedStoreDeps
  readonly #readerSetup: Omit<ReaderAccess, 'port'>
  readonly #unlock: () => Promise<void>
  readonly #readers = new ReaderPorts()
  readonly #calls = new CallTable()
  readonly #link: ThreadLink
  readonly #appends: AppendQueue
  #commits: QueuedCommits | undefined
  #flushIsDue = false
  #counts: StoreCounts = NO_COUNTS
  #readiness: Readiness = { ready: false, reason: 'the store is being opened' }
  /** Takes reports that are handed over from disk: left by a crash, or run again. */
  #run: ((reports: readonly JournalledReport[]) => void) | undefined
  #isClosed = false

  constructor(deps: EmbeddedStoreDeps, options: EmbeddedStoreOptions, unlock: () => Promise<void>) {
    this.#deps = deps
    this.#unlock = unlock
    const setup = threadSetup(options)
    const { databaseDirectory, rowOwners } = setup
    this.#readerSetup = { databaseDirectory, rowOwners }
    const onLost = (reason: string): void => {
      deps.onThreadLost(reason)
      this.#setReadiness({ ready: false, reason: 'the store thread was lost and is replaced' })
    }
    const onLeftOpen = (reason: string): void =>
      deps.onTrouble(`everything is stored, but the store stays open until the process ends: ${reason}`)
    this.#link = new ThreadLink(
      {
        threads: options.threads ?? storeThreads(),
        readers: this.#readers,
        onNews: (news) => this.#receive(news),
        onLost,
        onLeftOpen,
      },
      setup,
    )
    this.#appends = new AppendQueue(
      {
        calls: this.#calls,
        send: (message) => this.#link.send(message),
        counts: () => this.#counts,
        scheduleFlush: () => this.#scheduleFlush(),
      },
      backlogBounds(options),
    )
  }

  async start(): Promise<OpenReport> {
    const opened: OpenMessage = await this.#link.start()
    this.#appends.startAt(opened.nextSegment)
    this.#counts = opened.counts
    return opened.report
  }

  /** For one policy worker; the port closes when the worker ends. */
  readerAccess(): ReaderAccess {
    return { ...this.#readerSetup, port: this.#readers.add() }
  }

  append(reports: readonly ReportToAppend[]): Promise<AppendOutcome> {
    if (this.#isClosed) return Promise.reject(new TrackError('TRK_STOPPING'))
    return this.#appends.append(reports)
  }

  async subscribe(run: (reports: readonly JournalledReport[]) => void): Promise<void> {
    this.#run = run
    await this.#call('subscribe', undefined)
    this.#appends.deliverTo(run)
  }

  commit(outcomes: readonly Outcome[]): Promise<void> {
    if (this.#isClosed) return Promise.reject(new TrackError('TRK_STOPPING'))
    if (this.#commits === undefined) {
      this.#commits = { outcomes: [], stored: Promise.withResolvers() }
      this.#scheduleFlush()
    }
    for (const outcome of outcomes) this.#commits.outcomes.push(outcome)
    return this.#commits.stored.promise
  }

  claimDue(receiver: string, nowMs: number, limit: number): Promise<OutboxClaim> {
    return this.#call('claimDue', { receiver, nowMs, limit })
  }

  rewriteMessage(id: number, body: string): Promise<void> {
    return this.#call('rewriteMessage', { id, body })
  }

  settleDelivered(ids: readonly number[]): Promise<void> {
    return this.#call('settleDelivered', { ids })
  }

  settleRetry(id: number, tries: number, nextTryAtMs: number): Promise<void> {
    return this.#call('settleRetry', { id, tries, nextTryAtMs })
  }

  settleDead(id: number, tries: number, atMs: number, reason: string): Promise<void> {
    return this.#call('settleDead', { id, tries, atMs, reason })
  }

  buryOrphans(rule: OrphanRule): Promise<readonly OrphanCount[]> {
    return this.#call('buryOrphans', rule)
  }

  deadLetters(limit: number): Promise<readonly DeadLetter[]> {
    return this.#call('deadLetters', { limit })
  }

  resendDeadLetter(id: number, nowMs: number): Promise<boolean> {
    return this.#call('resendDeadLetter', { id, nowMs })
  }

  failedReports(limit: number): Promise<readonly FailedReport[]> {
    return this.#call('failedReports', { limit })
  }

  rerunFailedReport(id: number): Promise<boolean> {
    return this.#call('rerunFailedReport', { id })
  }

  history(query: HistoryQuery): Promise<readonly HistoryEntry[]> {
    return this.#call('history', query)
  }

  forgetLogin(login: string): Promise<Forgotten> {
    return this.#call('forgetLogin', { login })
  }

  scanTrends(
    database: string,
    after: Uint8Array | undefined,
    limit: number,
  ): Promise<readonly StoredTrendRow[]> {
    return this.#call('scanTrends', { database, after, limit })
  }

  async reconfigure(change: StoreChange): Promise<void> {
    const settings = threadChange(change)
    await this.#call('reconfigure', settings)
    this.#link.restartWith(settings)
  }

  expire(nowMs: number): Promise<Expiry> {
    return this.#call('expire', { nowMs })
  }

  counts(): StoreCounts {
    return this.#counts
  }

  readiness(): Readiness {
    return this.#readiness
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#flush()
    this.#isClosed = true
    this.#appends.close()
    await this.#link.close()
    this.#calls.rejectAll(new TrackError('TRK_STOPPING'))
    // Whoever closes it knows: that is no news.
    this.#readiness = { ready: false, reason: 'the store is closed' }
    await this.#unlock()
  }

  #scheduleFlush(): void {
    if (this.#flushIsDue) return
    this.#flushIsDue = true
    setImmediate(() => this.#flush())
  }

  #flush(): void {
    this.#flushIsDue = false
    if (this.#isClosed) return
    this.#flushCommits()
    this.#appends.flush()
  }

  #flushCommits(): void {
    const queued = this.#commits
    if (queued === undefined) return
    this.#commits = undefined
    const { outcomes, stored } = queued
    const call = this.#calls.add({ settle: () => stored.resolve(), reject: stored.reject })
    this.#link.send(packCommit(call, outcomes))
  }

  #call<Name extends StoreCallName>(
    name: Name,
    args: StoreCalls[Name]['args'],
  ): Promise<StoreCalls[Name]['answer']> {
    if (this.#isClosed) return Promise.reject(new TrackError('TRK_STOPPING'))
    // What was asked for in this turn before the call takes place before it.
    this.#flush()
    return new Promise((resolve, reject) => {
      const settle = (settlement: Settlement): void => {
        const answer = settlement.kind === 'done' ? settlement.answer : undefined
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the answer to a call of this name (store-calls.ts)
        resolve(answer as StoreCalls[Name]['answer'])
      }
      const call = this.#calls.add({ settle, reject })
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- name and arguments are of one entry of StoreCalls
      this.#link.send({ type: 'call', call, name, args } as CallMessage)
    })
  }

  #receive(news: StoreNews): void {
    switch (news.type) {
      case 'settled':
        this.#counts = news.counts
        for (const batch of news.written) this.#deps.onWritten?.(batch)
        for (const call of news.done) this.#settle(call, { kind: 'done', answer: undefined })
        for (const { call, ...refusal } of news.refused) this.#settle(call, { kind: 'refused', ...refusal })
        for (const { call, error } of news.failed) {
          this.#link.answered(call)
          this.#calls.reject(call, TrackError.fromWire(error))
        }
        break
      case 'answer':
        this.#counts = news.counts
        this.#settle(news.call, { kind: 'done', answer: news.answer })
        break
      case 'run':
        this.#run?.(news.reports.map(journalledReport))
        break
      case 'readiness':
        this.#setReadiness(news.readiness)
        break
      case 'row-error':
        this.#deps.onTrouble(`changes of trends were lost in database ${news.database}: ${news.message}`)
        break
      default:
        news satisfies never
    }
  }

  #settle(call: number, settlement: Settlement): void {
    this.#link.answered(call)
    this.#calls.settle(call, settlement)
  }

  #setReadiness(readiness: Readiness): void {
    const isSame = readiness.ready === this.#readiness.ready
    this.#readiness = readiness
    if (!isSame) this.#deps.onReadiness(readiness)
  }
}

function journalledReport({ id, content }: HandedReport): JournalledReport {
  const { login, text, receivedAtMs } = decodeReport(content)
  return { id, login, text, receivedAtMs, sizeBytes: content.length }
}
