/**
 * Throughput of the server against the yardstick, for one policy and one kind of requests.
 */
import { startBenchServer, startRawServer, startServerIn, type LoadClient } from './bench-processes.ts'
import { figure, type Figure, type Target } from './figures.ts'
import type { Body } from './load-messages.ts'
import { MemoryWatch, writtenBytes } from './process-books.ts'
import { speedFigures, takeTurns, type Effort } from './turns.ts'

export interface Workload {
  readonly policy: string
  readonly path?: string
  readonly body?: Body
  /** Of `any-key`. */
  readonly keys?: number
  /** Where an earlier server has left its state; a new one if not given. */
  readonly folder?: string
  readonly connections?: number
  /** Requests of a round compared with those of others; the slow ones need fewer. */
  readonly share?: number
  readonly target?: Target
}

/** Bytes of a megabyte, as the targets count. */
export const MEGABYTE = 1_000_000

export async function measureThroughput(
  client: LoadClient,
  effort: Omit<Effort, 'keys'>,
  load: Workload,
): Promise<readonly Figure[]> {
  await using cleanUp = new AsyncDisposableStack()
  const { path = '/command/report', body = 'report', connections = 32, share = 1, folder, keys } = load
  const shareOf = (requests: number): number => Math.max(1, Math.round(requests * share))
  const requests = shareOf(effort.requests)
  const warmUpRequests = shareOf(effort.warmUpRequests)
  const raw = cleanUp.adopt(await startRawServer(), ({ close }) => close())
  const started = folder === undefined ? startBenchServer(load.policy) : startServerIn(folder, load.policy)
  const { pid, url, backlogEmpty } = cleanUp.adopt(await started, ({ stop }) => stop())
  const memory = cleanUp.adopt(new MemoryWatch(pid), (watch) => void watch.stop())
  const written = writtenBytes(pid)
  const [yardsticks = [], turns = []] = await takeTurns(
    client,
    [raw, body === 'endpoint' ? { pid, url } : { pid, url, backlogEmpty }],
    { path, body, connections, requests, ...(keys !== undefined && { keys }) },
    { ...effort, warmUpRequests },
  )
  const all = warmUpRequests + requests * effort.rounds
  return [
    ...speedFigures(turns, yardsticks, requests, load.target),
    figure('bytes written per report', [(writtenBytes(pid) - written) / all]),
    figure('own memory at most, MB', [memory.stop() / MEGABYTE]),
  ]
}
