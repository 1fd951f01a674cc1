/**
 * What the embedded store costs with many trend keys: bytes written to disk per report, commit latency, reading a row,
 * memory, and how long expiry holds commits up. `npm run bench:store`; ten minutes. In the environment:
 * BENCH_REPORTS (per phase), BENCH_LOGINS and BENCH_ADDRESSES (together the keys), BENCH_BATCH (reports of one batch),
 * BENCH_LANES (batches under way at once), BENCH_DURABILITY (fsync, os, none), BENCH_DIRECTORY (where; must be on a disk).
 */
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { openEmbeddedStore, type EmbeddedStore } from '../../src/store/embedded/embedded-store.ts'
import { openTrendReader } from '../../src/store/embedded/trend-reader.ts'
import type { Durability, JournalledReport } from '../../src/store/store.ts'
import { MemoryWatch, settledBytes } from './process-books.ts'
import { benchDefinition, StoreLoad } from './store-load.ts'
import { tableBytes } from './table-bytes.ts'

const START_MS = 1_790_000_000_000
const HOUR_MS = 3_600_000
const REPORTS = numberOf('BENCH_REPORTS', 500_000)
const LOGINS = numberOf('BENCH_LOGINS', 500_000)
const ADDRESSES = numberOf('BENCH_ADDRESSES', 500_000)
const DURABILITY = (process.env['BENCH_DURABILITY'] ?? 'fsync') as Durability
const BATCH = numberOf('BENCH_BATCH', 200)
const FILL_BATCH = 2_000
/** Batches under way at once: appended, being run, being committed. */
const LANES = numberOf('BENCH_LANES', 3)
const READS = 20_000
/** Load goes on for so long before expiry, and then until everything has expired: a step without commits delays none. */
const CALM_LOAD_MS = 60_000

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

interface Latencies {
  readonly count: number
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

function latenciesOf(samples: readonly number[]): Latencies {
  const sorted = samples.toSorted((a, b) => a - b)
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), p999: at(0.999), max: sorted.at(-1) ?? 0 }
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

  get atMs(): number {
    return this.#atMs
  }

  skipTo(atMs: number): void {
    this.#atMs = atMs
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
    const runs = Math.max(LOGINS, ADDRESSES)
    for (let from = 0; from < runs; from += FILL_BATCH) {
      await this.#store.commit(
        this.#load.fillOutcomes(from, Math.min(FILL_BATCH, runs - from), this.#atMs / 1000),
      )
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

  /** Commits while all rows that were not touched lately expire, against those of as long a time without. */
  async expiry(): Promise<void> {
    this.skipTo(START_MS + 12 * HOUR_MS)
    const calmEndAt = performance.now() + CALM_LOAD_MS
    const calm = await this.runReports(Infinity, () => performance.now() < calmEndAt)
    let isDone = false
    const startedAt = performance.now()
    const expiring = this.#store.expire(START_MS + 25 * HOUR_MS).finally(() => (isDone = true))
    const during = await this.runReports(Infinity, () => !isDone)
    const { longestDelayMs, longestStepCpuMs } = await expiring
    const seconds = (performance.now() - startedAt) / 1000
    say(`expiry: ${this.#store.counts().trendRows} rows are left, ${seconds.toFixed(1)} s`)
    say(`  commit before     ${textOf(latenciesOf(calm.commits))}`)
    say(`  commit during it  ${textOf(latenciesOf(during.commits))}`)
    say(
      `  held up by it     ${longestDelayMs.toFixed(1)} ms at most, ${longestStepCpuMs.toFixed(1)} ms of processor time`,
    )
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
  await cp(join(from, 'store'), join(to, 'store'), { recursive: true })
  const startedAt = performance.now()
  const cpuBefore = process.cpuUsage()
  const { store } = await openBench(to)
  const { user, system } = process.cpuUsage(cpuBefore)
  const ms = `${Math.round(performance.now() - startedAt)} ms, ${Math.round((user + system) / 1000)} ms of processor time`
  say(`opened with all of it in ${ms}, as after a crash`)
  await store.close()
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
  await rm(directory, { recursive: true, force: true })
}
