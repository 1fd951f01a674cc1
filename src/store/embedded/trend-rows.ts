/**
 * Rows of the trend databases: commits of their changes, eviction, expiry. Store thread.
 *
 * All changes of one batch to one row are applied together: the row is read and written once. A row's value is its
 * expiry (double) and its bytes. The expiry index names every row at a time at which it cannot have expired yet, and is
 * moved only when that time has come: touching a row costs no index write, and the order by real expiry is still exact.
 */
import { Buffer } from 'node:buffer'
import { LRUCache } from 'lru-cache'
import { messageOf } from '../../errors.ts'
import type { RowChange, TrendApplier } from '../trend-applier.ts'
import type { Database, Entry } from './database.ts'
import { ExpiryScans } from './expiry-scans.ts'
import type { Participant } from './group-commit.ts'
import {
  databaseKey,
  endOf,
  expiryKey,
  numberKey,
  numberOfKey,
  partsOfDatabaseKey,
  partsOfExpiryKey,
  PREFIX,
  wholePrefix,
} from './keys.ts'
import { putNumbers, readNumbers } from './meta.ts'
import { decodeRow, encodeRow, type StoredRow } from './row-value.ts'
import type { WriteBatch } from './write-batch.ts'

/** Rows that are looked at in one step of expiry or eviction; a step takes about a millisecond. */
const STEP_ROWS = 100
/** Key, headers and map entry of a cached row. */
const CACHE_OVERHEAD_BYTES = 200
const PAGE = 256
const NOTHING = new Uint8Array(0)

interface PendingRow {
  readonly database: string
  readonly key: Uint8Array
  readonly changes: unknown[]
}

interface TrendRowsDeps {
  readonly database: () => Database
  readonly applier: TrendApplier
  /** Memory for rows that were used lately. */
  readonly hotBytes: number
  /** A row could not be changed; its changes are lost, everything else goes on. */
  readonly onRowError: (database: string, message: string) => void
}

/** Names of rows that the expiry index gives, oldest first. */
export interface ExpiryPage {
  readonly database: string
  readonly entries: readonly { readonly atMs: number; readonly key: Uint8Array }[]
  /** False when there are more behind the last one. */
  readonly isLast: boolean
}

export class TrendRows implements Participant {
  readonly #deps: TrendRowsDeps
  #applier: TrendApplier
  /**
   * Values by key, both as Latin-1 text, which takes a third of the memory of a small byte array. What is here is newer
   * than or equal to what is on disk.
   */
  readonly #hot: LRUCache<string, string>
  readonly #pending = new Map<string, PendingRow>()
  /** Rows of the batch in work: the cache may drop them before they are on disk. */
  readonly #staged = new Map<string, Uint8Array | undefined>()
  readonly #counts = new Map<string, number>()
  readonly #changedCounts = new Set<string>()
  readonly #scans = new ExpiryScans()
  /** Highest commit of every policy worker of this process; one number per worker that ever lived in it. */
  readonly #commits = new Map<number, number>()
  readonly #changedCommits = new Set<number>()
  #evicted = 0

  constructor(deps: TrendRowsDeps) {
    this.#deps = deps
    this.#applier = deps.applier
    this.#hot = new LRUCache({
      maxSize: deps.hotBytes,
      sizeCalculation: (value) => value.length + CACHE_OVERHEAD_BYTES,
    })
  }

  /** The definitions of databases have changed: what the batch holds so far still goes by the old ones. */
  stageApplier(batch: WriteBatch, applier: TrendApplier): void {
    this.#applyPending(batch)
    this.#applier = applier
  }

  get rows(): number {
    let total = 0
    for (const count of this.#counts.values()) total += count
    return total
  }

  get rowsByDatabase(): ReadonlyMap<string, number> {
    return this.#counts
  }

  get evicted(): number {
    return this.#evicted
  }

  get databases(): readonly string[] {
    return [...this.#counts.keys()]
  }

  /** Rows above the maximum of a database. */
  surplusOf(database: string): number {
    return (this.#counts.get(database) ?? 0) - this.#applier.maxKeys(database)
  }

  async load(): Promise<void> {
    const database = this.#deps.database()
    for await (const page of database.pages(wholePrefix(PREFIX.rowCount), PAGE)) {
      for (const [key] of page) {
        this.#counts.set(partsOfDatabaseKey(key).database, readNumbers(database, key)?.[0] ?? 0)
      }
    }
    for await (const page of database.pages(wholePrefix(PREFIX.worker), PAGE)) {
      for (const [key] of page) this.#commits.set(numberOfKey(key), readNumbers(database, key)?.[0] ?? 0)
    }
  }

  /** Changes of one run; they are applied when the whole batch is known. */
  addChanges(deltas: Uint8Array): void {
    if (deltas.length === 0) return
    try {
      for (const change of this.#applier.split(deltas)) this.#addChange(change)
    } catch (error) {
      this.#deps.onRowError('(unknown)', messageOf(error))
    }
  }

  noteCommit(worker: number, number: number): void {
    if (this.isCommitted(worker, number)) return
    this.#commits.set(worker, number)
    this.#changedCommits.add(worker)
  }

  /** Whether a commit of this number took place; a worker's commits come in the order of their numbers. */
  isCommitted(worker: number, number: number): boolean {
    return number <= (this.#commits.get(worker) ?? -1)
  }

  finishChanges(batch: WriteBatch): void {
    this.#applyPending(batch)
    for (const worker of this.#changedCommits) {
      putNumbers(batch, numberKey(PREFIX.worker, worker), [this.#commits.get(worker) ?? 0])
    }
    this.#changedCommits.clear()
  }

  finishAll(batch: WriteBatch): void {
    for (const database of this.#changedCounts) {
      putNumbers(batch, databaseKey(PREFIX.rowCount, database), [this.#counts.get(database) ?? 0])
    }
    this.#changedCounts.clear()
  }

  written(): void {
    this.#staged.clear()
  }

  /** The rows of a database that may expire first. */
  async oldest(database: string, untilMs: number): Promise<ExpiryPage> {
    const from = expiryKey(database, this.#scans.begin(database), NOTHING)
    const to =
      untilMs === Infinity
        ? endOf(databaseKey(PREFIX.expiry, database))
        : expiryKey(database, untilMs + 1, NOTHING)
    const found: readonly Entry[] = await this.#deps.database().scan({ from, to, limit: STEP_ROWS })
    const entries = found.map(([key]) => partsOfExpiryKey(key))
    if (entries.length === 0) this.#scans.cancel(database)
    return { database, entries, isLast: found.length < STEP_ROWS }
  }

  /** Removes what has expired of these rows, and notes the others at their real time. */
  stageExpiry(batch: WriteBatch, { database, entries }: ExpiryPage, nowMs: number): void {
    this.#scans.end(database, entries.at(-1)?.atMs ?? 0)
    for (const { atMs, key } of entries) {
      const row = this.#read(database, key)
      batch.delete(expiryKey(database, atMs, key))
      if (row === undefined) continue
      if (row.expiresAtMs <= nowMs) this.#remove(batch, database, key)
      else this.#note(batch, database, row.expiresAtMs, key)
    }
  }

  /** Removes rows, those that expire first, until the database has its maximum again; others of the page move. */
  stageEviction(batch: WriteBatch, { database, entries, isLast }: ExpiryPage): void {
    this.#scans.end(database, entries.at(-1)?.atMs ?? 0)
    // A row behind this page may expire right after the page's end: none of the page that lives longer may go first.
    const certainMs = isLast ? Infinity : (entries.at(-1)?.atMs ?? 0)
    const rows = entries.map((entry) => ({ ...entry, row: this.#read(database, entry.key) }))
    const byExpiry = rows.toSorted((a, b) => (a.row?.expiresAtMs ?? 0) - (b.row?.expiresAtMs ?? 0))
    const seen = new Set<string>()
    for (const { atMs, key, row } of byExpiry) {
      batch.delete(expiryKey(database, atMs, key))
      const name = nameOf(key)
      if (row === undefined || seen.has(name)) continue
      seen.add(name)
      if (this.surplusOf(database) > 0 && row.expiresAtMs <= certainMs) {
        this.#remove(batch, database, key)
        this.#evicted++
      } else {
        this.#note(batch, database, row.expiresAtMs, key)
      }
    }
  }

  /** Removes the row of this key from every database; how many there were. */
  stageForget(batch: WriteBatch, login: string): number {
    const key = this.#applier.keyOfLogin(login)
    const having = this.databases.filter((database) => this.#read(database, key) !== undefined)
    for (const database of having) this.#remove(batch, database, key)
    return having.length
  }

  #addChange({ database, key, changes }: RowChange): void {
    const name = nameOf(databaseKey(PREFIX.row, database, key))
    const pending = this.#pending.get(name)
    if (pending === undefined) this.#pending.set(name, { database, key, changes: [changes] })
    else pending.changes.push(changes)
  }

  #applyPending(batch: WriteBatch): void {
    for (const [name, row] of this.#pending) this.#applyRow(batch, name, row)
    this.#pending.clear()
  }

  #applyRow(batch: WriteBatch, name: string, { database, key, changes }: PendingRow): void {
    const rowKey = databaseKey(PREFIX.row, database, key)
    const current = this.#readSealed(name, rowKey)
    const before = current === undefined ? undefined : decodeRow(rowKey, current)
    let after
    try {
      after = this.#applier.apply(database, key, before?.bytes, changes)
    } catch (error) {
      this.#deps.onRowError(database, messageOf(error))
      return
    }
    if (after.bytes === undefined) {
      if (before !== undefined) this.#remove(batch, database, key)
      return
    }
    const sealed = encodeRow(rowKey, after.expiresAtMs, after.bytes)
    batch.put(rowKey, sealed)
    this.#keep(name, sealed)
    if (before === undefined) {
      this.#note(batch, database, after.expiresAtMs, key)
      this.#count(database, 1)
    } else if (after.expiresAtMs < before.expiresAtMs) {
      // It must stay noted no later than it expires; the note of the longer life is dropped when its time comes.
      this.#note(batch, database, after.expiresAtMs, key)
    }
  }

  #read(database: string, key: Uint8Array): StoredRow | undefined {
    const rowKey = databaseKey(PREFIX.row, database, key)
    const sealed = this.#readSealed(nameOf(rowKey), rowKey)
    return sealed === undefined ? undefined : decodeRow(rowKey, sealed)
  }

  #readSealed(name: string, rowKey: Uint8Array): Uint8Array | undefined {
    if (this.#staged.has(name)) return this.#staged.get(name)
    const hot = this.#hot.get(name)
    return hot === undefined ? this.#deps.database().get(rowKey) : Buffer.from(hot, 'latin1')
  }

  #keep(name: string, sealed: Uint8Array): void {
    this.#staged.set(name, sealed)
    this.#hot.set(name, nameOf(sealed))
  }

  #remove(batch: WriteBatch, database: string, key: Uint8Array): void {
    const rowKey = databaseKey(PREFIX.row, database, key)
    batch.delete(rowKey)
    const name = nameOf(rowKey)
    this.#staged.set(name, undefined)
    this.#hot.delete(name)
    this.#count(database, -1)
  }

  #note(batch: WriteBatch, database: string, atMs: number, key: Uint8Array): void {
    batch.put(expiryKey(database, atMs, key), NOTHING)
    this.#scans.note(database, atMs)
  }

  #count(database: string, by: number): void {
    this.#counts.set(database, (this.#counts.get(database) ?? 0) + by)
    this.#changedCounts.add(database)
  }
}

function nameOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')
}
