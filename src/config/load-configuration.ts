/**
 * Runs the configuration file once, on a thread of its own, and hands over checked and frozen settings, and the thread for
 * the console. The main thread calls it; no Lua runs there, so that a configuration that loops for ever ends in a message.
 */
import type { Worker } from 'node:worker_threads'
import { TrackError } from '../errors.ts'
import type { TrendDefinition } from '../trends/trend-definition.ts'
import { configThreads, type ConfigThreads } from './config-thread-starter.ts'
import { createConfigurationThread, type ConfigurationThread } from './configuration-thread.ts'
import { firstMessage } from './first-message.ts'
import type { ConfigThreadSetup, FromConfigThread } from './messages.ts'
import type { CollectedGeoDatabase, Notice } from './settings-collector.ts'
import { settingsFrom, type Settings } from './settings.ts'

export interface Configuration {
  readonly configFile: string
  /** What the file held: every policy state runs just this, also one that is started later. */
  readonly configSource: Uint8Array
  readonly stateDirectory: string
  readonly trendDefinitions: readonly TrendDefinition[]
  readonly settings: Settings
  readonly geoDatabases: readonly CollectedGeoDatabase[]
  /** Lines for the log: deprecated calls, new secrets, what the file itself logged. */
  readonly notices: readonly Notice[]
  /** In which the file has run; lines of the console run there. To be stopped by whoever takes the configuration. */
  readonly thread: ConfigurationThread
}

/**
 * @throws TrackError TRK_CONFIG_* with the file and line of the mistake, TRK_GEOIP_UNREADABLE, TRK_STATE_DIRECTORY.
 */
export async function loadConfiguration(
  options: ConfigThreadSetup,
  threads = configThreads(),
): Promise<Configuration> {
  // Only these: a caller's object may hold more, which could not be sent to a thread.
  const { configFile, stateDirectoryFromEnvironment, environment } = options
  const setup: ConfigThreadSetup = { configFile, stateDirectoryFromEnvironment, environment }
  const { worker, message } = await startThread(setup, threads)
  try {
    const { source: configSource } = message
    const startAnother = async (): Promise<Worker> =>
      (await startThread({ ...setup, configSource }, threads)).worker
    return {
      configFile,
      configSource,
      stateDirectory: message.stateDirectory,
      trendDefinitions: message.trendDefinitions,
      settings: settingsFrom(message.raw),
      geoDatabases: message.geoDatabases,
      notices: message.notices,
      thread: createConfigurationThread(worker, startAnother),
    }
  } catch (error) {
    await worker.terminate()
    throw error
  }
}

/** A thread in which the configuration has run. */
async function startThread(setup: ConfigThreadSetup, threads: ConfigThreads) {
  const worker = threads.start(setup)
  try {
    const message = await firstMessage(worker, setup.configFile, isStartMessage)
    if (message.type === 'failed') throw TrackError.fromWire(message.error)
    return { worker, message }
  } catch (error) {
    await worker.terminate()
    throw error
  }
}

type StartMessage = Extract<FromConfigThread, { readonly type: 'collected' | 'failed' }>

/** What the thread says once the file has run; what the file's look-ups say before is left out. */
function isStartMessage(message: FromConfigThread): message is StartMessage {
  return message.type === 'collected' || message.type === 'failed'
}
