/**
 * A GeoIP file, read and checked, as the threads pass it on. Used on the configuration thread, and on the thread that
 * looks at a file that was replaced.
 */
import { loadGeoDatabaseFile } from '../enrich/geoip/geo-database-file.ts'
import { openGeoDatabase, type GeoDatabase, type GeoDatabaseOptions } from '../enrich/geoip/geo-database.ts'
import type { CollectedGeoDatabase } from './settings-collector.ts'

/** @throws TrackError TRK_GEOIP_UNREADABLE with path and reason. */
export function collectGeoDatabase(
  name: string,
  path: string,
  options: GeoDatabaseOptions = {},
): { readonly collected: CollectedGeoDatabase; readonly database: GeoDatabase } {
  const { bytes, version } = loadGeoDatabaseFile(path)
  const database = openGeoDatabase(name, path, bytes, options)
  return { collected: { name, path, bytes, version, builtAtMs: database.builtAt.getTime() }, database }
}
