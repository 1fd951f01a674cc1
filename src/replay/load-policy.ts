/**
 * A configuration, made ready for a replay: nothing is started, written or listened on. Main thread of the command.
 */
import { inspectConfiguration } from '../config/inspect-configuration.ts'
import type { Inspection, Mistake } from '../config/inspection.ts'
import { settingsFrom, type Settings } from '../config/settings.ts'
import { messageOf, TrackError } from '../errors.ts'
import type { ReplaySetup } from './messages.ts'

export interface LoadOptions {
  /** Absolute path. */
  readonly configFile: string
  readonly regexesFile: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly isOnline: boolean
  /** HASH_SEED_BYTES bytes. */
  readonly hashSeed: Uint8Array
}

/** @throws TrackError TRK_CONFIG_* with the mistakes of the file. */
export async function loadPolicy(options: LoadOptions): Promise<ReplaySetup> {
  const { configFile, regexesFile, environment, isOnline, hashSeed } = options
  const inspection = await inspectConfiguration({
    mode: 'replay',
    configFile,
    stateDirectoryFromEnvironment: environment['STATE_DIRECTORY'],
    environment,
  })
  const settings = settingsOf(inspection, configFile)
  const { source: configSource, stateDirectory, geoDatabases } = inspection
  return {
    configFile,
    configSource,
    stateDirectory,
    regexesFile,
    webHookNames: settings.webHooks.map(({ name }) => name),
    customStats: settings.customStats,
    schedules: settings.schedules,
    tlsClient: settings.tlsClient,
    geoDatabases,
    environment,
    hashSeed,
    isOnline,
  }
}

function settingsOf({ mistakes, raw }: Inspection, configFile: string): Settings {
  const [first] = mistakes
  if (first !== undefined) {
    const more = mistakes.length === 1 ? '' : ` (and ${mistakes.length - 1} more: trackalert check)`
    throw new TrackError('TRK_CONFIG_INVALID', `${placeOf(first, configFile)}: ${first.message}${more}`)
  }
  let settings: Settings
  try {
    settings = settingsFrom(raw)
  } catch (error) {
    throw new TrackError('TRK_CONFIG_INVALID', `${configFile}: ${messageOf(error)}`, { cause: error })
  }
  if (settings.hasReport) return settings
  throw new TrackError('TRK_CONFIG_INVALID', `${configFile} has no setReport(): there is nothing to replay`)
}

function placeOf({ file, line }: Mistake, configFile: string): string {
  return file === undefined ? configFile : `${file}:${line}`
}
