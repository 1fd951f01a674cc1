/**
 * Every message between the main thread and the configuration thread, and between the main thread and the one that
 * reads a GeoIP file.
 */
import type { ServerAnswer, ServerQuestion } from '../console/console-questions.ts'
import type { WireError } from '../errors.ts'
import type { CommittedEffects } from '../policy/messages.ts'
import type { StoreAnswer, StoreQuestion } from '../policy/store-questions.ts'
import type { TrendReaderSetup } from '../store/embedded/trend-reader.ts'
import type { LogFields, LogLevel } from '../telemetry/log.ts'
import type { TrendDefinition } from '../trends/trend-definition.ts'
import type { CollectedGeoDatabase, Notice } from './settings-collector.ts'

/** What the configuration thread is started with. */
export interface ConfigThreadSetup {
  /** Absolute path. */
  readonly configFile: string
  /** What the file held, for a thread that takes the place of a lost one; read from the file if not given. */
  readonly configSource?: Uint8Array
  /** `$STATE_DIRECTORY`, where systemd gives one. */
  readonly stateDirectoryFromEnvironment: string | undefined
  /** What os.getenv() shows. */
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** How a line of the console ended. */
export type LineOutcome =
  | {
      readonly ok: true
      readonly text: string
      /** To be committed before the line is answered. */
      readonly effects: CommittedEffects | undefined
    }
  | { readonly ok: false; readonly text: string }

export type ToConfigThread =
  /** The server is up: lines may use trends from here on. */
  | { readonly type: 'connect'; readonly reader: TrendReaderSetup; readonly hashSeed: Uint8Array }
  | { readonly type: 'line'; readonly id: number; readonly line: string }
  | { readonly type: 'store-answer'; readonly id: number; readonly answer: StoreAnswer }
  | { readonly type: 'server-answer'; readonly id: number; readonly answer: ServerAnswer }
  /** A file that the configuration opened under this name was replaced by a new one, which is in order. */
  | { readonly type: 'geo-database'; readonly database: CollectedGeoDatabase }
  /** Answered by the thread's event loop: no answer means that Lua or a host function holds it. */
  | { readonly type: 'ping' }

export type FromConfigThread =
  | {
      readonly type: 'collected'
      /** To be checked by `settingsFrom`. */
      readonly raw: Readonly<Record<string, unknown>>
      readonly geoDatabases: readonly CollectedGeoDatabase[]
      readonly stateDirectory: string
      readonly trendDefinitions: readonly TrendDefinition[]
      /** What the configuration file held. */
      readonly source: Uint8Array
      readonly notices: readonly Notice[]
    }
  | { readonly type: 'failed'; readonly error: WireError }
  | { readonly type: 'line-ended'; readonly id: number; readonly outcome: LineOutcome }
  | { readonly type: 'store-question'; readonly id: number; readonly question: StoreQuestion }
  | { readonly type: 'server-question'; readonly id: number; readonly question: ServerQuestion }
  | { readonly type: 'pong' }
  | ConsoleNotice

/** What lines say on behalf of their Lua code. */
export type ConsoleNotice =
  | { readonly type: 'log'; readonly level: LogLevel; readonly message: string; readonly fields: LogFields }
  | { readonly type: 'dns-query'; readonly resolver: string; readonly durationMs: number }
  | { readonly type: 'geo-damage'; readonly database: string }
  | { readonly type: 'shutdown' }

/** The file to read. */
export interface GeoFileThreadSetup {
  readonly name: string
  /** Absolute path. */
  readonly path: string
}

/** The one message of that thread. */
export type FromGeoFileThread =
  | { readonly type: 'loaded'; readonly database: CollectedGeoDatabase }
  | { readonly type: 'failed'; readonly error: WireError }
