/**
 * The way of a batch to the disk, and back to health after an error. Store thread.
 *
 * States: `writable` → `full` (little room is left: appends are refused, changes still written; with hardly any room
 * changes wait too) → `writable`; and from anywhere → `failed` (LevelDB refused a write) → `writable`. LevelDB takes no
 * further write after some errors until it is opened again, and after others it would append behind half a record; so a
 * failed write is followed by a new log, and if that does not help, by opening again.
 */
import { statfsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf, TrackError } from '../../errors.ts'
import type { Database } from './database.ts'
import { metaKey } from './keys.ts'
import { putNumbers } from './meta.ts'
import { WriteBatch } from './write-batch.ts'
import type { BatchDisk, RefusalReason } from './write-jobs.ts'
import type { Durability, WrittenBatch } from '../store.ts'

/** How often the room is looked at while batches are written, and while there is none. */
const LOOK_EVERY_MS = 100
const RETRY_EVERY_MS = 250
/** Of the reserve; below it changes wait as well. */
const CHANGES_SHARE = 0.25
const NO_ROOM = /no space|ENOSPC|quota|file too large|EFBIG/i

interface DiskDeps {
  readonly directory: string
  readonly durability: Durability
  /** Free bytes that are left to LevelDB's own work: appends are refused below it. */
  readonly reserveBytes: number
  readonly database: () => Pick<Database, 'write' | 'startNewLog'>
  /** Closes the database in every thread and opens it again; rejects when that cannot be done yet. */
  readonly reopen: () => Promise<void>
  readonly onChange: () => void
  readonly onWritten: (batch: WrittenBatch) => void
}

type State =
  | { readonly kind: 'writable' }
  | { readonly kind: 'full' | 'failed'; readonly reason: RefusalReason; readonly detail: string }

export class Disk implements BatchDisk {
  readonly #deps: DiskDeps
  readonly #stopping = new AbortController()
  /** How safe a batch is when it counts as written. */
  durability: Durability
  #state: State = { kind: 'writable' }
  #lookedAtMs = -Infinity
  #freeBytes = Infinity
  #timer: NodeJS.Timeout | undefined

  constructor(deps: DiskDeps) {
    this.#deps = deps
    this.durability = deps.durability
  }

  get refusal(): { readonly reason: RefusalReason; readonly detail: string } | undefined {
    this.#look()
    return this.#state.kind === 'writable' ? undefined : this.#state
  }

  async roomForChanges(): Promise<void> {
    this.#look()
    while (this.#freeBytes < this.#deps.reserveBytes * CHANGES_SHARE) {
      await this.#pause()
      this.#look(true)
    }
  }

  async write(batch: WriteBatch): Promise<void> {
    const startMs = performance.now()
    try {
      await this.#deps.database().write(batch, this.durability === 'fsync')
      this.#deps.onWritten({ durationMs: performance.now() - startMs, sizeBytes: batch.sizeBytes })
    } catch (error) {
      const text = messageOf(error)
      this.#enter({ kind: 'failed', reason: NO_ROOM.test(text) ? 'disk-full' : 'disk-error', detail: text })
      throw error
    }
  }

  async writeWhenHealed(whole: WriteBatch): Promise<void> {
    const batch = whole.operations.length > 0 ? whole : probe()
    for (;;) {
      await this.#pause()
      this.#look(true)
      if (this.#freeBytes < this.#deps.reserveBytes) continue
      if ((await this.#tryNewLog(batch)) || (await this.#tryReopened(batch))) break
    }
    this.#enter({ kind: 'writable' })
    this.#look(true)
  }

  /** Ends waiting: whatever waits is rejected. */
  stop(): void {
    this.#stopping.abort()
    clearInterval(this.#timer)
  }

  async #tryNewLog(batch: WriteBatch): Promise<boolean> {
    try {
      const database = this.#deps.database()
      await database.startNewLog()
      await database.write(batch, true)
      return true
    } catch (error) {
      this.#note(error)
      return false
    }
  }

  async #tryReopened(batch: WriteBatch): Promise<boolean> {
    try {
      await this.#deps.reopen()
      await this.#deps.database().write(batch, true)
      return true
    } catch (error) {
      this.#note(error)
      return false
    }
  }

  #note(error: unknown): void {
    if (this.#state.kind === 'failed') this.#enter({ ...this.#state, detail: messageOf(error) })
  }

  async #pause(): Promise<void> {
    try {
      await sleep(RETRY_EVERY_MS, undefined, { signal: this.#stopping.signal })
    } catch (error) {
      throw new TrackError('TRK_STOPPING', 'the store was closed before there was room on disk', {
        cause: error,
      })
    }
  }

  #look(isForced = false): void {
    const nowMs = performance.now()
    if (!isForced && nowMs - this.#lookedAtMs < LOOK_EVERY_MS) return
    this.#lookedAtMs = nowMs
    const { bavail, bsize } = statfsSync(this.#deps.directory)
    this.#freeBytes = bavail * bsize
    const { reserveBytes, directory } = this.#deps
    if (this.#state.kind === 'writable' && this.#freeBytes < reserveBytes) {
      const detail = `${directory} has ${toMib(this.#freeBytes)} MiB free, and ${toMib(reserveBytes)} are kept in reserve`
      this.#enter({ kind: 'full', reason: 'disk-full', detail })
    } else if (this.#state.kind === 'full' && this.#freeBytes >= reserveBytes) {
      this.#enter({ kind: 'writable' })
    }
  }

  #enter(state: State): void {
    const isOther = state.kind !== this.#state.kind
    this.#state = state
    if (!isOther) return
    clearInterval(this.#timer)
    // Without traffic nobody else would notice that there is room again.
    if (state.kind === 'full') this.#timer = setInterval(() => this.#look(true), RETRY_EVERY_MS)
    this.#deps.onChange()
  }
}

/** LevelDB says of nothing but a write that it takes none any more. */
function probe(): WriteBatch {
  const batch = new WriteBatch()
  putNumbers(batch, metaKey('probe'), [0])
  return batch
}

function toMib(bytes: number): number {
  return Math.floor(bytes / 1024 / 1024)
}
