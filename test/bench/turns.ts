/**
 * Servers in turn under the same load: A B A B, so that a machine that is busy for a while is so for all of them.
 */
import type { BenchServer, LoadClient, RawServer } from './bench-processes.ts'
import { figure, type Figure, type Target } from './figures.ts'
import type { LoadOrder } from './load-messages.ts'
import { threadTimes, timesBetween, type ThreadTimes } from './thread-times.ts'

/** How long a measurement takes; `--quick` only shows that it works. */
export interface Effort {
  readonly rounds: number
  readonly warmUpRequests: number
  readonly requests: number
  /** Of trends, in measurements with many. */
  readonly keys: number
}

/** One that takes part. With `backlogEmpty` its clock runs until everything was run and committed. */
export type Side = Pick<RawServer, 'pid' | 'url'> & Partial<Pick<BenchServer, 'backlogEmpty'>>

export type Work = Omit<LoadOrder, 'authorization' | 'url' | 'first' | 'requestsPerSecond'>

/** What came of one side's turn. */
export interface Turn {
  readonly perSecond: number
  /** Processor time of the turn, µs. */
  readonly times: ThreadTimes
}

/**
 * A warm-up of each side, then the rounds.
 *
 * @returns the turns of each side, in the order of the sides
 * @throws Error when a request was not answered with 200
 */
export async function takeTurns(
  client: LoadClient,
  sides: readonly Side[],
  work: Work,
  { rounds, warmUpRequests }: Pick<Effort, 'rounds' | 'warmUpRequests'>,
): Promise<readonly (readonly Turn[])[]> {
  const warmUp = { ...work, requests: warmUpRequests }
  for (const side of sides) await takeTurn(client, side, warmUp, 0)
  const turns = sides.map((): Turn[] => [])
  for (let round = 0; round < rounds; round++) {
    for (const [index, side] of sides.entries()) {
      turns[index]?.push(await takeTurn(client, side, work, warmUpRequests + round * work.requests))
    }
  }
  return turns
}

/** @param first - number of the first request */
export async function takeTurn(client: LoadClient, side: Side, work: Work, first: number): Promise<Turn> {
  const before = threadTimes(side.pid)
  const { startedAtMs, endedAtMs, failures } = await client.run({ ...work, first, url: side.url })
  if (failures > 0) throw new Error(`${failures} requests were not answered with 200`)
  const doneAtMs = side.backlogEmpty === undefined ? endedAtMs : await side.backlogEmpty()
  return {
    perSecond: (work.requests * 1000) / (doneAtMs - startedAtMs),
    times: timesBetween(before, threadTimes(side.pid)),
  }
}

/** How fast the one was compared with the other, round by round. */
export function ratios(turns: readonly Turn[], yardsticks: readonly Turn[]): readonly number[] {
  return turns.map(({ perSecond }, round) => perSecond / (yardsticks[round]?.perSecond ?? Number.NaN))
}

/** Speed and processor time against the yardstick. */
export function speedFigures(
  turns: readonly Turn[],
  yardsticks: readonly Turn[],
  requests: number,
  target?: Target,
): readonly Figure[] {
  const speeds = (all: readonly Turn[]): readonly number[] => all.map(({ perSecond }) => perSecond)
  const kinds = new Set(turns.flatMap(({ times }) => [...times.keys()]))
  const each = (timeOf: (times: ThreadTimes) => number): readonly number[] =>
    turns.map(({ times }) => timeOf(times) / requests)
  return [
    figure('of raw node:http', ratios(turns, yardsticks), target),
    figure('a second', speeds(turns)),
    figure('a second, raw node:http', speeds(yardsticks)),
    figure('CPU, µs', totalTimes(turns, requests)),
    ...Array.from(kinds, (kind) =>
      figure(
        `CPU of ${kind}, µs`,
        each((times) => times.get(kind) ?? 0),
      ),
    ),
    figure('CPU, raw node:http, µs', totalTimes(yardsticks, requests)),
  ]
}

/** Processor time for each request, µs. */
export function totalTimes(turns: readonly Turn[], requests: number): readonly number[] {
  return turns.map(({ times }) => [...times.values()].reduce((sum, time) => sum + time, 0) / requests)
}
