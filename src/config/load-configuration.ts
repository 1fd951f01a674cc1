/**
 * Runs the configuration file once, on a thread of its own, and hands over checked and frozen settings. The main thread
 * calls it; no Lua runs there, so that a configuration that loops for ever ends in a message.
 */
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { TrackError, messageOf } from '../errors.ts'
import type { TrendDefinition } from '../trends/trend-definition.ts'
import type { ConfigThreadSetup, FromConfigThread } from './messages.ts'
import type { CollectedGeoDatabase, Notice } from './settings-collector.ts'
import type { Settings } from './settings.ts'

/** A configuration may look things up while it loads; more than this is a mistake in it. */
const LOAD_DEADLINE_MS = 60_000

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
}

/**
 * @throws TrackError TRK_CONFIG_* with the file and line of the mistake, TRK_GEOIP_UNREADABLE, TRK_STATE_DIRECTORY.
 */
export async function loadConfiguration(options: ConfigThreadSetup): Promise<Configuration> {
  // Only these: a caller's object may hold more, which could not be sent to a thread.
  const { configFile, stateDirectoryFromEnvironment, environment } = options
  const setup: ConfigThreadSetup = { configFile, stateDirectoryFromEnvironment, environment }
  const worker = new Worker(new URL(`./config-thread${extname(import.meta.url)}`, import.meta.url), {
    name: 'configuration',
    workerData: setup,
  })
  try {
    // The schema's library takes a while to load: it does so while the other thread is at work.
    const [message, { settingsFrom }] = await Promise.all([
      firstMessage(worker, setup.configFile),
      import('./settings.ts'),
    ])
    if (message.type === 'failed') throw TrackError.fromWire(message.error)
    return {
      configFile: setup.configFile,
      configSource: message.source,
      stateDirectory: message.stateDirectory,
      trendDefinitions: message.trendDefinitions,
      settings: settingsFrom(message.raw),
      geoDatabases: message.geoDatabases,
      notices: message.notices,
    }
  } finally {
    await worker.terminate()
  }
}

function firstMessage(worker: Worker, configFile: string): Promise<FromConfigThread> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(
        new TrackError('TRK_CONFIG_TIMEOUT', `${configFile} still runs after ${LOAD_DEADLINE_MS / 1000} s`),
      )
    }, LOAD_DEADLINE_MS)
    worker.once('message', (message: FromConfigThread) => {
      clearTimeout(timer)
      resolve(message)
    })
    worker.once('error', (error) => {
      clearTimeout(timer)
      reject(new TrackError('TRK_CONFIG_INVALID', `${configFile}: ${messageOf(error)}`, { cause: error }))
    })
    worker.once('exit', () => {
      clearTimeout(timer)
      reject(new TrackError('TRK_CONFIG_INVALID', `${configFile} ended the configuration thread`))
    })
  })
}
