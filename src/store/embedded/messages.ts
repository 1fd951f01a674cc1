/**
 * Every message between the main thread and the store thread, and between the main thread and a reader of trends. Reports and trend changes travel as a few large byte arrays
 * that are transferred, not as many small objects.
 */
import type { AlertEffect } from '../../alerts/alert.ts'
import type { WireError } from '../../errors.ts'
import type {
  DeadLetter,
  Durability,
  Expiry,
  FailedReport,
  Forgotten,
  HistoryEntry,
  HistoryQuery,
  OrphanCount,
  OrphanRule,
  OutboxClaim,
  OutboxMessage,
  RunFailureRecord,
  StoreCounts,
  StoredTrendRow,
  WrittenBatch,
} from '../store.ts'
import type { TrendApplierSource } from '../trend-applier.ts'
import type { AlertAnswer, AlertCall } from './alert-calls.ts'
import type { ClaimArguments } from './outbox.ts'
import type { OpenReport } from './open-database.ts'
import type { RefusalReason } from './write-jobs.ts'

/** What the store thread is started with. */
export interface StoreThreadSetup {
  readonly databaseDirectory: string
  readonly recover: boolean
  /** This thread replaces a lost one: policy workers go on counting. */
  readonly isRestart: boolean
  readonly durability: Durability
  readonly historyMs: number
  readonly historyBytes: number
  readonly maxFailedReports: number
  readonly alertHistoryMs: number
  readonly maxOpenAlerts: number
  readonly recentRowsBytes: number
  readonly reserveBytes: number
  /** Time for checking tables before the store is opened. */
  readonly checkMs: number
  /** For the name of a database that is set aside. */
  readonly nowMs: number
  readonly trends: TrendApplierSource
  /** Memory of RowOwners. */
  readonly rowOwners: SharedArrayBuffer
}

/** What may change while the thread runs, in the units of its setup. */
export interface StoreThreadChange {
  readonly durability: Durability
  readonly historyMs: number
  readonly historyBytes: number
  readonly alertHistoryMs: number
  /** What the applier's module is called with. */
  readonly trendSetup: unknown
}

/** A reader's part of opening the database again; between the main thread and a policy worker. */
export type ToReader =
  /** The main thread holds the database open: a reader may open it too. */
  | { readonly type: 'resume' }
  /** Close it as soon as no view is open. */
  | { readonly type: 'release' }
export type FromReader = { readonly type: 'released' }

/** Reports that arrived together, as segments one after another. */
export interface AppendMessage {
  readonly type: 'append'
  /** Number of this message; appends are answered in order. */
  readonly call: number
  readonly firstSegment: number
  /** Contents of the segments, one after another. */
  readonly contents: Uint8Array
  readonly contentSizes: Uint32Array
  /** Size of every report in the contents, in order. */
  readonly reportSizes: Uint32Array
}

/** Outcomes of runs, column by column. */
export interface CommitMessage {
  readonly type: 'commit'
  readonly call: number
  /** Id of the report of every outcome; -1 for a run without one. */
  readonly reportIds: Float64Array
  /** Changes of every outcome, one after another. */
  readonly deltas: Uint8Array
  readonly deltaSizes: Uint32Array
  /** Worker and commit number of every outcome; -1 and 0 where there is none. */
  readonly stamps: Float64Array
  readonly messages: readonly OutboxMessage[]
  /** How many of the messages belong to every outcome. */
  readonly messageCounts: Uint32Array
  /** Only of outcomes that have some. */
  readonly alerts: readonly {
    /** Index of the outcome. */
    readonly outcome: number
    readonly effects: readonly AlertEffect[]
  }[]
  readonly failures: readonly {
    /** Index of the outcome. */
    readonly outcome: number
    readonly failure: RunFailureRecord
    readonly atMs: number
  }[]
}

/** The other operations of the port, with their answers. */
export interface StoreCalls {
  readonly claimDue: {
    readonly args: ClaimArguments
    readonly answer: OutboxClaim
  }
  readonly rewriteMessage: {
    readonly args: { readonly id: number; readonly body: string }
    readonly answer: undefined
  }
  readonly settleDelivered: { readonly args: { readonly ids: readonly number[] }; readonly answer: undefined }
  readonly settleRetry: {
    readonly args: { readonly id: number; readonly tries: number; readonly nextTryAtMs: number }
    readonly answer: undefined
  }
  readonly settleDead: {
    readonly args: {
      readonly id: number
      readonly tries: number
      readonly atMs: number
      readonly reason: string
    }
    readonly answer: undefined
  }
  readonly buryOrphans: { readonly args: OrphanRule; readonly answer: readonly OrphanCount[] }
  readonly deadLetters: { readonly args: { readonly limit: number }; readonly answer: readonly DeadLetter[] }
  readonly resendDeadLetter: {
    readonly args: { readonly id: number; readonly nowMs: number }
    readonly answer: boolean
  }
  readonly failedReports: {
    readonly args: { readonly limit: number }
    readonly answer: readonly FailedReport[]
  }
  readonly rerunFailedReport: { readonly args: { readonly id: number }; readonly answer: boolean }
  readonly history: { readonly args: HistoryQuery; readonly answer: readonly HistoryEntry[] }
  readonly scanTrends: {
    readonly args: {
      readonly database: string
      readonly after: Uint8Array | undefined
      readonly limit: number
    }
    readonly answer: readonly StoredTrendRow[]
  }
  readonly reconfigure: { readonly args: StoreThreadChange; readonly answer: undefined }
  readonly forgetLogin: { readonly args: { readonly login: string }; readonly answer: Forgotten }
  readonly alerts: { readonly args: AlertCall; readonly answer: AlertAnswer }
  readonly expire: { readonly args: { readonly nowMs: number }; readonly answer: Expiry }
  /** Hands over what a crash left unfinished. */
  readonly subscribe: { readonly args: undefined; readonly answer: undefined }
}

export type StoreCallName = keyof StoreCalls

export type ToStoreThread =
  | AppendMessage
  | CommitMessage
  | {
      [Name in StoreCallName]: {
        readonly type: 'call'
        readonly call: number
        readonly name: Name
        readonly args: StoreCalls[Name]['args']
      }
    }[StoreCallName]
  /** The main thread holds the database open (again). */
  | { readonly type: 'anchored' }
  /** Nobody else has the database open: the store thread closes it too and says `gone`. */
  | { readonly type: 'let-go' }
  /** It could not be opened, or not be closed everywhere; the thread asks once more later. */
  | { readonly type: 'not-anchored'; readonly error: WireError }
  | { readonly type: 'close' }

/** A report to run that the main thread does not have in memory. */
export interface HandedReport {
  readonly id: number
  /** As `encodeReport` wrote it. */
  readonly content: Uint8Array
}

export type Readiness = { readonly ready: true } | { readonly ready: false; readonly reason: string }

export type FromStoreThread =
  /** The files are checked; the main thread opens the database before the store thread does. */
  | { readonly type: 'checked' }
  | {
      readonly type: 'open'
      readonly report: OpenReport
      readonly nextSegment: number
      readonly counts: StoreCounts
    }
  | { readonly type: 'failed'; readonly error: WireError }
  /** What the last batch settled. */
  | {
      readonly type: 'settled'
      readonly done: readonly number[]
      readonly refused: readonly {
        readonly call: number
        readonly reason: RefusalReason
        readonly detail: string
      }[]
      readonly failed: readonly { readonly call: number; readonly error: WireError }[]
      /** Since the last of these messages. */
      readonly written: readonly WrittenBatch[]
      readonly counts: StoreCounts
    }
  | {
      readonly type: 'answer'
      readonly call: number
      readonly answer: StoreCalls[StoreCallName]['answer']
      readonly counts: StoreCounts
    }
  | { readonly type: 'run'; readonly reports: readonly HandedReport[] }
  | { readonly type: 'readiness'; readonly readiness: Readiness }
  /** The changes of some runs to one row were lost, because of a fault in the code that applies them. */
  | { readonly type: 'row-error'; readonly database: string; readonly message: string }
  /** The database must be closed in every thread and opened again: `let-go` → `gone` → `anchored`, or `not-anchored`. */
  | { readonly type: 'reopen' }
  | { readonly type: 'gone' }
  | { readonly type: 'closed' }
