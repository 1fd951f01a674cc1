/**
 * The way of a batch to the disk, and back to health after an error. Store thread.
 *
 * Appends are refused while there is little room left, or while a write of either kind has failed and none has succeeded
 * since; changes are written as long as there is any room. LevelDB takes no further write after some errors until it is
 * opened again, and after others it would append behind half a record; so a failed write is followed by a new log, and if that
 * does not help, by opening again. Reports go on in a new file.
 */
import { statfsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf, TrackError } from '../../errors.ts'
import type { Database } from './database.ts'
import { metaKey } from './keys.ts'
import { putNumbers } from './meta.ts'
import type { ReportBatch } from './reports/report-batch.ts'
import type { ReportLog } from './reports/report-log.ts'
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
  readonly reports: () => Pick<ReportLog, 'append' | 'startNewFile'>
  /** Closes the database in every thread and opens it again; rejects when that cannot be done yet. */
  readonly reopen: () => Promise<void>
  readonly onChange: () => void
  readonly onWritten: (batch: WrittenBatch) => void
}

interface Refusal {
  readonly reason: RefusalReason
  readonly detail: string
}

/** What stands in the way of appends: little room, or a write that failed and did not succeed again. */
type Obstacle = 'room' | 'reports' | 'database'

export class Disk implements BatchDisk {
  readonly #deps: DiskDeps
  readonly #stopping = new AbortController()
  /** How safe a batch is when it counts as written. */
  durability: Durability
  readonly #obstacles = new Map<Obstacle, Refusal>()
  #lookedAtMs = -Infinity
  #freeBytes = Infinity
  #timer: NodeJS.Timeout | undefined

  constructor(deps: DiskDeps) {
    this.#deps = deps
    this.durability = deps.durability
  }

  get refusal(): Refusal | undefined {
    this.#look()
    const [refusal] = this.#obstacles.values()
    return refusal
  }

  async roomForChanges(): Promise<void> {
    this.#look()
    while (this.#freeBytes < this.#deps.reserveBytes * CHANGES_SHARE) {
      await this.#pause()
      this.#look(true)
    }
  }

  append(batch: ReportBatch): Promise<void> {
    return this.#timed('reports', batch, () => this.#deps.reports().append(batch, this.#isSynced))
  }

  async appendWhenHealed(batch: ReportBatch): Promise<void> {
    await this.#healed('reports', async () => {
      const reports = this.#deps.reports()
      return await this.#succeeds('reports', async () => {
        await reports.startNewFile()
        await reports.append(batch, true)
      })
    })
  }

  write(batch: WriteBatch): Promise<void> {
    return this.#timed('database', batch, () => this.#deps.database().write(batch, this.#isSynced))
  }

  async writeWhenHealed(whole: WriteBatch): Promise<void> {
    const batch = whole.operations.length > 0 ? whole : probe()
    await this.#healed('database', async () => {
      const isEnough = await this.#succeeds('database', async () => {
        await this.#deps.database().startNewLog()
        await this.#deps.database().write(batch, true)
      })
      return isEnough || (await this.#reopenAndWrite(batch))
    })
  }

  /** Ends waiting: whatever waits is rejected. */
  stop(): void {
    this.#stopping.abort()
    clearInterval(this.#timer)
  }

  get #isSynced(): boolean {
    return this.durability === 'fsync'
  }

  async #timed(
    what: 'reports' | 'database',
    { sizeBytes }: { readonly sizeBytes: number },
    write: () => Promise<void>,
  ): Promise<void> {
    const startMs = performance.now()
    try {
      await write()
      this.#deps.onWritten({ durationMs: performance.now() - startMs, sizeBytes })
    } catch (error) {
      this.#stand(what, refusalFor(error))
      throw error
    }
  }

  /** Tries again and again until it succeeds, whenever there is room for it. */
  async #healed(what: 'reports' | 'database', attempt: () => Promise<boolean>): Promise<void> {
    for (;;) {
      await this.#pause()
      this.#look(true)
      if (this.#freeBytes >= this.#deps.reserveBytes && (await attempt())) break
    }
    this.#stand(what, undefined)
    this.#look(true)
  }

  #reopenAndWrite(batch: WriteBatch): Promise<boolean> {
    return this.#succeeds('database', async () => {
      await this.#deps.reopen()
      await this.#deps.database().write(batch, true)
    })
  }

  async #succeeds(what: 'reports' | 'database', attempt: () => Promise<void>): Promise<boolean> {
    try {
      await attempt()
      return true
    } catch (error) {
      this.#stand(what, refusalFor(error))
      return false
    }
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
    const isFull = this.#freeBytes < reserveBytes
    if (isFull === this.#obstacles.has('room')) return
    const detail = `${directory} has ${toMib(this.#freeBytes)} MiB free, and ${toMib(reserveBytes)} are kept in reserve`
    this.#stand('room', isFull ? { reason: 'disk-full', detail } : undefined)
    clearInterval(this.#timer)
    // Without traffic nobody else would notice that there is room again.
    if (isFull) this.#timer = setInterval(() => this.#look(true), RETRY_EVERY_MS)
  }

  /** Something stands in the way of appends, or does not any more. */
  #stand(obstacle: Obstacle, refusal: Refusal | undefined): void {
    const before = this.#obstacles.size
    if (refusal === undefined) this.#obstacles.delete(obstacle)
    else this.#obstacles.set(obstacle, refusal)
    if ((before === 0) !== (this.#obstacles.size === 0)) this.#deps.onChange()
  }
}

function refusalFor(error: unknown): Refusal {
  const detail = messageOf(error)
  return { reason: NO_ROOM.test(detail) ? 'disk-full' : 'disk-error', detail }
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
