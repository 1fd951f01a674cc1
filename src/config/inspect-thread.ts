/**
 * Thread that looks at a configuration: runs the file in a Lua state whose functions have no effect outside, notes what
 * they refuse, and sends what it learnt. It ends with that message.
 */
import { dirname } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { bytesToText } from '../login/byte-string.ts'
import type { GeoDatabase } from '../enrich/geoip/geo-database.ts'
import { messageOf, TrackError } from '../errors.ts'
import { createHttpClient } from '../lookup/http-client.ts'
import { createDnsResolvers } from '../lookup/dns-resolvers.ts'
import { Registrations } from '../lua/bindings/registrations.ts'
import { createBindings } from '../lua/bindings/table.ts'
import { createLuaState } from '../lua/lua-state.ts'
import { HASH_SEED_BYTES, hashSeed } from '../trends/item-hash.ts'
import { collectGeoDatabase } from './collect-geo-database.ts'
import { CONFIG_LIMITS, onlyInRuns, readConfigSource } from './config-source.ts'
import { harmlessBindings } from './harmless-functions.ts'
import type { FromInspectThread, Inspection, InspectionSetup } from './inspection.ts'
import { MistakeList } from './mistake-list.ts'
import { SettingsCollector } from './settings-collector.ts'
import { stateDirectoryPath } from './state-directory.ts'
import { undefinedNames } from './undefined-names.ts'

async function inspect(setup: InspectionSetup): Promise<Inspection> {
  const { mode, configFile } = setup
  const settings = new SettingsCollector()
  const mistakes = new MistakeList()
  const geoDatabases = new Map<string, GeoDatabase>()
  const source = readConfigSource(configFile)
  const stateDirectory = (): string =>
    stateDirectoryPath({
      configured: settings.stateDirectory,
      fromEnvironment: setup.stateDirectoryFromEnvironment,
      configFile,
    })
  const bindings = createBindings({
    settings,
    registrations: new Registrations(),
    log: () => undefined,
    geo: {
      open(name, path) {
        const { collected, database } = collectGeoDatabase(name, path)
        geoDatabases.set(name, database)
        settings.geoDatabases.set(name, collected)
        return database
      },
      find: (name) => geoDatabases.get(name),
    },
    http: { client: () => createHttpClient({ tls: settings.tlsClient }) },
    dns: createDnsResolvers({ onQuery: () => undefined }),
    trends: {
      registry: settings.trends,
      seed: () => hashSeed(new Uint8Array(HASH_SEED_BYTES)),
      readRow: onlyInRuns,
      size: onlyInRuns,
    },
    ask: onlyInRuns,
    askServer: onlyInRuns,
    globalNames: () => [],
    isWebHook: (name) => settings.webHooks.has(name),
    isCustomStat: (name) => settings.customStats.has(name),
    stateDirectory,
    shutdown: () => undefined,
  })
  const lua = createLuaState({
    ...harmlessBindings(bindings, { mode, settings, stateDirectory }),
    mode: 'configuration',
    clock: Date.now,
    moduleFolder: dirname(configFile),
    limits: CONFIG_LIMITS,
    print: () => undefined,
    environment: setup.environment,
    changesFiles: false,
    onMistake: (message) => mistakes.add(message),
  })
  const outcome = await lua.runSource(source, configFile)
  if (!outcome.ok) mistakes.add(outcome.error.message)
  if (mode === 'check') {
    const trends = new Set(settings.trends.all().map(({ name }) => name))
    const { webHooks, customStats } = settings
    const unknown = undefinedNames(bytesToText(source), { webHooks, customStats, geoDatabases, trends })
    for (const { line, message } of unknown) mistakes.add(`${configFile}:${line}: ${message}`)
  }
  const { controlSocket, controlKey, listeners, webserverPassword } = settings
  return {
    mistakes: mistakes.sorted(),
    ranToEnd: outcome.ok,
    controlSocket,
    controlKey,
    listeners,
    webserverPassword,
    raw: settings.toRaw(),
    geoDatabases: [...settings.geoDatabases.values()],
    stateDirectory: stateDirectory(),
    source,
  }
}

async function main(): Promise<void> {
  let message: FromInspectThread
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the main thread sends nothing else
    message = { type: 'inspected', inspection: await inspect(workerData as InspectionSetup) }
  } catch (error) {
    const known = error instanceof TrackError ? error : new TrackError('TRK_CONFIG_INVALID', messageOf(error))
    message = { type: 'failed', error: known.toWire() }
  }
  parentPort?.postMessage(message)
}

void main()
