/**
 * Reads and checks one GeoIP file that was replaced while the server runs, and ends: the main thread would stand still
 * for as long as a large file takes.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { messageOf, TrackError } from '../errors.ts'
import { collectGeoDatabase } from './collect-geo-database.ts'
import type { FromGeoFileThread, GeoFileThreadSetup } from './messages.ts'

function answer(): FromGeoFileThread {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the main thread sends nothing else
  const { name, path } = workerData as GeoFileThreadSetup
  try {
    return { type: 'loaded', database: collectGeoDatabase(name, path).collected }
  } catch (error) {
    const known =
      error instanceof TrackError ? error : new TrackError('TRK_GEOIP_UNREADABLE', messageOf(error))
    return { type: 'failed', error: known.toWire() }
  }
}

parentPort?.postMessage(answer())
