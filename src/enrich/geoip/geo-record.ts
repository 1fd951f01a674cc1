/**
 * What a GeoIP record says in the terms of the reference: country, city, network. Knows the two families of files:
 * MaxMind's nested records (https://dev.maxmind.com/geoip/docs/databases) and the flat ones of ip-location-db
 * (https://github.com/sapics/ip-location-db). Pure; records come from a file that nobody vouches for.
 */

/** Everything that is known about the place of an address. `''` and 0 mean unknown. */
export interface GeoRecord {
  /** ISO 3166-1, two letters. */
  readonly country_code: string
  /** In English. */
  readonly country_name: string
  /** ISO 3166-2 without the country, such as `CA` for California; from flat files the region's name. */
  readonly region: string
  /** In English. */
  readonly city: string
  readonly postal_code: string
  /** AF, AN, AS, EU, NA, OC or SA. */
  readonly continent_code: string
  /** Degrees, north positive. */
  readonly latitude: number
  /** Degrees, east positive. */
  readonly longitude: number
  /** Kilometres within which the address probably is. */
  readonly accuracy_radius: number
  /** As in the IANA database: `Europe/London`. */
  readonly time_zone: string
}

type Path = readonly string[]

const COUNTRY_CODE = [['country', 'iso_code'], ['country_code']] as const
/** Flat records have codes only. */
const COUNTRY_NAMES = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' })

/** The two-letter country code, `''` when the record has none. */
export function countryOf(record: unknown): string {
  return text(record, COUNTRY_CODE)
}

/** The name of the network's operator: the ISP, else the organisation of the autonomous system; `''` without either. */
export function ispOf(record: unknown): string {
  return text(record, [
    ['isp'],
    ['traits', 'isp'],
    ['autonomous_system_organization'],
    ['traits', 'autonomous_system_organization'],
  ])
}

/** All that a record says about a place. */
export function geoRecordOf(record: unknown): GeoRecord {
  const country_code = countryOf(record)
  return {
    country_code,
    country_name: text(record, [['country', 'names', 'en'], ['country_name']]) || countryName(country_code),
    region: text(record, [['subdivisions', '0', 'iso_code'], ['state1']]),
    city: text(record, [['city', 'names', 'en'], ['cities', '0'], ['city']]),
    postal_code: text(record, [['postal', 'code'], ['postcode']]),
    continent_code: text(record, [['continent', 'code'], ['continent_code']]),
    latitude: number(record, [['location', 'latitude'], ['latitude']]),
    longitude: number(record, [['location', 'longitude'], ['longitude']]),
    accuracy_radius: number(record, [['location', 'accuracy_radius']]),
    time_zone: text(record, [['location', 'time_zone'], ['timezone']]),
  }
}

/**
 * The value at a path of map keys and array positions (`0`, `1`, …), undefined when there is none.
 */
export function valueAt(record: unknown, path: Path): unknown {
  let value = record
  for (const key of path) {
    // Only what the file wrote: neither `constructor` nor an array's `length` is in it.
    if (!isContainer(value) || !Object.hasOwn(value, key)) return undefined
    if (Array.isArray(value) && !/^\d+$/.test(key)) return undefined
    value = value[key]
  }
  return value
}

function isContainer(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function text(record: unknown, paths: readonly Path[]): string {
  for (const path of paths) {
    const value = valueAt(record, path)
    if (typeof value === 'string' && value !== '') return value
  }
  return ''
}

function number(record: unknown, paths: readonly Path[]): number {
  for (const path of paths) {
    const value = valueAt(record, path)
    if (typeof value === 'number' && Number.isFinite(value)) return value
  }
  return 0
}

function countryName(code: string): string {
  return /^[A-Z]{2}$/.test(code) ? (COUNTRY_NAMES.of(code) ?? '') : ''
}
