/**
 * Rows of the trend databases: commits of their changes. How rows go with time is in trend-expiry.ts. Store thread.
 *
 * All changes of one batch to one row are applied together: the row is read and written once, and of its chunks those that
 * changed.
 */
import { Buffer } from 'node:buffer'
import { setImmediate } from 'node:timers/promises'
import { messageOf } from '../../errors.ts'
import type { AppliedRow, RowChange, TrendApplier } from '../trend-applier.ts'
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
import { RecentValues } from './recent-values.ts'
import { decodeIntactRow, decodeRow, encodeRow, type StoredRow } from './row-value.ts'
import { seal, SEAL_BYTES, unseal } from './sealed-value.ts'
import { TrendExpiry } from './trend-expiry.ts'
import { type AheadPage, ValuesAhead } from './values-ahead.ts'
import type { WriteBatch } from './write-batch.ts'
import type { Participant } from './write-jobs.ts'

/** Rows are changed for so long before others may pass: whoever waits for an acknowledgement waits for this thread too. */
const SLICE_MS = 1
const PAGE = 256

interface RowPlace {
  readonly database: string
  readonly key: Uint8Array
  /** Of the row in LevelDB. */
  readonly rowKey: Uint8Array
  /** The same as text. */
  readonly name: string
}

interface PendingRow extends RowPlace {
  readonly changes: unknown[]
  /** Who made them; NO_OWNER when there are several. */
  worker: number
}

interface TrendRowsDeps {
  readonly database: () => Database
  readonly applier: TrendApplier
  /** Memory for rows that were changed lately. */
  readonly recentBytes: number
  /** Told of every change once it can be read. */
  readonly owners: RowOwners
  /** A row could not be changed; its changes are lost, everything else goes on. */
  readonly onRowError: (database: string, message: string) => void
}

export class TrendRows implements Participant {
  readonly expiry: TrendExpiry
  readonly #deps: TrendRowsDeps
  #applier: TrendApplier
  /** Rows and chunks, sealed. What is here is newer than or equal to what is on disk. */
  readonly #recent: RecentValues
  readonly #pending = new Map<string, PendingRow>()
  /** Rows of the batch in work, sealed, undefined for those that go: they may be forgotten before they are on disk. */
  readonly #staged = new Map<string, Uint8Array | undefined>()
  readonly #ahead = new ValuesAhead((name) => this.#staged.has(name))
  /** Chunks of staged rows. */
  readonly #stagedChunks = new Map<string, Uint8Array | undefined>()
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
    this.#recent = new RecentValues(deps.recentBytes)
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

  maxKeysOf(database: string): number {
    return this.#applier.maxKeys(database)
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

  async finishChanges(batch: WriteBatch): Promise<void> {
    let sliceEndMs = performance.now() + SLICE_MS
    for (const [name, row] of this.#pending) {
      this.#pending.delete(name)
      this.#applyRow(batch, row)
      if (performance.now() < sliceEndMs) continue
      await setImmediate()
      sliceEndMs = performance.now() + SLICE_MS
    }
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
    this.#stagedChunks.clear()
    this.expiry.changesWritten()
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
    const rowKey = databaseKey(PREFIX.row, database, key)
    const name = nameOf(rowKey)
    const pending = this.#pending.get(name)
    if (pending === undefined) {
      this.#pending.set(name, { database, key, rowKey, name, changes: [changes], worker })
      return
    }
    pending.changes.push(changes)
    if (pending.worker !== worker) pending.worker = NO_OWNER
  }

  #applyPending(batch: WriteBatch): void {
    for (const row of this.#pending.values()) this.#applyRow(batch, row)
    this.#pending.clear()
  }

  #applyRow(batch: WriteBatch, pending: PendingRow): void {
    const { database, key, rowKey, name, worker } = pending
    this.#changedBy.push({ rowKey, worker })
    const before = this.#rowAt(rowKey, name)
    const after = this.#applied(pending, before)
    if (after === undefined) return
    const { bytes, chunkNames, expiresAtMs } = after
    if (bytes === undefined) {
      if (before !== undefined) this.remove(batch, database, key, before)
      return
    }
    const sealed = encodeRow(rowKey, { bytes, chunkNames, expiresAtMs })
    batch.put(rowKey, sealed)
    this.#stage(name, sealed)
    this.#recent.set(name, sealed)
    this.#putChunks(batch, pending, after)
    for (const gone of before?.chunkNames ?? [])
      if (!chunkNames.includes(gone)) this.#deleteChunk(batch, chunkKey(database, key, gone))
    if (before === undefined) {
      this.expiry.note(batch, database, expiresAtMs, key)
      this.#count(database, 1)
    } else if (expiresAtMs < before.expiresAtMs) {
      // It must stay noted no later than it expires; the note of the longer life is dropped when its time comes.
      this.expiry.note(batch, database, expiresAtMs, key)
    }
  }

  /** The row after its changes; undefined when they are lost. */
  #applied({ database, key, changes }: PendingRow, before: StoredRow | undefined): AppliedRow | undefined {
    const fromDisk = new Map<string, Uint8Array>()
    const chunk = (chunkName: string): Uint8Array | undefined =>
      this.#readChunk(chunkKey(database, key, chunkName), fromDisk)
    try {
      const after = this.#applier.apply(database, key, before && { bytes: before.bytes, chunk }, changes)
      // Not while the row is in work: what was found in memory must stay where it is until then.
      for (const [name, sealed] of fromDisk) this.#recent.set(name, sealed)
      return after
    } catch (error) {
      this.#deps.onRowError(database, messageOf(error))
      return undefined
    }
  }

  /** As it is with everything that this batch holds so far; its bytes are valid until the next row is staged. */
  read(database: string, key: Uint8Array, ahead?: AheadPage): StoredRow | undefined {
    const rowKey = databaseKey(PREFIX.row, database, key)
    const name = nameOf(rowKey)
    if (ahead?.values.has(name) !== true) return this.#rowAt(rowKey, name)
    const sealed = ahead.values.get(name)
    return sealed === undefined ? undefined : decodeRow(rowKey, sealed)
  }

  /** Whether `read` finds it in memory. */
  isAtHand(database: string, key: Uint8Array, ahead: AheadPage): boolean {
    const name = nameOf(databaseKey(PREFIX.row, database, key))
    return ahead.values.has(name) || this.#staged.has(name) || this.#recent.has(name)
  }

  /** Reads the rows of these keys for a later batch, beside those that are written meanwhile. */
  readAhead(database: string, keys: readonly Uint8Array[]): Promise<AheadPage> {
    const rowKeys = keys.map((key) => databaseKey(PREFIX.row, database, key))
    return this.#ahead.read(rowKeys.map(nameOf), () => this.#deps.database().getMany(rowKeys))
  }

  #stage(name: string, sealed: Uint8Array | undefined): void {
    this.#staged.set(name, sealed)
    this.#ahead.changed(name)
  }

  /** Its bytes are valid until the next row is staged. */
  #rowAt(rowKey: Uint8Array, name: string): StoredRow | undefined {
    const here = this.#staged.get(name) ?? this.#recent.get(name)
    if (here !== undefined) return decodeIntactRow(here)
    if (this.#staged.has(name)) return undefined
    const sealed = this.#deps.database().get(rowKey)
    return sealed === undefined ? undefined : decodeRow(rowKey, sealed)
  }

  #readChunk(at: Uint8Array, fromDisk: Map<string, Uint8Array>): Uint8Array | undefined {
    const name = nameOf(at)
    const here = this.#stagedChunks.get(name) ?? this.#recent.get(name)
    if (here !== undefined) return here.subarray(SEAL_BYTES)
    if (this.#stagedChunks.has(name)) return undefined
    const sealed = this.#deps.database().get(at)
    if (sealed === undefined) return undefined
    fromDisk.set(name, sealed)
    return unseal(at, sealed)
  }

  #putChunks(batch: WriteBatch, { database, key }: RowPlace, { chunks }: AppliedRow): void {
    for (const chunk of chunks) {
      const at = chunkKey(database, key, chunk.name)
      const sealed = seal(at, chunk.bytes)
      const name = nameOf(at)
      batch.put(at, sealed)
      this.#stagedChunks.set(name, sealed)
      this.#recent.set(name, sealed)
    }
  }

  #deleteChunk(batch: WriteBatch, at: Uint8Array): void {
    const name = nameOf(at)
    batch.delete(at)
    this.#stagedChunks.set(name, undefined)
    this.#recent.delete(name)
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
    batch.delete(rowKey)
    const name = nameOf(rowKey)
    this.#stage(name, undefined)
    this.#recent.delete(name)
    for (const chunk of chunkNames) this.#deleteChunk(batch, chunkKey(database, key, chunk))
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
