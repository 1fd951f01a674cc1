/**
 * What the server is started with. Types only; main.ts fills it in.
 */
import type { Log } from '../telemetry/log.ts'
import type { ServerThreads } from './server-threads.ts'

export interface AppOptions {
  /** Absolute path. */
  readonly configFile: string
  /** Absolute path of the user-agent rules that are tried first. */
  readonly regexesFile: string
  readonly version: string
  readonly stateDirectoryFromEnvironment: string | undefined
  /** What os.getenv() shows. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly log: Log
  /** If they were started ahead. */
  readonly threads?: ServerThreads
  /** Lines of the log dropped since the start, by where they were to go; none where it is not said. */
  readonly logLinesDropped?: () => Readonly<Record<'output' | 'syslog', number>>
  /** Set a damaged store aside and go on with what is intact of it. */
  readonly recover: boolean
  /** Reports and calls that may wait or run, over all policy workers; the default is for servers, tests want fewer. */
  readonly maxPendingRuns?: number
  /** Between two looks at the GeoIP files, milliseconds; the default is a minute. */
  readonly geoFilesEveryMs?: number
  /**
   * Unix milliseconds: the server lives by this clock, each run of a report by the report's own time, and all other runs by
   * the time of day. For playing the past, as the demo does. Nothing in a configuration or on the command line sets it: whoever may send reports would set
   * the clock of the server. The time of day if it is left out.
   */
  readonly clock?: () => number
  /** A policy called shutdown(). */
  readonly onShutdownRequested: () => void
}
