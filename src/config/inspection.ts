/**
 * What is learnt from looking at a configuration file without starting a server, and every message between the main thread
 * and the thread that looks.
 */
import type { WireError } from '../errors.ts'
import type { CollectedGeoDatabase, CollectedListener } from './settings-collector.ts'

/**
 * `client`: for the console and for sending a report; files that only a server needs are not touched. `check`: to find
 * mistakes; files that the configuration names are read. `replay`: to run its policy without a server; GeoIP files are read.
 */
export type InspectionMode = 'client' | 'check' | 'replay'

export interface InspectionSetup {
  readonly mode: InspectionMode
  /** Absolute path. */
  readonly configFile: string
  readonly stateDirectoryFromEnvironment: string | undefined
  /** What os.getenv() shows. */
  readonly environment: Readonly<Record<string, string | undefined>>
}

export interface Mistake {
  /** Path of the Lua file, and the line in it; undefined where it is not of one line. */
  readonly file: string | undefined
  readonly line: number | undefined
  readonly message: string
}

export interface Inspection {
  /** By file and line. */
  readonly mistakes: readonly Mistake[]
  /** False: the last mistake that Lua met ended the file, and what comes after it has not been looked at. */
  readonly ranToEnd: boolean
  readonly controlSocket: { readonly host: string; readonly port: number } | null
  readonly controlKey: string | null
  readonly listeners: readonly CollectedListener[]
  readonly webserverPassword: string | null
  /** All settings, to be checked by `settingsFrom`. */
  readonly raw: Readonly<Record<string, unknown>>
  /** Those that were opened: none for a client. */
  readonly geoDatabases: readonly CollectedGeoDatabase[]
  readonly stateDirectory: string
  /** What the file held. */
  readonly source: Uint8Array
}

export type FromInspectThread =
  | { readonly type: 'inspected'; readonly inspection: Inspection }
  | { readonly type: 'failed'; readonly error: WireError }
