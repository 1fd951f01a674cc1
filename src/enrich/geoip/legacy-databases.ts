/**
 * Which MaxMind DB file stands in for a database of the old GeoIP format, for configurations that still call
 * initGeoIPDB and its sisters. Pure but for the question whether a file is there, which the caller answers.
 */
import { bundledCountryDatabasePath } from './bundled-country-database.ts'

/** What initGeoIPDB, initGeoIPCityDB and initGeoIPISPDB opened. */
export type LegacyKind = 'country' | 'city' | 'isp'

/** Where the packages of distributions put databases, and where MaxMind's update tool does. */
const FOLDERS = ['/usr/share/GeoIP', '/var/lib/GeoIP'] as const

/** File names. The ones that are paid for come first: who has them wants them used. */
const FILES = {
  country: ['GeoIP2-Country.mmdb', 'GeoLite2-Country.mmdb'],
  city: ['GeoIP2-City.mmdb', 'GeoLite2-City.mmdb'],
  isp: ['GeoIP2-ISP.mmdb', 'GeoLite2-ASN.mmdb'],
} as const satisfies Record<LegacyKind, readonly string[]>

/** Paths at which a replacement may be, the preferred one first. */
export function legacyCandidatePaths(kind: LegacyKind): readonly string[] {
  return FILES[kind].flatMap((file) => FOLDERS.map((folder) => `${folder}/${file}`))
}

/**
 * The file to open in place of the old database: the first candidate that is there, for countries else the bundled
 * one; undefined when there is none.
 *
 * @param isFile whether a readable file has this path
 */
export function findLegacyReplacement(
  kind: LegacyKind,
  isFile: (path: string) => boolean,
): string | undefined {
  const found = legacyCandidatePaths(kind).find((path) => isFile(path))
  if (found !== undefined) return found
  switch (kind) {
    case 'country':
      return bundledCountryDatabasePath()
    case 'city':
    case 'isp':
      return undefined
    default:
      return kind satisfies never
  }
}
