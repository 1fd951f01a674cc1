/**
 * The configuration thread's Lua state: its functions collect settings while the file runs, and serve the console after
 * that. Lives on the configuration thread.
 */
import { dirname } from 'node:path'
import type { GeoDatabase } from '../enrich/geoip/geo-database.ts'
import { messageOf, TrackError } from '../errors.ts'
import { createHttpClient, type HttpClient } from '../lookup/http-client.ts'
import { createDnsResolvers } from '../lookup/dns-resolvers.ts'
import { createBindings } from '../lua/bindings/table.ts'
import type { WriteLog } from '../lua/bindings/logging.ts'
import { Registrations } from '../lua/bindings/registrations.ts'
import { createLuaState, type LuaState } from '../lua/lua-state.ts'
import type { AskServer } from '../lua/bindings/ask-server.ts'
import type { AskStore } from '../lua/bindings/stored-reports.ts'
import type { WorkerTrends } from '../policy/worker-trends.ts'
import type { HashSeed } from '../trends/item-hash.ts'
import type { ConfigThreadSetup, ConsoleNotice } from './messages.ts'
import { collectGeoDatabase } from './collect-geo-database.ts'
import { CONFIG_LIMITS } from './config-source.ts'
import { PrintedText } from './printed-text.ts'
import { SettingsCollector, type CollectedGeoDatabase } from './settings-collector.ts'
import { stateDirectoryPath } from './state-directory.ts'

export interface ConfigurationState {
  readonly lua: LuaState
  readonly settings: SettingsCollector
  readonly stateDirectory: () => string
  /** What lines have printed. */
  readonly printed: PrintedText
  /** Look-ups from here on are answered from the new file. */
  readonly replaceGeoDatabase: (database: CollectedGeoDatabase) => void
}

/** What lines use once the server is up. */
export interface ConnectedServer {
  readonly trends: WorkerTrends
  readonly seed: HashSeed
}

interface ConfigurationStateDeps {
  readonly setup: ConfigThreadSetup
  readonly notify: (notice: ConsoleNotice) => void
  readonly askStore: AskStore
  readonly askServer: AskServer
  /** undefined until then. */
  readonly server: () => ConnectedServer | undefined
}

export function createConfigurationState(deps: ConfigurationStateDeps): ConfigurationState {
  const { setup, notify } = deps
  const settings = new SettingsCollector()
  const printed = new PrintedText()
  const stateDirectory = (): string =>
    stateDirectoryPath({
      configured: settings.stateDirectory,
      fromEnvironment: setup.stateDirectoryFromEnvironment,
      configFile: setup.configFile,
    })
  /** Not there yet while the state is made. */
  let made: LuaState | undefined
  const log: WriteLog = (level, message, fields) => {
    if (made?.currentRun !== undefined) return notify({ type: 'log', level, message, fields })
    settings.notices.push({ level, message: `the configuration says: ${message}`, fields })
  }
  const connected = (): ConnectedServer => deps.server() ?? onlyInRuns()
  const geo = geoDatabasesOf(settings, (name) => notify({ type: 'geo-damage', database: name }))
  let httpClient: HttpClient | undefined
  const bindings = createBindings({
    settings,
    registrations: new Registrations(),
    log,
    geo,
    // Made when it is first used: by then the file has said what it wants of TLS.
    http: { client: () => (httpClient ??= createHttpClient({ tls: settings.tlsClient })) },
    dns: createDnsResolvers({
      onQuery: (resolver, durationMs) => notify({ type: 'dns-query', resolver, durationMs }),
    }),
    trends: {
      registry: settings.trends,
      seed: () => connected().seed,
      readRow: (definition, key, field) => connected().trends.readRow(definition, key, field),
      size: (definition) => connected().trends.size(definition),
    },
    ask: (question) => (deps.server() === undefined ? onlyInRuns() : deps.askStore(question)),
    askServer: deps.askServer,
    globalNames: () => made?.globalNames() ?? [],
    isWebHook: (name) => settings.webHooks.has(name),
    isCustomStat: (name) => settings.customStats.has(name),
    stateDirectory,
    shutdown: () => notify({ type: 'shutdown' }),
  })
  const lua = createLuaState({
    ...bindings,
    mode: 'configuration',
    clock: Date.now,
    moduleFolder: dirname(setup.configFile),
    limits: CONFIG_LIMITS,
    print(text) {
      const run = made?.currentRun
      if (run === undefined) log('info', text.trimEnd(), {})
      else printed.add(run, text)
    },
    environment: setup.environment,
    onBug: (thrown, where) =>
      notify({
        type: 'log',
        level: 'error',
        message: 'a fault in trackalert itself; please report it',
        fields: { where, error: messageOf(thrown) },
      }),
  })
  made = lua
  return { lua, settings, stateDirectory, printed, replaceGeoDatabase: geo.replace }
}

function geoDatabasesOf(settings: SettingsCollector, onDamage: (name: string) => void) {
  const opened = new Map<string, GeoDatabase>()
  return {
    open(name: string, path: string): GeoDatabase {
      const onDamageHere = (): void => onDamage(name)
      const { collected, database } = collectGeoDatabase(name, path, { onDamage: onDamageHere })
      opened.set(name, database)
      settings.geoDatabases.set(name, collected)
      return database
    },
    find: (name: string): GeoDatabase | undefined => opened.get(name),
    replace: ({ name, bytes }: CollectedGeoDatabase): void => opened.get(name)?.replace(bytes),
  }
}

/** The engine's functions refuse data outside of a run before they come here. */
function onlyInRuns(): never {
  throw new TrackError('TRK_CONFIG_INVALID', 'stored data can only be used once the server is up')
}
