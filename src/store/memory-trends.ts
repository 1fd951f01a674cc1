/**
 * The trend rows of the in-memory store. Pure state; see memory-store.ts.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { compareBytes } from '../trends/compare-bytes.ts'
import type { CommitStamp, StoreCounts, StoredTrendRow, TrendReader } from './store.ts'
import type { AppliedRow, CurrentRow, TrendApplier } from './trend-applier.ts'

interface Row {
  readonly bytes: Uint8Array
  readonly chunks: ReadonlyMap<string, Uint8Array>
  readonly expiresAtMs: number
}

type Rows = ReadonlyMap<string, Row>

export class MemoryTrends {
  #applier: TrendApplier
  /** Rows by database and key; replaced, never modified, so that a view can keep one. */
  #databases: ReadonlyMap<string, Rows> = new Map()
  #commits: ReadonlyMap<number, number> = new Map()
  #evicted = 0

  constructor(applier: TrendApplier) {
    this.#applier = applier
  }

  applyWith(applier: TrendApplier): void {
    this.#applier = applier
  }

  counts(): Pick<StoreCounts, 'trendRows' | 'trendRowsByDatabase' | 'trendRowsEvicted'> {
    const byDatabase = new Map(Array.from(this.#databases, ([name, { size }]) => [name, size]))
    const rows = [...byDatabase.values()].reduce((total, size) => total + size, 0)
    return { trendRows: rows, trendRowsByDatabase: byDatabase, trendRowsEvicted: this.#evicted }
  }

  isCommitted({ worker, number }: CommitStamp): boolean {
    return number <= (this.#commits.get(worker) ?? -1)
  }

  note(stamp: CommitStamp): void {
    if (!this.isCommitted(stamp)) this.#commits = new Map([...this.#commits, [stamp.worker, stamp.number]])
  }

  apply(deltas: Uint8Array): void {
    if (deltas.length === 0) return
    for (const { database, key, changes } of this.#applier.split(deltas)) {
      const rows = new Map(this.#databases.get(database))
      const name = nameOf(key)
      const after = this.#applier.apply(database, key, currentOf(rows.get(name)), [changes])
      if (after.bytes === undefined) rows.delete(name)
      else rows.set(name, rowAfter(rows.get(name), after, after.bytes))
      this.#replace(database, rows)
    }
  }

  evict(): void {
    for (const [database, rows] of this.#databases) {
      const surplus = rows.size - this.#applier.maxKeys(database)
      if (surplus <= 0) continue
      const byExpiry = [...rows].toSorted(([, a], [, b]) => a.expiresAtMs - b.expiresAtMs)
      this.#replace(database, new Map(byExpiry.slice(surplus)))
      this.#evicted += surplus
    }
  }

  expire(nowMs: number): void {
    for (const [database, rows] of this.#databases) {
      this.#replace(database, new Map([...rows].filter(([, row]) => row.expiresAtMs > nowMs)))
    }
  }

  forget(login: string): number {
    const name = nameOf(this.#applier.keyOfLogin(login))
    let forgotten = 0
    for (const [database, rows] of this.#databases) {
      const rest = new Map(rows)
      if (!rest.delete(name)) continue
      forgotten++
      this.#replace(database, rest)
    }
    return forgotten
  }

  scan(database: string, after: Uint8Array | undefined, limit: number): readonly StoredTrendRow[] {
    const rows = [...(this.#databases.get(database) ?? [])].map(([name, { bytes, chunks }]) => ({
      key: Uint8Array.from(name, (character) => character.charCodeAt(0)),
      bytes,
      chunks,
    }))
    return rows
      .filter(({ key }) => after === undefined || compareBytes(key, after) > 0)
      .toSorted((a, b) => compareBytes(a.key, b.key))
      .slice(0, limit)
  }

  reader(worker: number, delayMs: number): TrendReader {
    return {
      openView: async () => {
        await sleep(delayMs)
        const databases = this.#databases
        return {
          appliedCommit: this.#commits.get(worker) ?? -1,
          readRow: async (database, key) => {
            await sleep(delayMs)
            return databases.get(database)?.get(nameOf(key))?.bytes
          },
          readChunk: async (database, key, chunk) => {
            await sleep(delayMs)
            return databases.get(database)?.get(nameOf(key))?.chunks.get(chunk)
          },
          countRows: async (database) => {
            await sleep(delayMs)
            return databases.get(database)?.size ?? 0
          },
          close: () => undefined,
        }
      },
      close: () => Promise.resolve(),
    }
  }

  #replace(database: string, rows: Rows): void {
    this.#databases = new Map([...this.#databases, [database, rows]])
  }
}

function currentOf(row: Row | undefined): CurrentRow | undefined {
  return row === undefined ? undefined : { bytes: row.bytes, chunk: (name) => row.chunks.get(name) }
}

function rowAfter(before: Row | undefined, after: AppliedRow, bytes: Uint8Array): Row {
  const known = new Map([
    ...(before?.chunks ?? []),
    ...after.chunks.map((chunk) => [chunk.name, chunk.bytes] as const),
  ])
  const chunks = new Map([...known].filter(([name]) => after.chunkNames.includes(name)))
  return { bytes, chunks, expiresAtMs: after.expiresAtMs }
}

function nameOf(key: Uint8Array): string {
  return String.fromCharCode(...key)
}
