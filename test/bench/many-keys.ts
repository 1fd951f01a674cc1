/**
 * A million trend keys: what they cost in speed against an empty state, in memory and in bytes written to disk.
 */
import { join } from 'node:path'
import { Database } from '../../src/store/embedded/database.ts'
import {
  makeBenchFolder,
  removeBenchFolder,
  startBenchServer,
  startRawServer,
  startServerIn,
  type BenchServer,
  type LoadClient,
} from './bench-processes.ts'
import { figure, type Figure } from './figures.ts'
import { POLICIES } from './policies.ts'
import { MemoryWatch, peakWithFilesBytes, settledBytes, writtenBytes } from './process-books.ts'
import { requestsForEachKey } from './request-texts.ts'
import { tableBytes } from './table-bytes.ts'
import { MEGABYTE } from './throughput.ts'
import { ratios, speedFigures, takeTurn, takeTurns, totalTimes, type Effort } from './turns.ts'

const CONNECTIONS = 32
/** Requests of filling that are under way at once, each with many reports. */
const FILLING_CONNECTIONS = 4
/** Then everything is run before more comes: the backlog has a bound. */
const FILLING_REQUESTS = 200
/** Turns without a clock that follow: memory tables must have been full some times before bytes are counted. */
const TURNS_MORE = 10

/** Fills a new state with so many keys, the half of them logins and the other addresses; the server has stopped then. */
export async function fillState(client: LoadClient, folder: string, keys: number): Promise<void> {
  const server = await startServerIn(folder, POLICIES.sevenOperationsOn(keys))
  const all = requestsForEachKey(keys)
  const work = { path: '/command/report', body: 'each-key', keys, connections: FILLING_CONNECTIONS } as const
  try {
    for (let first = 0; first < all; first += FILLING_REQUESTS) {
      const requests = Math.min(FILLING_REQUESTS, all - first)
      await takeTurn(client, server, { ...work, requests }, first)
    }
    const metrics = await (await fetch(new URL('/metrics', server.url))).text()
    const rows = Number(/^trackalert_trend_rows\{database="bench"\} (\d+)$/m.exec(metrics)?.[1])
    if (rows !== keys) throw new Error(`${keys} keys were to be made, and ${rows} are there`)
  } finally {
    await server.stop()
  }
}

/** The seven operations on any of the keys: with all of them there, with none at first, and the yardstick, in turn. */
export async function measureManyKeys(client: LoadClient, effort: Effort): Promise<readonly Figure[]> {
  const { keys, requests } = effort
  const policy = POLICIES.sevenOperationsOn(keys)
  const folder = await makeBenchFolder()
  const raw = await startRawServer()
  const work = { path: '/command/report', body: 'any-key', keys, connections: CONNECTIONS, requests } as const
  try {
    await fillState(client, folder, keys)
    const empty = await startBenchServer(policy)
    const full = await startServerIn(folder, policy)
    const memory = new MemoryWatch(full.pid)
    const written = writtenBytes(full.pid)
    try {
      const [yardsticks = [], without = [], turns = []] = await takeTurns(
        client,
        [raw, empty, full],
        work,
        effort,
      )
      const timed = effort.warmUpRequests + effort.rounds * requests
      for (let more = 0; more < TURNS_MORE; more++)
        await takeTurn(client, full, work, timed + more * requests)
      const ownBytes = memory.stop()
      const withFilesBytes = peakWithFilesBytes(full.pid)
      const reports = timed + TURNS_MORE * requests
      const disk = await stopSettled(full, folder)
      const perReport = (bytes: number): readonly number[] => [bytes / reports]
      return [
        figure('of the speed with an empty state', ratios(turns, without), '>= 0.8'),
        ...speedFigures(turns, yardsticks, requests),
        figure('CPU, empty state, µs', totalTimes(without, requests)),
        figure('own memory at most, MB', [ownBytes / MEGABYTE], '<= 400'),
        figure('memory with mapped files, MB', [withFilesBytes / MEGABYTE]),
        figure('bytes written per report', perReport(disk.bytes - written), '<= 1000'),
        figure('of these new tables', perReport(disk.flushed)),
        figure('of these merged tables', perReport(disk.merged)),
      ]
    } finally {
      memory.stop()
      await Promise.all([empty.stop(), full.stop()])
    }
  } finally {
    raw.close()
    await removeBenchFolder(folder)
  }
}

interface Written {
  readonly bytes: number
  /** Of these. */
  readonly flushed: number
  readonly merged: number
}

/**
 * Stops the server and merges what it had in memory, as it would have done itself later.
 *
 * @returns what was written since its start for all that it has done
 */
async function stopSettled(server: BenchServer, folder: string): Promise<Written> {
  const directory = join(folder, 'state', 'store')
  const byServer = await settledBytes(server.pid)
  await server.stop()
  const first = await tableBytes(directory)
  const before = writtenBytes(process.pid)
  const database = await Database.open(directory)
  await database.startNewLog()
  const after = await settledBytes(process.pid)
  await database.close()
  const second = await tableBytes(directory)
  return {
    bytes: byServer + after - before,
    flushed: first.flushed + second.flushed,
    merged: first.merged + second.merged,
  }
}
