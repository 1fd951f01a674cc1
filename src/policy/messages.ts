/**
 * Every message between the main thread and a policy worker.
 */
import type { AlertEffect } from '../alerts/alert.ts'
import type { CollectedGeoDatabase } from '../config/settings-collector.ts'
import type { Settings } from '../config/settings.ts'
import type { ErrorCode, WireError } from '../errors.ts'
import type { EventView } from '../events/event-handlers.ts'
import type { EndpointArguments } from '../login/endpoint-arguments.ts'
import type { TrendReaderSetup } from '../store/embedded/trend-reader.ts'
import type { PackedJob } from './packed-jobs.ts'
import type { QuietRuns } from './quiet-runs.ts'
import type { StoreAnswer, StoreQuestion } from './store-questions.ts'
import type { EndedChanges } from './worker-trends.ts'
import type { LogFields, LogLevel } from '../telemetry/log.ts'

/** Runs that a worker has under way; its main thread keeps those behind them, and hears of every one within so many. */
export const MAX_IN_FLIGHT = 256

/** What a worker needs to build its Lua state. No secret of a webhook is among it: workers only name webhooks. */
export interface WorkerSetup {
  /** `report`: each report's own time counts as now (replay); `receipt`: the time at which it came in, and the clock. */
  readonly timeSource: 'receipt' | 'report'
  /** HASH_SEED_BYTES bytes: key of the hashes of items in trends. */
  readonly hashSeed: Uint8Array
  readonly configFile: string
  /** What the file held when the settings were collected. */
  readonly configSource: Uint8Array
  readonly stateDirectory: string
  readonly regexesFile: string
  readonly webHookNames: readonly string[]
  readonly customStats: readonly string[]
  readonly tlsClient: Settings['tlsClient']
  readonly geoDatabases: readonly CollectedGeoDatabase[]
  readonly limits: PolicyLimits
  /** What os.getenv() shows. */
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** What a thread is started with: the setup that all share, and its own way to the store. */
export interface WorkerData {
  readonly setup: WorkerSetup
  readonly reader: TrendReaderSetup
}

/** Limits of one run of a Lua function. */
export interface PolicyLimits {
  /** Milliseconds of processor time. */
  readonly cpuMs: number
  /** Milliseconds from start to end, waiting included. */
  readonly wallMs: number
}

/** One thing to run. `id` is unique within the process. */
export type Job =
  | {
      readonly id: number
      readonly kind: 'report'
      /** encodeLoginReport's text. */
      readonly report: string
      /** Unix milliseconds. */
      readonly receivedAtMs: number
    }
  | {
      readonly id: number
      readonly kind: 'endpoint'
      readonly name: string
      readonly args: EndpointArguments
    }
  | { readonly id: number; readonly kind: 'background'; readonly name: string }
  | {
      readonly id: number
      readonly kind: 'event'
      /** Name that the handler was set for. */
      readonly name: string
      readonly event: EventView
    }
  | {
      readonly id: number
      readonly kind: 'sink'
      /** Of the alert sink whose function it is. */
      readonly name: string
      /** JSON: the array of what the function is called with. */
      readonly args: string
    }

export type ToWorker =
  | { readonly type: 'run'; readonly jobs: readonly PackedJob[] }
  /** Has run in the configuration's state; here it runs for the sake of Lua variables, and has no other effect. */
  | { readonly type: 'console-line'; readonly line: string }
  /** Answered by the worker's event loop: no answer means that Lua or a host function holds the thread. */
  | { readonly type: 'ping' }
  | { readonly type: 'answer'; readonly id: number; readonly answer: StoreAnswer }
  /** A file that the configuration opened under this name was replaced by a new one, which is in order. */
  | { readonly type: 'geo-database'; readonly database: CollectedGeoDatabase }

/** What a run leaves behind for the main thread to commit. */
export interface CommittedEffects {
  readonly webHooks: readonly { readonly hook: string; readonly body: string }[]
  readonly customStats: readonly (readonly [name: string, count: number])[]
  readonly trends: EndedChanges | undefined
  /** Most runs raise none. */
  readonly alerts?: readonly AlertEffect[]
}

/** Why a run failed. */
export interface RunFailure {
  readonly code: ErrorCode
  readonly message: string
  readonly traceback: string
}

export type RunOutcome =
  | {
      readonly ok: true
      readonly effects: CommittedEffects | undefined
      readonly answer: RunAnswer | undefined
    }
  | { readonly ok: false; readonly failure: RunFailure }

export type RunAnswer = EndpointAnswer | SinkAnswer

/** What the function of an alert sink returned, unless that was nil. */
export interface SinkAnswer {
  readonly kind: 'sink'
  readonly text: string
}

/** What a custom endpoint returned. */
export interface EndpointAnswer {
  readonly kind: 'endpoint'
  readonly success: boolean
  readonly attributes: Readonly<Record<string, string>>
}

export interface RunResult {
  readonly id: number
  readonly outcome: RunOutcome
  /** When the run began and how long it took: milliseconds, `performance.timeOrigin` based, one clock for all threads. */
  readonly startedAtMs: number
  readonly durationMs: number
}

export type FromWorker =
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly error: WireError }
  | { readonly type: 'results'; readonly results: readonly (RunResult | QuietRuns)[] }
  | { readonly type: 'pong' }
  | { readonly type: 'log'; readonly level: LogLevel; readonly message: string; readonly fields: LogFields }
  /** For unpackLines. */
  | { readonly type: 'log-lines'; readonly lines: string }
  | { readonly type: 'dns-query'; readonly resolver: string; readonly durationMs: number }
  | { readonly type: 'geo-damage'; readonly database: string }
  | { readonly type: 'question'; readonly id: number; readonly question: StoreQuestion }
  | { readonly type: 'shutdown' }
