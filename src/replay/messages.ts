/**
 * Every message between the main thread of `trackalert replay` and a thread that runs one configuration's policy.
 */
import type { Alert } from '../alerts/alert.ts'
import type { CollectedGeoDatabase } from '../config/settings-collector.ts'
import type { ScheduleSettings, Settings } from '../config/settings.ts'
import type { WireError } from '../errors.ts'

/** What a thread needs to run a policy without a server. */
export interface ReplaySetup {
  readonly configFile: string
  readonly configSource: Uint8Array
  /** Where secrets are read from; nothing is written there. */
  readonly stateDirectory: string
  readonly regexesFile: string
  readonly webHookNames: readonly string[]
  readonly customStats: readonly string[]
  readonly schedules: readonly ScheduleSettings[]
  readonly tlsClient: Settings['tlsClient']
  readonly geoDatabases: readonly CollectedGeoDatabase[]
  /** What os.getenv() shows. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** HASH_SEED_BYTES bytes. */
  readonly hashSeed: Uint8Array
  /** The policy may ask other systems. */
  readonly isOnline: boolean
}

/** What a thread is started with. */
export interface ReplayThreadSetup {
  readonly setup: ReplaySetup
  /** Shared with the main thread; new with every run. */
  readonly runMarks: BigInt64Array
}

/** Places in `runMarks`. */
export const RUN_MARK = { runs: 0, reportId: 1 } as const
/** `reportId` of a background function. */
export const NO_REPORT = -1n

/** Reports in the order in which they are run. */
export interface ReportBatch {
  /** encodeLoginReport's texts, with a line end between two: to copy one text costs less than to copy many. */
  readonly text: string
  /** Their numbers, which alerts keep. */
  readonly ids: Float64Array
  /** Unix seconds that count as now for each. */
  readonly nowSeconds: Float64Array
}

/** An alert was raised, for the first time or again. */
export interface Raised {
  readonly alertId: number
  readonly rule: string
  readonly key: string
  readonly user: string
  readonly atMs: number
  /** Place in the batch of the report whose run did it; undefined for a background function. */
  readonly report: number | undefined
}

/** Runs that failed in one way. */
export interface ReplayFailure {
  /** `report`, or the name of a background function. */
  readonly name: string
  readonly message: string
  readonly traceback: string
  readonly count: number
  /** The first report; undefined for a background function. */
  readonly reportId: number | undefined
}

/** What is left when all reports have run. */
export interface ReplayEnd {
  /** In the order in which they were raised first. */
  readonly alerts: readonly Alert[]
  readonly failures: readonly ReplayFailure[]
  readonly failedRuns: number
  readonly backgroundRuns: number
  /** So often, runs of a background function were left out in a long time without reports. */
  readonly backgroundGaps: number
  /** Webhooks that a server would have sent. */
  readonly webHooks: number
}

export type ToReplayThread =
  { readonly type: 'reports'; readonly batch: ReportBatch } | { readonly type: 'end' }

export type FromReplayThread =
  | { readonly type: 'ready' }
  /** The answer to a batch. */
  | { readonly type: 'ran'; readonly raised: readonly Raised[] }
  | { readonly type: 'ended'; readonly end: ReplayEnd }
  | { readonly type: 'failed'; readonly error: WireError }
