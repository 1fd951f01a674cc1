/**
 * The GeoIP database of a policy test: it knows what the test has said of addresses and networks. Whatever name a policy
 * asks for, it gets this one. Lives on the thread of the test's Lua state.
 */
import { GeoDatabase } from '../enrich/geoip/geo-database.ts'
import { parseComboAddress } from '../login/combo-address.ts'
import type { Netmask } from '../login/netmask.ts'
import type { BindingDeps } from '../lua/bindings/table.ts'

interface Entry {
  readonly network: Netmask
  /** As a MaxMind file would have it, or flat: `{country_code, city, latitude, longitude}`. */
  readonly record: unknown
}

export class TestGeography {
  readonly #entries: Entry[] = []

  set(network: Netmask, record: unknown): void {
    this.#entries.unshift({ network, record })
  }

  clear(): void {
    this.#entries.length = 0
  }

  /** Of the networks that contain the address the smallest says; of equal ones the one that was set last. */
  find(text: string): unknown {
    const address = parseComboAddress(text)
    if (address === undefined) return undefined
    const fitting = this.#entries.filter(({ network }) => network.contains(address))
    return fitting.toSorted((a, b) => b.network.bits - a.network.bits)[0]?.record
  }
}

/** What Lua gets under any name that it asks for. */
export function testGeoDatabases(geography: TestGeography): BindingDeps['geo'] {
  const databases = new Map<string, GeoDatabase>()
  const find = (name: string): GeoDatabase => {
    const database = databases.get(name) ?? openTestDatabase(name, geography)
    databases.set(name, database)
    return database
  }
  return { open: find, find }
}

/** A database over it. Nothing is cached: a test may change its mind about an address. */
function openTestDatabase(name: string, geography: TestGeography): GeoDatabase {
  const source = {
    builtAt: new Date(0),
    type: 'Test',
    ipVersion: 6,
    read: (address: string) => geography.find(address),
  } as const
  return new GeoDatabase({ name, path: '(test)' }, source, { cacheEntries: 0 })
}
