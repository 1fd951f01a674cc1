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
  const { path = '/command/report', body = 'report', connections = 32, share = 1 } = load
  const shareOf = (requests: number): number => Math.max(1, Math.round(requests * share))
  const requests = shareOf(effort.requests)
  const warmUpRequests = shareOf(effort.warmUpRequests)
  const raw = await startRawServer()
  const server = await (load.folder === undefined
    ? startBenchServer(load.policy)
    : startServerIn(load.folder, load.policy))
  const memory = new MemoryWatch(server.pid)
  try {
    const { pid, url, backlogEmpty } = server
    const side = body === 'endpoint' ? { pid, url } : { pid, url, backlogEmpty }
    const written = writtenBytes(pid)
    const [yardsticks = [], turns = []] = await takeTurns(
      client,
      [raw, side],
      { path, body, connections, requests, ...(load.keys !== undefined && { keys: load.keys }) },
      { ...effort, warmUpRequests },
    )
    const all = warmUpRequests + requests * effort.rounds
    return [
      ...speedFigures(turns, yardsticks, requests, load.target),
      figure('bytes written per report', [(writtenBytes(pid) - written) / all]),
      figure('own memory at most, MB', [memory.stop() / MEGABYTE]),
    ]
  } finally {
    memory.stop()
    raw.close()
    await server.stop()
  }
}
