/**
 * Rows of the trend databases: commits of their changes. How rows go with time is in trend-expiry.ts. Store thread.
 *
 * All changes of one batch to one row are applied together: the row is read and written once, and of its chunks those that
 * changed.
 */
import { Buffer } from 'node:buffer'
import { LRUCache } from 'lru-cache'
import { messageOf } from '../../errors.ts'
import type { RowChange, TrendApplier } from '../trend-applier.ts'
import type { Database } from './database.ts'
import {
  chunkKey,
  databaseKey,
  numberKey,
  numberOfKey,
  partsOfDatabaseKey,
  PREFIX,
  wholePrefix,
} from './keys.ts'
import { putNumbers, readNumbers } from './meta.ts'
import { NO_OWNER, type RowOwners } from './row-owners.ts'
import { decodeRow, encodeRow, type StoredRow } from './row-value.ts'
import { seal, unseal } from './sealed-value.ts'
import { TrendExpiry } from './trend-expiry.ts'
import type { WriteBatch } from './write-batch.ts'
import type { Participant } from './write-jobs.ts'

/** Key, headers and map entry of a cached row. */
const CACHE_OVERHEAD_BYTES = 200
const PAGE = 256

interface PendingRow {
  readonly database: string
  readonly key: Uint8Array
  readonly changes: unknown[]
  /** Who made them; NO_OWNER when there are several. */
  worker: number
}

interface TrendRowsDeps {
  readonly database: () => Database
  readonly applier: TrendApplier
  /** Memory for rows that were used lately. */
  readonly hotBytes: number
  /** Told of every change once it can be read. */
  readonly owners: RowOwners
  /** A row could not be changed; its changes are lost, everything else goes on. */
  readonly onRowError: (database: string, message: string) => void
}

export class TrendRows implements Participant {
  readonly expiry: TrendExpiry
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
  /** Who changed the rows of the batch in work. */
  readonly #changedBy: { readonly rowKey: Uint8Array; readonly worker: number }[] = []
  readonly #counts = new Map<string, number>()
  readonly #changedCounts = new Set<string>()
  /** Highest commit of every policy worker of this process; one number per worker that ever lived in it. */
  readonly #commits = new Map<number, number>()
  readonly #changedCommits = new Set<number>()

  constructor(deps: TrendRowsDeps) {
    this.#deps = deps
    this.#applier = deps.applier
    this.expiry = new TrendExpiry({ database: deps.database, rows: this })
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
  addChanges(deltas: Uint8Array, worker: number): void {
    if (deltas.length === 0) return
    try {
      for (const change of this.#applier.split(deltas)) this.#addChange(change, worker)
    } catch (error) {
      this.#deps.onRowError('(unknown)', messageOf(error))
    }
  }

  /** A run of a worker counted on changes that take no place: it must not keep its rows. */
  dropChanges(deltas: Uint8Array): void {
    if (deltas.length === 0) return
    for (const { database, key } of this.#applier.split(deltas)) {
      this.#changedBy.push({ rowKey: databaseKey(PREFIX.row, database, key), worker: NO_OWNER })
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

  changesWritten(): void {
    this.#staged.clear()
    for (const { rowKey, worker } of this.#changedBy) this.#deps.owners.changed(rowKey, worker)
    this.#changedBy.length = 0
  }

  /** False for a row that was removed earlier in this batch. */
  isThere(database: string, key: Uint8Array): boolean {
    const name = nameOf(databaseKey(PREFIX.row, database, key))
    return !this.#staged.has(name) || this.#staged.get(name) !== undefined
  }

  /** Removes the row of this key from every database; how many there were. */
  stageForget(batch: WriteBatch, login: string): number {
    const key = this.#applier.keyOfLogin(login)
    let removed = 0
    for (const database of this.databases) {
      const row = this.read(database, key)
      if (row === undefined) continue
      this.remove(batch, database, key, row)
      removed++
    }
    return removed
  }

  #addChange({ database, key, changes }: RowChange, worker: number): void {
    const name = nameOf(databaseKey(PREFIX.row, database, key))
    const pending = this.#pending.get(name)
    if (pending === undefined) {
      this.#pending.set(name, { database, key, changes: [changes], worker })
      return
    }
    pending.changes.push(changes)
    if (pending.worker !== worker) pending.worker = NO_OWNER
  }

  #applyPending(batch: WriteBatch): void {
    for (const row of this.#pending.values()) this.#applyRow(batch, row)
    this.#pending.clear()
  }

  #applyRow(batch: WriteBatch, { database, key, changes, worker }: PendingRow): void {
    this.#changedBy.push({ rowKey: databaseKey(PREFIX.row, database, key), worker })
    const before = this.read(database, key)
    const chunk = (chunkName: string): Uint8Array | undefined => this.#readChunk(database, key, chunkName)
    const current = before === undefined ? undefined : { bytes: before.bytes, chunk }
    let after
    try {
      after = this.#applier.apply(database, key, current, changes)
    } catch (error) {
      this.#deps.onRowError(database, messageOf(error))
      return
    }
    if (after.bytes === undefined) {
      if (before !== undefined) this.remove(batch, database, key, before)
      return
    }
    const rowKey = databaseKey(PREFIX.row, database, key)
    this.#put(batch, rowKey, encodeRow(rowKey, { ...after, bytes: after.bytes }))
    for (const changed of after.chunks) {
      const at = chunkKey(database, key, changed.name)
      this.#put(batch, at, seal(at, changed.bytes))
    }
    for (const gone of before?.chunkNames ?? [])
      if (!after.chunkNames.includes(gone)) this.#delete(batch, chunkKey(database, key, gone))
    if (before === undefined) {
      this.expiry.note(batch, database, after.expiresAtMs, key)
      this.#count(database, 1)
    } else if (after.expiresAtMs < before.expiresAtMs) {
      // It must stay noted no later than it expires; the note of the longer life is dropped when its time comes.
      this.expiry.note(batch, database, after.expiresAtMs, key)
    }
  }

  /** As it is with everything that this batch holds so far. */
  read(database: string, key: Uint8Array): StoredRow | undefined {
    const rowKey = databaseKey(PREFIX.row, database, key)
    const sealed = this.#readSealed(rowKey)
    return sealed === undefined ? undefined : decodeRow(rowKey, sealed)
  }

  #readChunk(database: string, key: Uint8Array, name: string): Uint8Array | undefined {
    const at = chunkKey(database, key, name)
    const sealed = this.#readSealed(at)
    return sealed === undefined ? undefined : unseal(at, sealed)
  }

  #readSealed(at: Uint8Array): Uint8Array | undefined {
    const name = nameOf(at)
    if (this.#staged.has(name)) return this.#staged.get(name)
    const hot = this.#hot.get(name)
    return hot === undefined ? this.#deps.database().get(at) : Buffer.from(hot, 'latin1')
  }

  #put(batch: WriteBatch, at: Uint8Array, sealed: Uint8Array): void {
    batch.put(at, sealed)
    const name = nameOf(at)
    this.#staged.set(name, sealed)
    this.#hot.set(name, nameOf(sealed))
  }

  #delete(batch: WriteBatch, at: Uint8Array): void {
    batch.delete(at)
    const name = nameOf(at)
    this.#staged.set(name, undefined)
    this.#hot.delete(name)
  }

  /** Removes a row with its chunks. */
  remove(
    batch: WriteBatch,
    database: string,
    key: Uint8Array,
    { chunkNames }: Pick<StoredRow, 'chunkNames'>,
  ): void {
    const rowKey = databaseKey(PREFIX.row, database, key)
    this.#changedBy.push({ rowKey, worker: NO_OWNER })
    this.#delete(batch, rowKey)
    for (const name of chunkNames) this.#delete(batch, chunkKey(database, key, name))
    this.#count(database, -1)
  }

  #count(database: string, by: number): void {
    this.#counts.set(database, (this.#counts.get(database) ?? 0) + by)
    this.#changedCounts.add(database)
  }
}

function nameOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')
}
