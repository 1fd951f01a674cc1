/**
 * The border to classic-level: one database handle, keys and values as bytes. Used on the store thread (reading and
 * writing), on the main thread (which only holds it open) and by readers on policy workers. All handles of one process
 * share one LevelDB.
 */
import { ClassicLevel } from 'classic-level'
import { TrackError } from '../../errors.ts'
import type { WriteBatch } from './write-batch.ts'

/**
 * Log and memtable: one is in memory, a second one while it becomes a table, and one is read again at start. The larger it
 * is, the more often a row is changed before it is written, and the fewer tables are merged for each.
 */
const WRITE_BUFFER_BYTES = 64 * 1024 * 1024
/**
 * Blocks of tables, uncompressed. What was written lately is in the memtable, and the tables are in the system's cache: with
 * 32 MiB a read of any of a million rows cost the same.
 */
const BLOCK_CACHE_BYTES = 8 * 1024 * 1024
/**
 * Of a table. LevelDB merges a table early when many reads have passed over it in vain, and reads of rows do; the smaller
 * a table, the fewer suffice. But a table is merged as a whole, also when only its end lies among keys that were written
 * lately, and the larger it is, the more of what is old is merged again. In a trial with a million rows, each read twice
 * before it was written, tables of 4 MiB cost a fifth less merging than those of 16 MiB.
 */
const TABLE_BYTES = 4 * 1024 * 1024

export interface ScanRange {
  readonly from: Uint8Array
  readonly to: Uint8Array
  readonly isReverse?: boolean
  readonly limit?: number
}

export type Entry = readonly [key: Uint8Array, value: Uint8Array]

/** A fixed state of the database. */
export interface DatabaseSnapshot {
  get(key: Uint8Array): Uint8Array | undefined
  close(): void
}

export class Database {
  readonly #level: ClassicLevel<Uint8Array, Uint8Array>

  get directory(): string {
    return this.#level.location
  }

  private constructor(level: ClassicLevel<Uint8Array, Uint8Array>) {
    this.#level = level
  }

  /**
   * Opens a directory, or shares what this process has open there.
   *
   * @throws TrackError TRK_STORE_LOCKED, TRK_STORE_DAMAGED or TRK_STORE_FAILED
   */
  static async open(directory: string): Promise<Database> {
    const level = new ClassicLevel<Uint8Array, Uint8Array>(directory, {
      keyEncoding: 'view',
      valueEncoding: 'view',
      multithreading: true,
      writeBufferSize: WRITE_BUFFER_BYTES,
      cacheSize: BLOCK_CACHE_BYTES,
      maxFileSize: TABLE_BYTES,
    })
    try {
      await level.open()
    } catch (error) {
      throw storeError(error, directory)
    }
    return new Database(level)
  }

  /** @throws TrackError TRK_STORE_DAMAGED when the table cannot be read. */
  get(key: Uint8Array): Uint8Array | undefined {
    try {
      return this.#level.getSync(key)
    } catch (error) {
      throw storeError(error, this.#level.location)
    }
  }

  /** Reads on a thread of its own, in the order of the keys. @throws as `get` */
  async getMany(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]> {
    try {
      return await this.#level.getMany([...keys])
    } catch (error) {
      throw storeError(error, this.#level.location)
    }
  }

  /** Entries of `[from, to)`, in pages; a fixed state of the database. */
  async *pages(range: ScanRange, pageSize: number): AsyncGenerator<readonly Entry[]> {
    const iterator = this.#level.iterator({
      gte: range.from,
      lt: range.to,
      reverse: range.isReverse ?? false,
      limit: range.limit ?? -1,
    })
    try {
      for (;;) {
        const entries = await iterator.nextv(pageSize)
        if (entries.length === 0) return
        yield entries
      }
    } catch (error) {
      throw storeError(error, this.#level.location)
    } finally {
      await iterator.close()
    }
  }

  /** The first `limit` entries of a range. */
  async scan(range: ScanRange & { readonly limit: number }): Promise<readonly Entry[]> {
    const entries: Entry[] = []
    for await (const page of this.pages(range, range.limit)) entries.push(...page)
    return entries
  }

  /** All or nothing. Rejects with what LevelDB said; nothing may be written after that before `startNewLog`. */
  async write(batch: WriteBatch, isSynced: boolean): Promise<void> {
    // Not a chained batch: what that holds natively is freed only when the garbage collector comes by.
    await this.#level.batch(batch.operations, { sync: isSynced })
  }

  /**
   * Writes what is in memory into a table and begins a new log. After a failed write the old log may end in half a
   * record, and whatever would be appended behind that could not be read again.
   */
  async startNewLog(): Promise<void> {
    // A range without keys: only what LevelDB does before it compacts takes place.
    await this.#level.compactRange(Uint8Array.of(0), Uint8Array.of(0, 0))
  }

  snapshot(): DatabaseSnapshot {
    const level = this.#level
    const snapshot = level.snapshot()
    return {
      get(key) {
        try {
          return level.getSync<Uint8Array, Uint8Array>(key, {
            snapshot,
            keyEncoding: 'view',
            valueEncoding: 'view',
          })
        } catch (error) {
          throw storeError(error, level.location)
        }
      },
      close() {
        // Synchronous inside; the promise only says that nothing else used it.
        void snapshot.close()
      },
    }
  }

  async close(): Promise<void> {
    await this.#level.close()
  }
}

/** What classic-level threw, as an error of the catalogue. */
export function storeError(thrown: unknown, directory: string): TrackError {
  if (thrown instanceof TrackError) return thrown
  const inner = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown
  const code = inner instanceof Error && 'code' in inner ? inner.code : undefined
  const text = inner instanceof Error ? inner.message : String(inner)
  if (code === 'LEVEL_LOCKED') {
    return new TrackError(
      'TRK_STORE_LOCKED',
      `${directory}: stop the other server, or give this one another directory`,
    )
  }
  if (code === 'LEVEL_CORRUPTION' || /corrupt/i.test(text)) {
    return new TrackError('TRK_STORE_DAMAGED', `${directory}: ${text}`, { cause: thrown })
  }
  return new TrackError('TRK_STORE_FAILED', `${directory}: ${text}`, { cause: thrown })
}
