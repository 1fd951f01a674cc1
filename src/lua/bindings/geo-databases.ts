/**
 * GeoIP databases in Lua: opening them in the configuration, looking addresses up anywhere.
 */
import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { bundledCountryDatabasePath } from '../../enrich/geoip/bundled-country-database.ts'
import { GeoDatabase } from '../../enrich/geoip/geo-database.ts'
import { geoRecordOf } from '../../enrich/geoip/geo-record.ts'
import { findLegacyReplacement, type LegacyKind } from '../../enrich/geoip/legacy-databases.ts'
import type { SettingsCollector } from '../../config/settings-collector.ts'
import { ComboAddress, parseComboAddress } from '../../login/combo-address.ts'
import type { HostCall, HostFunction, HostType } from '../host-function.ts'

/** Names under which the deprecated functions keep their databases. */
const LEGACY_NAMES = {
  country: 'initGeoIPDB',
  city: 'initGeoIPCityDB',
  isp: 'initGeoIPISPDB',
} as const satisfies Record<LegacyKind, string>

export interface GeoDatabaseDeps {
  readonly settings: SettingsCollector
  /** Opens a file, keeps it under the name and answers it. Throws a TrackError that says what is wrong with the file. */
  readonly open: (name: string, path: string) => GeoDatabase
  readonly find: (name: string) => GeoDatabase | undefined
}

export function geoDatabaseFunctions(deps: GeoDatabaseDeps): readonly HostFunction[] {
  return [
    {
      name: 'newGeoIP2DB',
      usage: 'newGeoIP2DB(name, file)',
      summary:
        'Opens a MaxMind DB file under a name; without a file, the country database that comes with trackalert.',
      scope: 'configuration',
      run(call) {
        const name = call.string(1, 'name')
        if (deps.find(name) !== undefined)
          return call.fail(`there is already a GeoIP database ${JSON.stringify(name)}`)
        const file = call.optionalString(2, 'file')
        deps.open(name, file === undefined ? bundledCountryDatabasePath() : resolve(file))
      },
    },
    {
      name: 'getGeoIP2DB',
      usage: 'getGeoIP2DB(name)',
      summary: 'The GeoIP database that newGeoIP2DB opened under this name.',
      scope: 'anywhere',
      run(call) {
        const name = call.string(1, 'name')
        return (
          deps.find(name) ??
          call.fail(`there is no GeoIP database ${JSON.stringify(name)}; open it with newGeoIP2DB`)
        )
      },
    },
    ...legacyFunctions(deps),
  ]
}

function legacyFunctions(deps: GeoDatabaseDeps): readonly HostFunction[] {
  const opening = (kind: LegacyKind): HostFunction => ({
    name: LEGACY_NAMES[kind],
    usage: `${LEGACY_NAMES[kind]}()`,
    summary: `Deprecated: opens a MaxMind DB file in place of the old ${kind} database. Use newGeoIP2DB.`,
    scope: 'configuration',
    run(call) {
      const name = LEGACY_NAMES[kind]
      const path = findLegacyReplacement(kind, isFile)
      if (path === undefined) {
        return call.fail(
          `${name}: databases of the old format cannot be read, and no MaxMind DB file was found in their usual folders; use newGeoIP2DB(name, file)`,
        )
      }
      if (deps.find(name) === undefined) deps.open(name, path)
      deps.settings.notice(`${name}() is deprecated; it opened ${path}: use newGeoIP2DB() instead`)
    },
  })
  const lookup = (
    name: string,
    kind: LegacyKind,
    read: (db: GeoDatabase, address: string) => object | string,
    none: object | string,
  ): HostFunction => ({
    name,
    usage: `${name}(address)`,
    summary: `Deprecated: looks up in the database that ${LEGACY_NAMES[kind]}() opened. Use getGeoIP2DB(name):${name}(address).`,
    scope: 'anywhere',
    run(call) {
      const database = deps.find(LEGACY_NAMES[kind])
      const address = addressArgument(call, 1)
      return database === undefined ? none : read(database, address)
    },
  })
  return [
    opening('country'),
    opening('city'),
    opening('isp'),
    lookup('lookupCountry', 'country', (db, address) => db.lookupCountry(address), ''),
    lookup('lookupISP', 'isp', (db, address) => db.lookupIsp(address), ''),
    lookup('lookupCity', 'city', (db, address) => db.lookupCity(address), geoRecordOf(undefined)),
  ]
}

export function geoDatabaseType(): HostType {
  const self = (call: HostCall): GeoDatabase => call.object(1, 'self', GeoDatabase)
  const byPath = (
    name: string,
    what: string,
    read: (db: GeoDatabase, address: string, path: readonly string[]) => string | number | boolean,
  ): HostFunction => ({
    name: `GeoIP2DB:${name}`,
    usage: `db:${name}(address, path)`,
    summary: `The ${what} at a path of keys in the record of the address, such as {"city", "names", "en"}.`,
    scope: 'anywhere',
    run: (call) => read(self(call), addressArgument(call, 2), call.arrayOfStrings(3, 'path')),
  })
  return {
    name: 'GeoIP2DB',
    hostClass: GeoDatabase,
    methods: [
      {
        name: 'GeoIP2DB:lookupCountry',
        usage: 'db:lookupCountry(address)',
        summary: 'The two-letter code of the country, "" when it is not known.',
        scope: 'anywhere',
        run: (call) => self(call).lookupCountry(addressArgument(call, 2)),
      },
      {
        name: 'GeoIP2DB:lookupISP',
        usage: 'db:lookupISP(address)',
        summary: 'The name of the network operator, "" when it is not known.',
        scope: 'anywhere',
        run: (call) => self(call).lookupIsp(addressArgument(call, 2)),
      },
      {
        name: 'GeoIP2DB:lookupCity',
        usage: 'db:lookupCity(address)',
        summary:
          'A GeoIPRecord: country_code, country_name, region, city, postal_code, continent_code, latitude, longitude.',
        scope: 'anywhere',
        run: (call) => self(call).lookupCity(addressArgument(call, 2)),
      },
      byPath('lookupStringValue', 'string', (db, address, path) => db.lookupString(address, path)),
      byPath('lookupUIntValue', 'whole number', (db, address, path) => db.lookupUnsigned(address, path)),
      byPath('lookupBoolValue', 'boolean', (db, address, path) => db.lookupBoolean(address, path)),
      byPath('lookupDoubleValue', 'number', (db, address, path) => db.lookupDouble(address, path)),
    ],
  }
}

/** A ComboAddress, or, as a convenience, its text. */
function addressArgument(call: HostCall, position: number): string {
  const address = call.objectIf(position, ComboAddress)
  if (address !== undefined) return address.address
  const value = call.value(position)
  if (typeof value === 'string') {
    return parseComboAddress(value)?.address ?? call.fail(`${JSON.stringify(value)} is no IP address`)
  }
  return call.object(position, 'address', ComboAddress).address
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}
