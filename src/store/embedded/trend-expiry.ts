/**
 * Rows of the trend databases that go: those that have expired, and above the maximum of a database those that expire first.
 * Store thread.
 *
 * The expiry index names every row at a time at which it cannot have expired yet, and is moved only when that time has
 * come: touching a row costs no index write, and the order by real expiry is still exact.
 */
import { Buffer } from 'node:buffer'
import type { Database, Entry } from './database.ts'
import { ExpiryScans } from './expiry-scans.ts'
import { databaseKey, endOf, expiryKey, partsOfExpiryKey, PREFIX } from './keys.ts'
import type { StoredRow } from './row-value.ts'
import type { StepBudget } from './step-budget.ts'
import type { AheadPage } from './values-ahead.ts'
import type { WriteBatch } from './write-batch.ts'

/**
 * Rows that are looked at in one step of expiry or eviction at most: a step takes half a millisecond, and is a quarter of the
 * operations of a batch under full load.
 */
const STEP_ROWS = 200
/** Where that is too slow. */
const LARGE_STEP_ROWS = 500
const NOTHING = new Uint8Array(0)

/** What is done to the rows themselves. */
export interface ExpiringRows {
  /** Rows above the maximum of a database. */
  surplusOf(database: string): number
  /** Reads rows for a later batch. */
  readAhead(database: string, keys: readonly Uint8Array[]): Promise<AheadPage>
  /** Whether to read this row takes no look at the disk, and so no wait for LevelDB's own work. */
  isAtHand(database: string, key: Uint8Array, ahead: AheadPage): boolean
  /** A row as it is now, from what was read ahead as far as that still counts. */
  read(database: string, key: Uint8Array, ahead: AheadPage): StoredRow | undefined
  /** False for a row that was removed earlier in this batch. */
  isThere(database: string, key: Uint8Array): boolean
  remove(batch: WriteBatch, database: string, key: Uint8Array, row: StoredRow): void
}

interface TrendExpiryDeps {
  readonly database: () => Database
  readonly rows: ExpiringRows
}

interface NamedEntry {
  readonly atMs: number
  readonly key: Uint8Array
}

interface NamedRow extends NamedEntry {
  /** Undefined when there is none. */
  readonly row: StoredRow | undefined
}

/** Names of rows that the expiry index gives, oldest first. */
export interface ExpiryPage {
  readonly database: string
  readonly entries: readonly NamedEntry[]
  /** What was read of their rows. */
  readonly ahead: AheadPage
  /** False when there are more behind the last one. */
  readonly isLast: boolean
}

export class TrendExpiry {
  readonly #deps: TrendExpiryDeps
  readonly #scans = new ExpiryScans()
  #evicted = 0

  constructor(deps: TrendExpiryDeps) {
    this.#deps = deps
  }

  /** Rows that went before they had expired. */
  get evicted(): number {
    return this.#evicted
  }

  /** Names a row in the index. */
  note(batch: WriteBatch, database: string, atMs: number, key: Uint8Array): void {
    const entry = expiryKey(database, atMs, key)
    batch.put(entry, NOTHING)
    this.#scans.note(database, entry)
  }

  /** What was noted is on disk. */
  changesWritten(): void {
    this.#scans.written()
  }

  /** The rows of a database that may expire first, for one step; undefined when there are none until then. */
  async oldest(database: string, untilMs: number, isLarge = false): Promise<ExpiryPage | undefined> {
    const limit = isLarge ? LARGE_STEP_ROWS : STEP_ROWS
    const from = this.#scans.begin(database) ?? expiryKey(database, 0, NOTHING)
    const to =
      untilMs === Infinity
        ? endOf(databaseKey(PREFIX.expiry, database))
        : expiryKey(database, untilMs + 1, NOTHING)
    try {
      const found: readonly Entry[] = await this.#deps.database().scan({ from, to, limit })
      if (found.length === 0) {
        this.#scans.cancel(database)
        return undefined
      }
      const entries = found.map(([key]) => partsOfExpiryKey(key))
      const keys = entries.map(({ key }) => key)
      const ahead = await this.#deps.rows.readAhead(database, keys)
      return { database, entries, ahead, isLast: found.length < limit }
    } catch (error) {
      this.#scans.cancel(database)
      throw error
    }
  }

  /**
   * Removes what has expired of these rows, and notes the others at their real time, as far as the time for it goes and
   * without a read from disk, for which everybody in the batch would wait.
   *
   * @returns false when not all were looked at; those are still in the index, and the next page has them
   */
  stageExpiry(
    batch: WriteBatch,
    page: ExpiryPage,
    { nowMs, budget }: { readonly nowMs: number; readonly budget: StepBudget },
  ): boolean {
    const { database, entries, ahead } = page
    const isAtHand = (key: Uint8Array): boolean => this.#deps.rows.isAtHand(database, key, ahead)
    const { rows, passed } = this.#readRows(page, budget, isAtHand)
    for (const { atMs, key } of passed) this.#scans.note(database, expiryKey(database, atMs, key))
    // All of them first: a row that is named twice may be noted anew at the time of its second entry.
    for (const { atMs, key } of rows) batch.delete(expiryKey(database, atMs, key))
    for (const { key, row } of rows) {
      if (row === undefined) continue
      // Named twice in this page: the first time has removed it.
      if (row.expiresAtMs > nowMs) this.note(batch, database, row.expiresAtMs, key)
      else if (this.#deps.rows.isThere(database, key)) this.#deps.rows.remove(batch, database, key, row)
    }
    return rows.length === entries.length
  }

  /** Removes rows, those that expire first, until the database has its maximum again; others of the page move. */
  stageEviction(batch: WriteBatch, page: ExpiryPage, budget: StepBudget): void {
    const { database, entries, isLast } = page
    const { rows } = this.#readRows(page, budget)
    // A row behind those may expire right after them: none of them that lives longer may go first.
    const isWhole = isLast && rows.length === entries.length
    const certainMs = isWhole ? Infinity : (rows.at(-1)?.atMs ?? 0)
    const byExpiry = rows.toSorted((a, b) => (a.row?.expiresAtMs ?? 0) - (b.row?.expiresAtMs ?? 0))
    const seen = new Set<string>()
    for (const { atMs, key } of rows) batch.delete(expiryKey(database, atMs, key))
    for (const { key, row } of byExpiry) {
      const name = nameOf(key)
      if (row === undefined || seen.has(name)) continue
      seen.add(name)
      if (this.#deps.rows.surplusOf(database) > 0 && row.expiresAtMs <= certainMs) {
        this.#deps.rows.remove(batch, database, key, row)
        this.#evicted++
      } else {
        this.note(batch, database, row.expiresAtMs, key)
      }
    }
  }

  /**
   * The rows of the first entries, as many as there is time for, and the entries among these whose rows may not be read; one at
   * least of both. Ends the scan that gave the entries.
   */
  #readRows(
    { database, entries, ahead }: ExpiryPage,
    budget: StepBudget,
    mayRead: (key: Uint8Array) => boolean = () => true,
  ): { readonly rows: readonly NamedRow[]; readonly passed: readonly NamedEntry[] } {
    const rows: NamedRow[] = []
    const passed: NamedEntry[] = []
    let last: NamedEntry | undefined
    for (const entry of entries) {
      last = entry
      if (mayRead(entry.key)) rows.push({ ...entry, row: this.#deps.rows.read(database, entry.key, ahead) })
      else passed.push(entry)
      if (budget.isSpent()) break
    }
    ahead.end()
    if (last === undefined) this.#scans.cancel(database)
    else this.#scans.end(database, expiryKey(database, last.atMs, last.key))
    return { rows, passed }
  }
}

function nameOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')
}
