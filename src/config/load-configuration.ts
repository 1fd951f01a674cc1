/**
 * Runs the configuration file once, on a thread of its own, and hands over checked and frozen settings, and the thread for
 * the console. The main thread calls it; no Lua runs there, so that a configuration that loops for ever ends in a message.
 */
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { TrackError } from '../errors.ts'
import type { TrendDefinition } from '../trends/trend-definition.ts'
import { createConfigurationThread, type ConfigurationThread } from './configuration-thread.ts'
import { firstMessage } from './first-message.ts'
import type { ConfigThreadSetup, FromConfigThread } from './messages.ts'
import type { CollectedGeoDatabase, Notice } from './settings-collector.ts'
import type { Settings } from './settings.ts'

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

/** Heap of the thread, MiB; beyond it the thread ends, and nothing else with it. */
const MEMORY_LIMIT_MB = 512
/** After the start the thread has little to do but lines of the console. */
const YOUNG_GENERATION_MB = 12

/**
 * @throws TrackError TRK_CONFIG_* with the file and line of the mistake, TRK_GEOIP_UNREADABLE, TRK_STATE_DIRECTORY.
 */
export async function loadConfiguration(options: ConfigThreadSetup): Promise<Configuration> {
  // Only these: a caller's object may hold more, which could not be sent to a thread.
  const { configFile, stateDirectoryFromEnvironment, environment } = options
  const setup: ConfigThreadSetup = { configFile, stateDirectoryFromEnvironment, environment }
  // The schema's library takes a while to load: it does so while the other thread is at work.
  const [{ worker, message }, { settingsFrom }] = await Promise.all([
    startThread(setup),
    import('./settings.ts'),
  ])
  try {
    const { source: configSource } = message
    const startAnother = async (): Promise<Worker> => (await startThread({ ...setup, configSource })).worker
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
async function startThread(setup: ConfigThreadSetup) {
  const worker = new Worker(new URL(`./config-thread${extname(import.meta.url)}`, import.meta.url), {
    name: 'configuration',
    workerData: setup,
    resourceLimits: {
      maxOldGenerationSizeMb: MEMORY_LIMIT_MB,
      maxYoungGenerationSizeMb: YOUNG_GENERATION_MB,
    },
  })
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
