/**
 * Has a GeoIP file read and checked beside the main thread, which calls it.
 */
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { TrackError, messageOf } from '../errors.ts'
import type { FromGeoFileThread, GeoFileThreadSetup } from './messages.ts'
import type { CollectedGeoDatabase } from './settings-collector.ts'

/** For the largest file on a slow disk. */
const LOAD_DEADLINE_MS = 60_000

/** @throws TrackError TRK_GEOIP_UNREADABLE with path and reason. */
export async function loadGeoFile(file: GeoFileThreadSetup): Promise<CollectedGeoDatabase> {
  const { name, path } = file
  const workerData: GeoFileThreadSetup = { name, path }
  const worker = new Worker(new URL(`./geo-file-thread${extname(import.meta.url)}`, import.meta.url), {
    name: 'geoip-file',
    workerData,
  })
  const answered = Promise.withResolvers<FromGeoFileThread>()
  const fail = (reason: string): void =>
    answered.reject(new TrackError('TRK_GEOIP_UNREADABLE', `${path}: ${reason}`))
  const timer = setTimeout(
    () => fail(`it was not read within ${LOAD_DEADLINE_MS / 1000} s`),
    LOAD_DEADLINE_MS,
  )
  worker.once('message', answered.resolve)
  worker.once('error', (error) => fail(messageOf(error)))
  worker.once('exit', () => fail('the thread that read it has ended'))
  try {
    const message = await answered.promise
    if (message.type === 'failed') throw TrackError.fromWire(message.error)
    return message.database
  } finally {
    clearTimeout(timer)
    await worker.terminate()
  }
}
