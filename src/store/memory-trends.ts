/**
 * The trend rows of the in-memory store. Pure state; see memory-store.ts.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { compareBytes } from '../trends/compare-bytes.ts'
import type { CommitStamp, StoreCounts, StoredTrendRow, TrendReader } from './store.ts'
import type { TrendApplier } from './trend-applier.ts'

interface Row {
  readonly bytes: Uint8Array
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
      const { bytes, expiresAtMs } = this.#applier.apply(database, key, rows.get(name)?.bytes, [changes])
      if (bytes === undefined) rows.delete(name)
      else rows.set(name, { bytes, expiresAtMs })
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
    const rows = [...(this.#databases.get(database) ?? [])].map(([name, { bytes }]) => ({
      key: Uint8Array.from(name, (character) => character.charCodeAt(0)),
      bytes,
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

function nameOf(key: Uint8Array): string {
  return String.fromCharCode(...key)
}
