/**
 * Throughput of the server against the yardstick: rounds of both in turn, so that a machine that is busy for a while is so
 * for both.
 */
import { startBenchServer, startRawServer, type LoadClient } from './bench-processes.ts'
import { figure, type Figure } from './figures.ts'
import { peakMemoryMb, threadTimes, timesBetween, writtenBytes, type ThreadTimes } from './thread-times.ts'

/** How long a measurement takes; `--quick` only shows that it works. */
export interface Effort {
  readonly rounds: number
  readonly warmUpRequests: number
  readonly requests: number
}

export interface Workload {
  readonly policy: string
  readonly path?: string
  readonly body?: 'report' | 'endpoint'
  readonly connections?: number
  /** Requests of a round compared with those of others; the slow ones need fewer. */
  readonly share?: number
  readonly target?: string
}

interface Round {
  readonly perSecond: number
  readonly rawPerSecond: number
  readonly times: ThreadTimes
  readonly rawTimes: ThreadTimes
}

export async function measureThroughput(
  client: LoadClient,
  effort: Effort,
  load: Workload,
): Promise<readonly Figure[]> {
  const { path = '/command/report', body = 'report', connections = 32, share = 1 } = load
  const requests = Math.max(1, Math.round(effort.requests * share))
  const order = { path, body, connections, requests }
  const raw = await startRawServer()
  const server = await startBenchServer(load.policy)
  try {
    const warmUp = { ...order, requests: Math.max(1, Math.round(effort.warmUpRequests * share)) }
    await client.run({ ...warmUp, url: raw.url })
    refuseFailures(await client.run({ ...warmUp, url: server.url }))
    await server.backlogEmpty()
    const rounds: Round[] = []
    const written = writtenBytes(server.pid)
    for (let count = 0; count < effort.rounds; count++) {
      const rawBefore = threadTimes(raw.pid)
      const yardstick = await client.run({ ...order, url: raw.url })
      const rawTimes = timesBetween(rawBefore, threadTimes(raw.pid))
      const before = threadTimes(server.pid)
      const result = await client.run({ ...order, url: server.url })
      refuseFailures(result)
      const endedAtMs = body === 'report' ? await server.backlogEmpty() : result.endedAtMs
      rounds.push({
        perSecond: (requests * 1000) / (endedAtMs - result.startedAtMs),
        rawPerSecond: (requests * 1000) / (yardstick.endedAtMs - yardstick.startedAtMs),
        times: timesBetween(before, threadTimes(server.pid)),
        rawTimes,
      })
    }
    const writtenPerReport = (writtenBytes(server.pid) - written) / (requests * effort.rounds)
    return [
      ...figuresOf(rounds, requests, load.target),
      figure('bytes written per report', [writtenPerReport]),
      figure('peak memory, MiB', [peakMemoryMb(server.pid)]),
    ]
  } finally {
    raw.close()
    await server.stop()
  }
}

function refuseFailures({ failures }: { readonly failures: number }): void {
  if (failures > 0) throw new Error(`${failures} requests were not answered with 200`)
}

function figuresOf(
  rounds: readonly Round[],
  requests: number,
  target: string | undefined,
): readonly Figure[] {
  const total = (times: ThreadTimes): number => [...times.values()].reduce((sum, time) => sum + time, 0)
  const kinds = new Set(rounds.flatMap(({ times }) => [...times.keys()]))
  const perReport = (what: string, timeOf: (round: Round) => number): Figure =>
    figure(
      what,
      rounds.map((round) => timeOf(round) / requests),
    )
  return [
    figure(
      'of raw node:http',
      rounds.map(({ perSecond, rawPerSecond }) => perSecond / rawPerSecond),
      target,
    ),
    figure(
      'a second',
      rounds.map(({ perSecond }) => perSecond),
    ),
    figure(
      'a second, raw node:http',
      rounds.map(({ rawPerSecond }) => rawPerSecond),
    ),
    perReport('CPU, µs', ({ times }) => total(times)),
    ...Array.from(kinds, (kind) => perReport(`CPU of ${kind}, µs`, ({ times }) => times.get(kind) ?? 0)),
    perReport('CPU, raw node:http, µs', ({ rawTimes }) => total(rawTimes)),
  ]
}
