/**
 * One policy worker's Lua state: the configuration file in force, with the functions that it registered. Lives on a
 * policy worker.
 */
import { dirname } from 'node:path'
import { createDeviceParser, type DeviceParser } from '../enrich/device/device-parser.ts'
import { loadDeviceRules } from '../enrich/device/device-rules.ts'
import { openGeoDatabase } from '../enrich/geoip/geo-database.ts'
import { messageOf, TrackError } from '../errors.ts'
import { type CollectedGeoDatabase, SettingsCollector } from '../config/settings-collector.ts'
import { createHttpClient } from '../lookup/http-client.ts'
import { createDnsResolvers } from '../lookup/dns-resolvers.ts'
import { Registrations } from '../lua/bindings/registrations.ts'
import { createBindings } from '../lua/bindings/table.ts'
import { createLuaState, type LuaState } from '../lua/lua-state.ts'
import { hashSeed } from '../trends/item-hash.ts'
import { TrendRegistry } from '../trends/trend-registry.ts'
import { MAX_IN_FLIGHT, type FromWorker, type WorkerSetup } from './messages.ts'
import type { QuestionChannel } from './question-channel.ts'
import { openedGeoDatabases, runConfiguration } from './run-configuration.ts'
import type { StoreAnswer, StoreQuestion } from './store-questions.ts'
import type { WorkerTrends } from './worker-trends.ts'

type Notice = Extract<FromWorker, { readonly type: 'log' | 'dns-query' | 'geo-damage' | 'shutdown' }>

export interface PolicyState {
  readonly lua: LuaState
  readonly registrations: Registrations
  readonly devices: DeviceParser
  readonly trends: WorkerTrends
  /** Look-ups from here on are answered from the new file, also those of objects that Lua code holds. */
  readonly replaceGeoDatabase: (database: CollectedGeoDatabase) => void
}

/** What a policy state needs of its worker. */
interface PolicyStateDeps {
  readonly notify: (notice: Notice) => void
  readonly trends: WorkerTrends
  readonly questions: QuestionChannel<StoreQuestion, StoreAnswer>
}

/**
 * Builds the state.
 *
 * @throws TrackError TRK_CONFIG_INVALID as runConfiguration does.
 */
export async function createPolicyState(
  setup: WorkerSetup,
  { notify, trends, questions }: PolicyStateDeps,
): Promise<PolicyState> {
  const registrations = new Registrations()
  const geoDatabases = new Map(
    setup.geoDatabases.map(({ name, path, bytes }) => [
      name,
      openGeoDatabase(name, path, bytes, { onDamage: () => notify({ type: 'geo-damage', database: name }) }),
    ]),
  )
  const webHooks = new Set(setup.webHookNames)
  const customStats = new Set(setup.customStats)
  const registry = new TrendRegistry()
  const seed = hashSeed(setup.hashSeed)
  // A request's time limit would go by while it waits for a connection.
  const httpClient = createHttpClient({ tls: setup.tlsClient, maxConnectionsPerOrigin: MAX_IN_FLIGHT })
  const bindings = createBindings({
    settings: new SettingsCollector(),
    registrations,
    log: (level, message, fields) => notify({ type: 'log', level, message, fields }),
    geo: openedGeoDatabases(geoDatabases),
    http: { client: () => httpClient },
    dns: createDnsResolvers({
      onQuery: (resolver, durationMs) => notify({ type: 'dns-query', resolver, durationMs }),
    }),
    trends: {
      registry,
      seed: () => seed,
      readRow: (definition, key, field) => trends.readRow(definition, key, field),
      size: (definition) => trends.size(definition),
    },
    ask: (question) => questions.ask(question),
    askServer: () => Promise.reject(new TrackError('TRK_CONSOLE_FAILED', 'this is no console')),
    globalNames: () => [],
    isWebHook: (name) => webHooks.has(name),
    isCustomStat: (name) => customStats.has(name),
    stateDirectory: () => setup.stateDirectory,
    shutdown: () => notify({ type: 'shutdown' }),
  })
  /** Not there yet when the clock is asked while the state is made. */
  let made: LuaState | undefined
  const lua = createLuaState({
    ...bindings,
    mode: 'policy',
    clock: () => {
      const run = setup.timeSource === 'report' ? made?.currentRun : undefined
      return run === undefined ? Date.now() : run.nowSeconds * 1000
    },
    moduleFolder: dirname(setup.configFile),
    limits: setup.limits,
    print(text) {
      // A line of the console has printed it for its client already.
      if (made?.currentRun?.kind === 'console') return
      notify({ type: 'log', level: 'info', message: text.trimEnd(), fields: {} })
    },
    environment: setup.environment,
    onBug: (thrown, where) => notify(bugNotice(thrown, where)),
  })
  made = lua
  await runConfiguration(lua, setup)
  const devices = createDeviceParser(loadDeviceRules({ ownRulesFile: setup.regexesFile }))
  return {
    lua,
    registrations,
    devices,
    trends,
    replaceGeoDatabase: ({ name, bytes }) => geoDatabases.get(name)?.replace(bytes),
  }
}

/** A fault of ours that a Lua call ran into: the run has failed, the operator and we want to know. */
function bugNotice(thrown: unknown, where: string): Notice {
  const stack = thrown instanceof Error ? (thrown.stack ?? '') : ''
  return {
    type: 'log',
    level: 'error',
    message: 'a fault in trackalert itself; please report it',
    fields: { where, error: messageOf(thrown), stack },
  }
}
