/**
 * What changes while the server runs: the configuration on request, GeoIP files on request and by themselves. Main thread.
 */
import type { Metrics } from '../telemetry/metrics.ts'
import { createGeoFiles } from './geo-files.ts'
import { reloadConfiguration, type ReloadParts } from './reload.ts'
import { Reloader, type ReloadOutcome } from './reloader.ts'
import type { StopSequence } from './stop-sequence.ts'

export interface Reloads {
  /** Reads the configuration again and goes by it if all of it is good; the log says what came of it. Never rejects. */
  readonly reload: () => Promise<ReloadOutcome>
  /** Reads the GeoIP files again; those that cannot be used stay as they are. Never rejects. */
  readonly reloadGeoIp: () => Promise<ReloadOutcome>
}

export interface ReloadsParts extends ReloadParts {
  readonly metrics: Metrics
  readonly stopping: StopSequence
}

/** Between two looks at the GeoIP files; they change every few days. */
const GEO_FILES_EVERY_MS = 60_000

export function startReloads(parts: ReloadsParts): Reloads {
  const { options, inForce, policy, metrics, stopping, now } = parts
  const geoFiles = createGeoFiles({
    log: options.log,
    metrics,
    emit: parts.emit,
    databases: () => inForce.configuration.geoDatabases,
    replace(database) {
      if (!inForce.replaceGeoDatabase(database)) return
      policy.runs.pool.replaceGeoDatabase(database)
      inForce.configuration.thread.replaceGeoDatabase(database)
    },
    everyMs: options.geoFilesEveryMs ?? GEO_FILES_EVERY_MS,
  })
  geoFiles.start()
  stopping.add('GeoIP files', geoFiles.stop)
  const reloader = new Reloader((signal) => reloadConfiguration(parts, signal))
  stopping.add('reload', () => reloader.stop())
  metrics.lastReloadSeconds.set(now() / 1000)
  return { reload: () => reloader.reload(), reloadGeoIp: geoFiles.reload }
}
