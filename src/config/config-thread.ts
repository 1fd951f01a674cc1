/**
 * The configuration thread: runs the configuration file once, in a Lua state whose functions collect settings, and sends
 * the main thread what they collected. It ends with that message.
 */
import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import type { GeoDatabase } from '../enrich/geoip/geo-database.ts'
import { messageOf, TrackError } from '../errors.ts'
import { createHttpClient, type HttpClient } from '../lookup/http-client.ts'
import { createDnsResolvers } from '../lookup/dns-resolvers.ts'
import { createBindings } from '../lua/bindings/table.ts'
import type { WriteLog } from '../lua/bindings/logging.ts'
import { Registrations } from '../lua/bindings/registrations.ts'
import { HASH_SEED_BYTES, hashSeed } from '../trends/item-hash.ts'
import { createLuaState } from '../lua/lua-state.ts'
import type { ConfigThreadSetup, FromConfigThread } from './messages.ts'
import { collectGeoDatabase } from './collect-geo-database.ts'
import { SettingsCollector } from './settings-collector.ts'
import { stateDirectoryPath } from './state-directory.ts'

/** Longer than a policy may take: the file may read lists of thousands of netmasks. */
const LIMITS = { cpuMs: 20_000, wallMs: 50_000 } as const

async function collect(setup: ConfigThreadSetup): Promise<FromConfigThread> {
  const settings = new SettingsCollector()
  const geoDatabases = new Map<string, GeoDatabase>()
  const stateDirectory = (): string =>
    stateDirectoryPath({
      configured: settings.stateDirectory,
      fromEnvironment: setup.stateDirectoryFromEnvironment,
      configFile: setup.configFile,
    })
  const log: WriteLog = (level, message, fields) => {
    settings.notices.push({ level, message: `the configuration says: ${message}`, fields })
  }
  let httpClient: HttpClient | undefined
  const bindings = createBindings({
    settings,
    registrations: new Registrations(),
    log,
    geo: {
      open(name, path) {
        const { collected, database } = collectGeoDatabase(name, path)
        geoDatabases.set(name, database)
        settings.geoDatabases.set(name, collected)
        return database
      },
      find: (name) => geoDatabases.get(name),
    },
    // Made when it is first used: by then the file has said what it wants of TLS.
    http: { client: () => (httpClient ??= createHttpClient({ tls: settings.tlsClient })) },
    dns: createDnsResolvers({ onQuery: () => undefined }),
    // The engine's functions refuse data outside of a run before they come here.
    trends: {
      registry: settings.trends,
      seed: () => hashSeed(new Uint8Array(HASH_SEED_BYTES)),
      readRow: onlyInRuns,
      size: onlyInRuns,
    },
    ask: onlyInRuns,
    isWebHook: (name) => settings.webHooks.has(name),
    isCustomStat: (name) => settings.customStats.has(name),
    stateDirectory,
    shutdown: () => undefined,
  })
  const source = readSource(setup.configFile)
  const lua = createLuaState({
    ...bindings,
    mode: 'configuration',
    clock: Date.now,
    moduleFolder: dirname(setup.configFile),
    limits: LIMITS,
    print: (text) => log('info', text.trimEnd(), {}),
    environment: setup.environment,
  })
  const outcome = await lua.runSource(source, setup.configFile)
  if (!outcome.ok) throw configurationError(setup.configFile, outcome.error.message)
  return {
    type: 'collected',
    raw: settings.toRaw(),
    source,
    geoDatabases: [...settings.geoDatabases.values()],
    stateDirectory: stateDirectory(),
    trendDefinitions: settings.trends.all(),
    notices: settings.notices,
  }
}

function onlyInRuns(): never {
  throw new TrackError(
    'TRK_CONFIG_INVALID',
    'stored data can only be used by report, background and endpoint functions',
  )
}

function readSource(configFile: string): Uint8Array {
  try {
    return readFileSync(configFile)
  } catch (error) {
    throw new TrackError('TRK_CONFIG_INVALID', `the file cannot be read: ${messageOf(error)}`, {
      cause: error,
    })
  }
}

/** Lua's messages begin with file and line, unless the file raised something that is no text. */
function configurationError(configFile: string, message: string): TrackError {
  return new TrackError(
    'TRK_CONFIG_INVALID',
    message.includes(configFile) ? message : `${configFile}: ${message}`,
  )
}

async function main(): Promise<void> {
  let message: FromConfigThread
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the main thread sends nothing else
    message = await collect(workerData as ConfigThreadSetup)
  } catch (error) {
    const known = error instanceof TrackError ? error : new TrackError('TRK_CONFIG_INVALID', messageOf(error))
    message = { type: 'failed', error: known.toWire() }
  }
  parentPort?.postMessage(message)
}

void main()
