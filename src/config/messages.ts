/**
 * Every message between the main thread and the configuration thread, and between the main thread and the one that
 * reads a GeoIP file.
 */
import type { WireError } from '../errors.ts'
import type { TrendDefinition } from '../trends/trend-definition.ts'
import type { CollectedGeoDatabase, Notice } from './settings-collector.ts'

/** What the configuration thread is started with. */
export interface ConfigThreadSetup {
  /** Absolute path. */
  readonly configFile: string
  /** `$STATE_DIRECTORY`, where systemd gives one. */
  readonly stateDirectoryFromEnvironment: string | undefined
  /** What os.getenv() shows. */
  readonly environment: Readonly<Record<string, string | undefined>>
}

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
