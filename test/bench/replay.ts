/**
 * How fast `trackalert replay` is: simulated reports from a file, in turn with the yardstick.
 */
import { execFile } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { simulate } from '../../src/simulator/simulate.ts'
import { makeBenchFolder, removeBenchFolder, startRawServer, type LoadClient } from './bench-processes.ts'
import { figure, type Figure } from './figures.ts'
import { POLICIES } from './policies.ts'
import type { Effort } from './turns.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
/** Reports for each request of a round: a million at full effort. */
const REPORTS_PER_REQUEST = 50
/** A round takes the better part of a minute. */
const MOST_ROUNDS = 3
/** More than the reports of a million. */
const DAYS = 120

export async function measureReplay(client: LoadClient, effort: Effort): Promise<readonly Figure[]> {
  const reports = effort.requests * REPORTS_PER_REQUEST
  const folder = await makeBenchFolder()
  const raw = await startRawServer()
  const order = { url: raw.url, path: '/command/report', body: 'report', connections: 32 } as const
  const perSecond: number[] = []
  const rawPerSecond: number[] = []
  try {
    await writeFile(join(folder, 'trackalert.conf'), POLICIES.sevenOperations)
    await pipeline(Readable.from(lines(reports)), createWriteStream(join(folder, 'reports.ndjson')))
    await client.run({ ...order, requests: effort.warmUpRequests })
    for (let count = 0; count < Math.min(effort.rounds, MOST_ROUNDS); count++) {
      const yardstick = await client.run({ ...order, requests: effort.requests })
      rawPerSecond.push((effort.requests * 1000) / (yardstick.endedAtMs - yardstick.startedAtMs))
      perSecond.push(reports / (await replaySeconds(folder, reports)))
    }
  } finally {
    raw.close()
    await removeBenchFolder(folder)
  }
  return [
    figure(
      'of raw node:http',
      perSecond.map((speed, round) => speed / (rawPerSecond[round] ?? Number.NaN)),
      '>= 0.9',
    ),
    figure('reports a second', perSecond),
    figure('a second, raw node:http', rawPerSecond),
  ]
}

/** From the first report that is read to the last that has run, as the command says itself. */
async function replaySeconds(folder: string, reports: number): Promise<number> {
  const words = ['replay', '-C', 'trackalert.conf', '--format', 'json', 'reports.ndjson']
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, ...words], { cwd: folder })
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the manual says of it
  const outcome = JSON.parse(stdout) as { readonly reports: number; readonly seconds: number }
  if (outcome.reports !== reports) throw new Error(`${outcome.reports} of ${reports} reports were replayed`)
  return outcome.seconds
}

function* lines(count: number): Generator<string> {
  const traffic = simulate({
    users: 1000,
    days: DAYS,
    seed: 1,
    rate: 1,
    startSeconds: Date.UTC(2026, 0, 5) / 1000,
    attacks: { types: [], instances: 1, quietDays: 0 },
  })
  let left = count
  for (const report of traffic.reports) {
    if (left-- === 0) return
    yield `${JSON.stringify(report)}\n`
  }
}
