/**
 * What the embedded store costs with many trend keys: bytes written to disk per report, commit latency, reading a row,
 * memory, and commits with and without expiry beside them, in turns. `npm run bench:store`; a quarter of an hour. In the
 * environment:
 * BENCH_REPORTS (per phase), BENCH_LOGINS and BENCH_ADDRESSES (together the keys), BENCH_BATCH (reports of one batch),
 * BENCH_LANES (batches under way at once), BENCH_DURABILITY (fsync, os, none), BENCH_DIRECTORY (where; must be on a disk).
 */
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { openEmbeddedStore, type EmbeddedStore } from '../../src/store/embedded/embedded-store.ts'
import { openTrendReader } from '../../src/store/embedded/trend-reader.ts'
import type { Durability, Expiry, JournalledReport } from '../../src/store/store.ts'
import { percentiles, type Percentiles } from './percentiles.ts'
import { MemoryWatch, settledBytes } from './process-books.ts'
import { benchDefinition, StoreLoad } from './store-load.ts'
import { tableBytes } from './table-bytes.ts'

const START_MS = 1_790_000_000_000
const HOUR_MS = 3_600_000
/** Of the definition: a row expires when so many hours have begun after the one in which it was touched. */
const WINDOW_HOURS = 24
const REPORTS = numberOf('BENCH_REPORTS', 500_000)
const LOGINS = numberOf('BENCH_LOGINS', 500_000)
const ADDRESSES = numberOf('BENCH_ADDRESSES', 500_000)
const DURABILITY = (process.env['BENCH_DURABILITY'] ?? 'fsync') as Durability
const BATCH = numberOf('BENCH_BATCH', 200)
const FILL_BATCH = 2_000
/** Batches under way at once: appended, being run, being committed. */
const LANES = numberOf('BENCH_LANES', 3)
const READS = 20_000
const COPY_ATTEMPTS = 5
/** Load without expiry and load while a part of the rows expires: turns of both, since disks and hosts have good and bad minutes. */
const TURNS = 6
/** Without expiry before the first turn with it; after that as long as the turn before it. */
const FIRST_CALM_MS = 30_000
/** Logins and addresses that expire in one turn, as a share of those of the load. */
const SHARE_OF_TURN = 0.1

function numberOf(name: string, fallback: number): number {
  return Number(process.env[name] ?? fallback)
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

interface Samples {
  readonly appends: readonly number[]
  readonly commits: readonly number[]
}

/** @param own - bytes, of this process and so with the load's */
function memoryText(own: number): string {
  const withFiles = process.resourceUsage().maxRSS * 1024
  return `${toMb(own)} MB of this process with the load's own, ${toMb(withFiles)} MB with mapped files`
}

function toMb(bytes: number): number {
  return Math.round(bytes / 1024 / 1024)
}

interface Latencies extends Percentiles {
  readonly count: number
  readonly max: number
}

function latenciesOf(samples: readonly number[]): Latencies {
  const values = Float64Array.from(samples)
  const max = values.reduce((longest, value) => Math.max(longest, value), 0)
  return { ...percentiles(values), count: values.length, max }
}

function textOf({ p50, p99, p999, max }: Latencies): string {
  const parts = { p50, p99, 'p99.9': p999, max }
  return Object.entries(parts)
    .map(([name, ms]) => `${name} ${ms.toFixed(1)} ms`)
    .join(', ')
}

class Bench {
  readonly #store: EmbeddedStore
  readonly #load: StoreLoad
  readonly #databaseDirectory: string
  #atMs = START_MS

  constructor(store: EmbeddedStore, load: StoreLoad, databaseDirectory: string) {
    this.#store = store
    this.#load = load
    this.#databaseDirectory = databaseDirectory
  }

  /** Reports from their arrival to the commit of their runs; how long each batch took, ms. */
  async runReports(reports: number, isWanted: () => boolean = () => true): Promise<Samples> {
    const samples: { readonly appends: number[]; readonly commits: number[] } = { appends: [], commits: [] }
    let left = reports
    const lane = async (): Promise<void> => {
      while (left > 0 && isWanted()) {
        left -= BATCH
        const batch = Array.from({ length: BATCH }, () => this.#load.report(this.#atMs++))
        const appendedAt = performance.now()
        const appended = await this.#store.append(batch)
        samples.appends.push(performance.now() - appendedAt)
        if (appended.kind !== 'durable') throw new TypeError(appended.detail)
        const outcomes = appended.reports.map((report: JournalledReport) => this.#load.outcomeOf(report))
        const startedAt = performance.now()
        await this.#store.commit(outcomes)
        samples.commits.push(performance.now() - startedAt)
      }
    }
    await Promise.all(Array.from({ length: LANES }, lane))
    return samples
  }

  async fill(): Promise<void> {
    await this.#fillWith(this.#load, 0, Math.max(LOGINS, ADDRESSES))
  }

  /** A run for each of these keys. */
  async #fillWith(load: StoreLoad, first: number, end: number, atMs = this.#atMs): Promise<void> {
    for (let from = first; from < end; from += FILL_BATCH) {
      const count = Math.min(FILL_BATCH, end - from)
      await this.#store.commit(load.fillOutcomes(from, count, atMs / 1000))
    }
  }

  /** One phase: reports per second, bytes and latencies. */
  async phase(name: string): Promise<void> {
    const before = await settledBytes(process.pid)
    const tablesBefore = await tableBytes(this.#databaseDirectory)
    const memory = new MemoryWatch(process.pid)
    const startedAt = performance.now()
    const samples = await this.runReports(REPORTS)
    const seconds = (performance.now() - startedAt) / 1000
    const after = await settledBytes(process.pid)
    const tables = await tableBytes(this.#databaseDirectory)
    const flushed = (tables.flushed - tablesBefore.flushed) / REPORTS
    const merged = (tables.merged - tablesBefore.merged) / REPORTS
    const bytes = (after - before) / REPORTS
    say(`${name}: ${this.#store.counts().trendRows} rows, ${REPORTS} reports in batches of ${BATCH}`)
    say(`  written to disk   ${Math.round(bytes)} bytes per report`)
    say(
      `    of these        ${Math.round(flushed)} new tables, ${Math.round(merged)} merged tables, the rest logs and reports`,
    )
    say(`  append            ${textOf(latenciesOf(samples.appends))}`)
    say(`  commit            ${textOf(latenciesOf(samples.commits))}`)
    say(`  throughput        ${Math.round(REPORTS / seconds)} reports/s`)
    say(`  reading a row     ${(await this.#readRow()).toFixed(1)} us`)
    say(`  peak memory       ${memoryText(memory.stop())}`)
  }

  async #readRow(): Promise<number> {
    const reader = await openTrendReader({ ...this.#store.readerAccess(), worker: 1 })
    const view = await reader.openView()
    const keys = Array.from({ length: READS }, () => new Uint8Array(Buffer.from(this.#load.report(0).remote)))
    const startedAt = performance.now()
    for (const key of keys) await view.readRow(benchDefinition().name, key)
    const us = ((performance.now() - startedAt) * 1000) / READS
    view.close()
    await reader.close()
    return us
  }

  /**
   * Commits while rows expire, in turns with commits without that. Besides the rows of the load there are others for it that nobody
   * touches, a part for each turn; load goes on until the last of the part is gone.
   */
  async expiry(): Promise<void> {
    await this.#fillForTurns()
    const calm: number[] = []
    const during: number[] = []
    let calmMs = FIRST_CALM_MS
    const steps: Expiry[] = []
    for (let turn = 1; turn <= TURNS; turn++) {
      const calmEndAt = performance.now() + calmMs
      const without = await this.runReports(Infinity, () => performance.now() < calmEndAt)
      const rowsBefore = this.#store.counts().trendRows
      const startedAt = performance.now()
      let isDone = false
      const expiring = this.#store
        .expire(this.#turnMs(turn) + WINDOW_HOURS * HOUR_MS)
        .finally(() => (isDone = true))
      const within = await this.runReports(Infinity, () => !isDone)
      steps.push(await expiring)
      calmMs = performance.now() - startedAt
      const gone = rowsBefore - this.#store.counts().trendRows
      say(`expiry, turn ${turn}: ${gone} rows in ${(calmMs / 1000).toFixed(1)} s`)
      say(`  commit without    ${textOf(latenciesOf(without.commits))}`)
      say(`  commit during it  ${textOf(latenciesOf(within.commits))}`)
      for (const ms of without.commits) calm.push(ms)
      for (const ms of within.commits) during.push(ms)
    }
    say(`all turns: ${calm.length} and ${during.length} commits`)
    say(`  commit without    ${textOf(latenciesOf(calm))}`)
    say(`  commit during it  ${textOf(latenciesOf(during))}`)
    const most = (ofStep: (step: Expiry) => number): string => Math.max(...steps.map(ofStep)).toFixed(1)
    say(
      `  a step            ${most((step) => step.longestStepMs)} ms at most, ` +
        `${most((step) => step.longestStepCpuMs)} ms of processor time`,
    )
  }

  /** When the rows of a turn were touched: all before the first of the others. */
  #turnMs(turn: number): number {
    return START_MS + (turn - TURNS - 2) * HOUR_MS
  }

  /** As many keys again as a part of the load's for every turn, with other names. */
  async #fillForTurns(): Promise<void> {
    const keys = Math.max(LOGINS, ADDRESSES)
    const others = new StoreLoad({ logins: 2 * keys, addresses: 2 * keys }, 2)
    const count = Math.floor(keys * SHARE_OF_TURN)
    for (let turn = 1; turn <= TURNS; turn++) {
      const first = keys + (turn - 1) * count
      await this.#fillWith(others, first, first + count, this.#turnMs(turn))
    }
  }
}

function openBench(stateDirectory: string): ReturnType<typeof openEmbeddedStore> {
  return openEmbeddedStore(
    { onReadiness: () => undefined, onTrouble: say, onThreadLost: say },
    {
      stateDirectory,
      recover: false,
      nowMs: START_MS,
      durability: DURABILITY,
      trends: {
        module: new URL('../../src/store/apply-trends.ts', import.meta.url).href,
        setup: { definitions: [benchDefinition()] },
      },
    },
  )
}

/** The store is killed in the middle by leaving it alone: its files as they are must open quickly. */
async function startAgain(from: string, to: string): Promise<void> {
  await copyWhole(join(from, 'store'), join(to, 'store'))
  const startedAt = performance.now()
  const cpuBefore = process.cpuUsage()
  const { store } = await openBench(to)
  const { user, system } = process.cpuUsage(cpuBefore)
  const ms = `${Math.round(performance.now() - startedAt)} ms, ${Math.round((user + system) / 1000)} ms of processor time`
  say(`opened with all of it in ${ms}, as after a crash`)
  await store.close()
}

/** Files come and go meanwhile: then all of it once more. */
async function copyWhole(from: string, to: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const before = await readdir(from)
    try {
      await cp(from, to, { recursive: true })
      if ((await readdir(from)).join() === before.join() || attempt === COPY_ATTEMPTS) return
    } catch (error) {
      if (attempt >= COPY_ATTEMPTS) throw error
    }
    await rm(to, { recursive: true, force: true })
  }
}

const directory = await mkdtemp(join(process.env['BENCH_DIRECTORY'] ?? tmpdir(), 'trackalert-bench-'))
try {
  const load = new StoreLoad({ logins: LOGINS, addresses: ADDRESSES }, 1)
  const { store } = await openBench(directory)
  say(`load of the machine at the start: ${loadavg()[0]?.toFixed(2)}`)
  await store.subscribe(() => undefined)
  const bench = new Bench(store, load, join(directory, 'store'))
  await bench.phase('empty at first')
  await bench.fill()
  await bench.phase('after filling')
  const copy = await mkdtemp(join(dirname(directory), 'trackalert-bench-copy-'))
  try {
    await startAgain(directory, copy)
  } finally {
    await rm(copy, { recursive: true, force: true })
  }
  await bench.expiry()
  say(`load of the machine at the end: ${loadavg()[0]?.toFixed(2)}`)
  await store.close()
} finally {
  // What the error was is more than that files were still coming.
  await rm(directory, { recursive: true, force: true }).catch((error: unknown) => say(String(error)))
}
