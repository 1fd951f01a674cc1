/**
 * A policy's functions for its tests, without the world outside: nothing is asked, written, sent or stopped. Lives on the
 * thread of the test's Lua state.
 */
import { harmlessBindings } from '../config/harmless-functions.ts'
import { SettingsCollector } from '../config/settings-collector.ts'
import type { GeoDatabase } from '../enrich/geoip/geo-database.ts'
import { TrackError } from '../errors.ts'
import { createDnsResolvers } from '../lookup/dns-resolvers.ts'
import type { Registrations } from '../lua/bindings/registrations.ts'
import { createBindings, type Bindings } from '../lua/bindings/table.ts'
import { FIXED_SEED } from '../trends/item-hash.ts'
import type { TrendRegistry } from '../trends/trend-registry.ts'
import { openTestDatabase, type TestGeography } from './test-geography.ts'
import { onlyInTests, type TestWorld } from './test-world.ts'

interface BindingParts {
  readonly folder: string
  readonly print: (text: string) => void
  readonly registrations: Registrations
  readonly registry: TrendRegistry
  readonly geography: TestGeography
  readonly world: () => TestWorld | undefined
}

export function testBindings(parts: BindingParts): Bindings {
  const settings = new SettingsCollector()
  const { folder, print, registrations, registry, geography, world } = parts
  const databases = new Map<string, GeoDatabase>()
  const find = (name: string): GeoDatabase => {
    const database = databases.get(name) ?? openTestDatabase(name, geography)
    databases.set(name, database)
    return database
  }
  const here = (): TestWorld => world() ?? onlyInTests()
  const refuse = (): never => {
    throw new TrackError('TRK_LUA_ERROR', 'a test of a policy asks nothing outside')
  }
  const bindings = createBindings({
    settings,
    registrations,
    log: (level, message, fields) => print(`${level}: ${message} ${JSON.stringify(fields)}\n`),
    geo: { open: find, find },
    http: { client: refuse },
    dns: createDnsResolvers({ onQuery: () => undefined }),
    trends: {
      registry,
      seed: () => FIXED_SEED,
      readRow: (definition, key) => here().trends.read(definition, key),
      size: (definition) => here().trends.size(definition),
    },
    ask: () => Promise.reject(new TrackError('TRK_LUA_ERROR', 'a test of a policy has no stored reports')),
    askServer: () => Promise.reject(new TrackError('TRK_CONSOLE_FAILED', 'this is no console')),
    globalNames: () => [],
    isWebHook: () => true,
    isCustomStat: () => true,
    stateDirectory: () => folder,
    shutdown: () => undefined,
  })
  return harmlessBindings(bindings, { mode: 'check', settings, stateDirectory: () => folder })
}
