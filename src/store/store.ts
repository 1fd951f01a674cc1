/**
 * The port behind which everything durable lives: journal, trends, failed runs, history, outbox. They are one port
 * because they commit together. Nothing of an engine is known outside its adapter's folder, and no caller assumes that
 * an answer is synchronous. Times are Unix milliseconds and come from the caller: there is no clock behind the port.
 */

import type { AlertEffect } from '../alerts/alert.ts'
import { NO_ALERT_COUNTS, type AlertCounts, type AlertStore } from './alert-store.ts'

/** A report on its way into the journal. */
export interface ReportToAppend {
  readonly login: string
  /** Canonical address. */
  readonly remote: string
  readonly success: boolean
  /** encodeLoginReport's text; opaque here. */
  readonly text: string
  readonly receivedAtMs: number
}

/** A report that is on disk and whose policy run has not been committed. */
export interface JournalledReport {
  /** Position in the journal; grows by arrival, never used twice. */
  readonly id: number
  readonly login: string
  readonly text: string
  readonly receivedAtMs: number
  /** Encoded size in the journal, bytes. */
  readonly sizeBytes: number
}

export type AppendOutcome =
  | { readonly kind: 'durable'; readonly reports: readonly JournalledReport[] }
  /** Backlog bound reached, or no room on disk: nothing of the batch is kept. */
  | {
      readonly kind: 'refused'
      readonly reason: 'backlog' | 'disk-full' | 'disk-error'
      readonly detail: string
    }

/**
 * What an append has reached when it resolves. fsync: the disk; os: the operating system; none: memory, and it is written
 * in the next batch: at most a megabyte, or what came in a tenth of a second, is ahead of what is written.
 */
export type Durability = 'fsync' | 'os' | 'none'

/** A message for outside, in the form that its sender wants it back; the store does not look into it. */
export interface OutboxMessage {
  /** UUID, the same on every try. */
  readonly deliveryId: string
  /** Queue that the message waits in: one slow receiver delays only its own. Webhook name, alert sink name, … */
  readonly receiver: string
  readonly body: string
  readonly createdAtMs: number
}

export interface RunFailureRecord {
  readonly code: string
  readonly message: string
  readonly traceback: string
}

/** Numbers of one worker grow by one run; a worker that replaces a lost one has a number of its own. */
export interface CommitStamp {
  /** 0 to 2^32 - 1, unique in the life of the process. */
  readonly worker: number
  readonly number: number
}

/** The end of one run. All outcomes of one commit take place together, or none. */
export type Outcome =
  | {
      readonly kind: 'done'
      /** undefined for background functions and custom endpoints, which have no journalled report. */
      readonly reportId: number | undefined
      /** encodeDeltas' bytes; empty when nothing changed. */
      readonly deltas: Uint8Array
      readonly messages: readonly OutboxMessage[]
      /** Alerts that the run raised or resolved; most runs do neither. */
      readonly alerts?: readonly AlertEffect[]
      /** Which run this was, as its policy worker counts them; undefined when no view waits for it. */
      readonly commit: CommitStamp | undefined
    }
  | {
      readonly kind: 'failed'
      readonly reportId: number
      readonly failure: RunFailureRecord
      readonly atMs: number
    }

export interface FailedReport {
  readonly id: number
  readonly login: string
  readonly text: string
  readonly failedAtMs: number
  readonly failure: RunFailureRecord
}

export interface HistoryQuery {
  readonly login?: string
  readonly remote?: string
  /** Inclusive, Unix ms of receipt. */
  readonly sinceMs?: number
  /** Exclusive. */
  readonly untilMs?: number
  readonly success?: boolean
  /** Only reports with a larger id, oldest first; without it the newest come first. */
  readonly afterId?: number
  /** At most 10,000. */
  readonly limit: number
}

export interface HistoryEntry {
  readonly id: number
  readonly receivedAtMs: number
  readonly text: string
}

export interface OutboxEntry extends OutboxMessage {
  /** Key of the entry for the calls below. */
  readonly id: number
  readonly tries: number
  readonly nextTryAtMs: number
}

export interface OutboxClaim {
  readonly entries: readonly OutboxEntry[]
  /** When the receiver's next entry that nobody holds is due; undefined when there is none. */
  readonly nextDueAtMs: number | undefined
}

export interface DeadLetter extends OutboxMessage {
  readonly id: number
  readonly tries: number
  readonly diedAtMs: number
  /** Why it was given up, e.g. `status 400`. */
  readonly reason: string
}

/** A row of a trend database, encoded. */
export interface StoredTrendRow {
  readonly key: Uint8Array
  readonly bytes: Uint8Array
  /** Its sketches that stand apart, by name. */
  readonly chunks: ReadonlyMap<string, Uint8Array>
}

/** Which waiting messages nobody will ever claim. */
export interface OrphanRule {
  /** Receivers that there are. */
  readonly named: readonly string[]
  /** Messages of other receivers are given up when they are older. */
  readonly createdBeforeMs: number
  readonly atMs: number
  readonly reason: string
}

export interface OrphanCount {
  readonly receiver: string
  /** Dead letters now; at most 1000 a call, over all receivers. */
  readonly buried: number
  /** Still in the outbox. */
  readonly waiting: number
}

export interface StoreCounts {
  readonly backlogReports: number
  readonly backlogBytes: number
  readonly failedReports: number
  readonly outboxEntries: number
  /** What waits for each receiver or is on its way; receivers for which nothing does may be absent. */
  readonly outboxByReceiver: ReadonlyMap<string, number>
  readonly deadLetters: number
  readonly historyReports: number
  readonly historyBytes: number
  readonly trendRows: number
  readonly trendRowsByDatabase: ReadonlyMap<string, number>
  /** Rows that a database's maximum size pushed out, since start. */
  readonly trendRowsEvicted: number
  readonly alerts: AlertCounts
}

/** How much of a login was erased. */
export interface Forgotten {
  readonly reports: number
  readonly trendRows: number
  readonly alerts: number
  /** Notes of when the user was last written to. */
  readonly mails: number
}

/** How the removal of what has expired went. */
export interface Expiry {
  /** For how long one step kept the others in its batch from being written at most, milliseconds; 0 where nobody is held up. */
  readonly longestStepMs: number
  /** The most processor time of a step: on a busy machine it says more. */
  readonly longestStepCpuMs: number
}

/** How a batch got to the disk. */
export interface WrittenBatch {
  /** With the fsync, where the durability asks for one. */
  readonly durationMs: number
  readonly sizeBytes: number
}

/** Of a store that holds nothing. */
export const NO_COUNTS: StoreCounts = {
  backlogReports: 0,
  backlogBytes: 0,
  failedReports: 0,
  outboxEntries: 0,
  outboxByReceiver: new Map(),
  deadLetters: 0,
  historyReports: 0,
  historyBytes: 0,
  trendRows: 0,
  trendRowsByDatabase: new Map(),
  trendRowsEvicted: 0,
  alerts: NO_ALERT_COUNTS,
}

/** What may change while the store is open. */
export interface StoreChange {
  readonly durability: Durability
  /** 0 of either keeps no report once it is done, from the next one on. */
  readonly historyDays: number
  readonly historyMegabytes: number
  /** Of resolved alerts and of notifications. */
  readonly alertHistoryDays: number
  /** For `createTrendApplier` of the module that the store was opened with: definitions of databases. */
  readonly trendSetup: unknown
}

/** What the main thread uses. */
export interface Store {
  readonly alerts: AlertStore
  /**
   * Group commit: whatever comes while a batch is written goes into the next one. Durable appends resolve in call order;
   * a refusal may overtake them.
   */
  append(reports: readonly ReportToAppend[]): Promise<AppendOutcome>
  /**
   * Reports to run, in journal order: those that a crash left unfinished first, then each batch once it is durable.
   * Called once, before the first append.
   */
  subscribe(run: (reports: readonly JournalledReport[]) => void): Promise<void>
  /** Idempotent by report id: an outcome for a report that is not open any more changes nothing. */
  commit(outcomes: readonly Outcome[]): Promise<void>

  /** Entries of a receiver whose next try is due, oldest first; not handed out again until settled. */
  claimDue(receiver: string, nowMs: number, limit: number): Promise<OutboxClaim>
  /** An open message has this body from now on; it stays with whoever holds it. Nothing happens when there is none. */
  rewriteMessage(id: number, body: string): Promise<void>
  settleDelivered(ids: readonly number[]): Promise<void>
  settleRetry(id: number, tries: number, nextTryAtMs: number): Promise<void>
  settleDead(id: number, tries: number, atMs: number, reason: string): Promise<void>
  /** Messages of receivers that there are not become dead letters when they are old; what is held stays. */
  buryOrphans(rule: OrphanRule): Promise<readonly OrphanCount[]>
  /** Newest first; kept for 30 days. */
  deadLetters(limit: number): Promise<readonly DeadLetter[]>
  /**
   * Back into the outbox under the same delivery id, its age counted from now; false when there is no such dead letter.
   */
  resendDeadLetter(id: number, nowMs: number): Promise<boolean>

  /** Newest first; kept for 7 days, and at most as many as the adapter's bound. */
  failedReports(limit: number): Promise<readonly FailedReport[]>
  /** The report is open again and handed to the subscriber; false when there is no such failed report. */
  rerunFailedReport(id: number): Promise<boolean>

  /** Newest first, by id, unless the query says otherwise. What has not been run yet is in it too. */
  history(query: HistoryQuery): Promise<readonly HistoryEntry[]>
  /**
   * Erases a person: done and failed reports (each counts once), trend rows whose key is the login, alerts that name it,
   * and notes of mails about it. Reports that are still to be run and outgoing messages stay.
   */
  forgetLogin(login: string): Promise<Forgotten>

  /**
   * Rows of a trend database in the order of their keys' bytes, from the first key behind `after`: at most `limit`, and
   * fewer when they are large. None when there are no more. Rows that are changed meanwhile may be old or new.
   */
  scanTrends(
    database: string,
    after: Uint8Array | undefined,
    limit: number,
  ): Promise<readonly StoredTrendRow[]>

  /**
   * Goes by these settings for every later call, also after the adapter had to begin anew. Stored rows stay as they are,
   * and are read under the new definitions. Rejects when the definitions cannot be used; then nothing has changed.
   */
  reconfigure(change: StoreChange): Promise<void>

  /** Removes what has expired, in steps of a few milliseconds each; called by the caller's timer. */
  expire(nowMs: number): Promise<Expiry>
  counts(): StoreCounts
  /** Refused appends are refused until this says writable again; it heals by itself. */
  readiness(): { readonly ready: true } | { readonly ready: false; readonly reason: string }
  close(): Promise<void>
}

/** What a policy worker uses to read trends. */
export interface TrendReader {
  /**
   * A view that does not change: every commit whose number is at most `appliedCommit` is in it, and no other. Cheap
   * enough for every batch of runs. A promise while the store is being opened again after a disk error.
   */
  openView(): TrendView | Promise<TrendView>
  close(): Promise<void>
}

export interface TrendView {
  /** Commits of this worker's outcomes contained in the view, by the number that the worker gave them. */
  readonly appliedCommit: number
  /** The encoded row, or a promise of it; undefined when there is none. */
  readRow(database: string, key: Uint8Array): Uint8Array | undefined | Promise<Uint8Array | undefined>
  /** A chunk of a row, by the name that its applier gave it; undefined when there is none. */
  readChunk(
    database: string,
    key: Uint8Array,
    name: string,
  ): Uint8Array | undefined | Promise<Uint8Array | undefined>
  /** Rows of a database. */
  countRows(database: string): number | Promise<number>
  /**
   * Says of a row, now and later, whether what this view holds of it is all but the reader's own changes. Undefined when that
   * cannot be told; a store that cannot tell it of any row has no such method.
   */
  watchRow?(database: string, key: Uint8Array): RowWatch | undefined
  /** Hold a view for one batch of runs, not longer: what it sees cannot be removed from disk before. */
  close(): void
}

/** Of one row: whether somebody else has changed it since the view. */
export interface RowWatch {
  readonly isUnchanged: () => boolean
}
