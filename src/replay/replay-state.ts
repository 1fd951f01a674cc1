/**
 * The Lua state of a replay: that of a policy worker, with trends and alerts in memory, and nothing outside. Lives on the
 * thread that replays.
 */
import { dirname } from 'node:path'
import { AlertBook } from '../alerts/alert-book.ts'
import { createDeviceParser } from '../enrich/device/device-parser.ts'
import { loadDeviceRules } from '../enrich/device/device-rules.ts'
import { openGeoDatabase } from '../enrich/geoip/geo-database.ts'
import { createHttpClient, type HttpClient } from '../lookup/http-client.ts'
import { createLoginTuples, type PushLoginTuple } from '../lua/bindings/login-tuple.ts'
import { Registrations } from '../lua/bindings/registrations.ts'
import { createLuaState, type LuaState } from '../lua/lua-state.ts'
import { offlineBindings } from '../policy/offline-bindings.ts'
import { openedGeoDatabases, runConfiguration } from '../policy/run-configuration.ts'
import { hashSeed } from '../trends/item-hash.ts'
import { RowTable } from '../trends/row-table.ts'
import { TrendRegistry } from '../trends/trend-registry.ts'
import type { ReplaySetup } from './messages.ts'

export interface ReplayState {
  readonly lua: LuaState
  readonly registrations: Registrations
  readonly pushLoginTuple: PushLoginTuple
  readonly rows: RowTable
  readonly alerts: AlertBook
}

/** Rows of the databases of a policy, all together: with these a thread takes some gigabytes. */
const ROW_LIMITS = { maxRows: 3_000_000, maxBytes: 1024 ** 3 } as const
const REFUSED = {
  kind: 'refused',
  why: 'a replay asks no other system; give --online to let it, which takes longer and answers what is true now',
} as const

/** @throws TrackError TRK_CONFIG_INVALID when the file fails in a policy's state. */
export async function createReplayState(setup: ReplaySetup): Promise<ReplayState> {
  const registrations = new Registrations()
  const registry = new TrendRegistry()
  const rows = new RowTable(registry, ROW_LIMITS)
  const webHooks = new Set(setup.webHookNames)
  const customStats = new Set(setup.customStats)
  const geoDatabases = new Map(
    setup.geoDatabases.map(({ name, path, bytes }) => [name, openGeoDatabase(name, path, bytes, {})]),
  )
  let client: HttpClient | undefined
  const bindings = offlineBindings({
    who: 'a replay',
    outside: setup.isOnline ? { kind: 'asked' } : REFUSED,
    stateDirectory: setup.stateDirectory,
    log: () => undefined,
    registrations,
    registry,
    seed: hashSeed(setup.hashSeed),
    rows: () => rows,
    geo: openedGeoDatabases(geoDatabases),
    isWebHook: (name) => webHooks.has(name),
    isCustomStat: (name) => customStats.has(name),
    http: { client: () => (client ??= createHttpClient({ tls: setup.tlsClient })) },
  })
  /** Not there yet when the clock is asked while the state is made. */
  let made: LuaState | undefined
  const lua = createLuaState({
    ...bindings,
    mode: 'policy',
    clock: () => (made?.currentRun?.nowSeconds ?? 0) * 1000,
    moduleFolder: dirname(setup.configFile),
    print: () => undefined,
    environment: setup.environment,
    changesFiles: false,
  })
  made = lua
  await runConfiguration(lua, setup)
  const devices = createDeviceParser(loadDeviceRules({ ownRulesFile: setup.regexesFile }))
  return {
    lua,
    registrations,
    pushLoginTuple: createLoginTuples(lua, devices),
    rows,
    alerts: new AlertBook(),
  }
}
