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
  await using cleanUp = new AsyncDisposableStack()
  const folder = await makeBenchFolder()
  cleanUp.defer(() => removeBenchFolder(folder))
  const { keys, requests } = effort
  await fillState(client, folder, keys)
  const raw = cleanUp.adopt(await startRawServer(), ({ close }) => close())
  const policy = POLICIES.sevenOperationsOn(keys)
  const empty = cleanUp.adopt(await startBenchServer(policy), ({ stop }) => stop())
  const full = cleanUp.adopt(await startServerIn(folder, policy), ({ stop }) => stop())
  const memory = cleanUp.adopt(new MemoryWatch(full.pid), (watch) => void watch.stop())
  const written = writtenBytes(full.pid)
  const work = { path: '/command/report', body: 'any-key', keys, connections: CONNECTIONS, requests } as const
  const [yardsticks = [], without = [], turns = []] = await takeTurns(
    client,
    [raw, empty, full],
    work,
    effort,
  )
  const timed = effort.warmUpRequests + effort.rounds * requests
  for (let more = 0; more < TURNS_MORE; more++) await takeTurn(client, full, work, timed + more * requests)
  return [
    figure('of the speed with an empty state', ratios(turns, without), '>= 0.8'),
    ...speedFigures(turns, yardsticks, requests),
    figure('CPU, empty state, µs', totalTimes(without, requests)),
    figure('own memory at most, MB', [memory.stop() / MEGABYTE], '<= 400'),
    figure('memory with mapped files, MB', [peakWithFilesBytes(full.pid) / MEGABYTE]),
    ...diskFigures(await stopSettled(full, folder), written, timed + TURNS_MORE * requests),
  ]
}

/** @param before - bytes that were written before the first of the reports */
function diskFigures(
  { bytes, flushed, merged }: Written,
  before: number,
  reports: number,
): readonly Figure[] {
  return [
    figure('bytes written per report', [(bytes - before) / reports], '<= 1000'),
    figure('of these new tables', [flushed / reports]),
    figure('of these merged tables', [merged / reports]),
  ]
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
