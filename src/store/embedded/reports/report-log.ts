/**
 * All reports that are kept, journal and history in one: files one behind another, the last of which grows. A report is
 * written once and stays where it is until its file is removed as a whole. Store thread.
 *
 * Directory `reports` in that of the database: `NUMBER.reports` with segments from that number on, `NUMBER.index` beside a
 * full one, and for moments `erasing` (erasing.ts).
 */
import { mkdirSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs'
import { basename, join } from 'node:path'
import { TrackError } from '../../../errors.ts'
import { numberKey, PREFIX, SLOTS } from '../keys.ts'
import { seal } from '../sealed-value.ts'
import { eraseSlots, readEntries } from '../segment.ts'
import { type ErasedRecord, finishErasing, overwriteRecords } from './erasing.ts'
import { FileHandles } from './file-handles.ts'
import type { IndexKind } from './file-index.ts'
import { GrowingFile, syncFile } from './growing-file.ts'
import { indexPath } from './index-file.ts'
import { RECORD_HEAD_BYTES } from './record.ts'
import type { ReportBatch } from './report-batch.ts'
import { ReportFile } from './report-file.ts'

/** A file of an earlier run that is larger does not grow any more: its index is not made before the start has ended. */
const GOES_ON_BYTES = 1024 * 1024
const NAME = /^(\d{15})\.reports$/

/** When a file is full. */
export interface FileLimits {
  readonly fileBytes: number
  /** From its first report to its last, ms. */
  readonly fileMs: number
}

/** A segment in its file. */
export interface SegmentPlace {
  readonly file: ReportFile
  /** In the file's table. */
  readonly index: number
}

export class ReportLog {
  readonly #directory: string
  readonly #limits: () => FileLimits
  readonly #handles = new FileHandles()
  /** In ascending order. */
  readonly #files: ReportFile[] = []
  #growing: GrowingFile | undefined
  /** What writes to the file that grows, ends it or begins another takes place one after another. */
  #writing: Promise<unknown> = Promise.resolve()
  /** Indexes of full files are written, and reports erased, one after another. */
  #tidying: Promise<unknown> = Promise.resolve()
  #isClosed = false

  private constructor(directory: string, limits: () => FileLimits) {
    this.#directory = directory
    this.#limits = limits
  }

  /**
   * @param databaseDirectory - in which the reports have a directory of their own
   * @throws TrackError TRK_STORE_DAMAGED
   */
  static async open(databaseDirectory: string, limits: () => FileLimits): Promise<ReportLog> {
    const directory = reportsDirectory(databaseDirectory)
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    await finishErasing(directory)
    const log = new ReportLog(directory, limits)
    const names = reportFiles(directory)
    removeLeftovers(directory, names)
    for (const [nth, name] of names.entries()) log.#load(name, nth === names.length - 1)
    await log.#goOn()
    return log
  }

  /** Highest number of a segment that is or was here; 0 when none was. */
  get lastSegment(): number {
    const last = this.#files.at(-1)
    return last === undefined ? 0 : Math.max(last.lastSegment, last.firstSegment - 1)
  }

  /** Reports that history finds, and what their segments take; those that retention let go count until their file is gone. */
  get kept(): { readonly reports: number; readonly sizeBytes: number } {
    let reports = 0
    let sizeBytes = 0
    for (const { table } of this.#files) {
      reports += table.keptReports
      sizeBytes += table.keptBytes
    }
    return { reports, sizeBytes }
  }

  /** Resolves when the batch is on disk, if it is synced. After a failure nothing can be appended before `startNewFile`. */
  async append(batch: ReportBatch, isSynced: boolean): Promise<void> {
    const [first] = batch.segments
    if (first === undefined) return
    await this.#write(async () => {
      if (this.#growing !== undefined && this.#isFull(this.#growing.file, first.newestMs))
        await this.#endGrowing()
      this.#growing ??= await this.#create()
      await this.#growing.append(batch, isSynced)
    })
  }

  /** Leaves behind what a failed write did to a file. Rejects when that cannot be done yet. */
  startNewFile(): Promise<void> {
    return this.#write(() => this.#startNewFile())
  }

  /** The stored form of a segment; undefined when there is none of this number. */
  read(segment: number): Uint8Array | undefined {
    const place = this.placeOf(segment)
    return place?.file.read(place.index)
  }

  placeOf(segment: number): SegmentPlace | undefined {
    const file = this.#files.findLast(({ firstSegment }) => firstSegment <= segment)
    const index = file?.table.find(segment) ?? -1
    return file === undefined || index === -1 ? undefined : { file, index }
  }

  /**
   * Ids of reports whose login or address has this hash, newest first, and whether they were successful. Of the file that
   * grows it may name some that were erased.
   */
  async *find(
    kind: IndexKind,
    hash: number,
  ): AsyncGenerator<{ readonly id: number; readonly success: boolean }> {
    for (const file of this.#files.toReversed()) {
      for await (const { index, slot, success } of file.find(kind, hash))
        yield { id: file.table.segmentAt(index) * SLOTS + slot, success }
    }
  }

  /** All segments from a number on. */
  *from(segment: number): Generator<SegmentPlace> {
    for (const file of this.#files.slice()) {
      if (file.lastSegment < segment) continue
      const { table } = file
      for (let index = table.lowerBound(segment); index < table.length; index++) yield { file, index }
    }
  }

  /** The same from the newest back. */
  *backTo(segment: number): Generator<SegmentPlace> {
    for (const file of this.#files.toReversed()) {
      const { table } = file
      const end = table.lowerBound(segment)
      for (let index = table.length - 1; index >= end; index--) yield { file, index }
    }
  }

  /** Empties these reports where they lie; how many were still there. */
  erase(slotsBySegment: ReadonlyMap<number, ReadonlySet<number>>): Promise<number> {
    return this.#tidy(() => this.#erase(slotsBySegment))
  }

  /** Removes the files that have only segments below this one. */
  removeBefore(segment: number): Promise<void> {
    // What is being appended is not in its file's table yet.
    return this.#write(() => this.#removeBefore(segment))
  }

  /** Nothing may be called afterwards. */
  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all([this.#tidying, this.#writing])
    const growing = this.#growing
    this.#growing = undefined
    await growing?.end()
    if (growing !== undefined && growing.file.sizeBytes > GOES_ON_BYTES) await growing.file.storeIndex()
    this.#handles.close()
  }

  #load(name: string, isLast: boolean): void {
    const path = join(this.#directory, name)
    const firstSegment = Number(NAME.exec(name)?.[1])
    const file = new ReportFile({ path, firstSegment, handles: this.#handles })
    const { tornBytes } = file.load(statSync(path).size)
    if (tornBytes > 0) {
      if (!isLast) throw new TrackError('TRK_STORE_DAMAGED', `${path} ends in the middle of a record`)
      this.#handles.forget(path)
      truncateSync(path, file.sizeBytes)
    }
    // What was written and not synced counts from here on, and what was cut off must not come back behind another file.
    if (isLast) syncFile(path)
    this.#files.push(file)
  }

  /** A small last file goes on growing; all other ones get the indexes that they lack, beside the work. */
  async #goOn(): Promise<void> {
    const last = this.#files.at(-1)
    if (last !== undefined && last.sizeBytes <= GOES_ON_BYTES) {
      if (last.table.length === 0) {
        this.#files.pop()
        this.#growing = await this.#create(last.firstSegment)
      } else {
        await last.makeGrowingIndex()
        this.#growing = GrowingFile.reopen(last)
      }
    }
    for (const file of this.#files) if (file !== this.#growing?.file) this.#storeIndexLater(file)
  }

  async #startNewFile(): Promise<void> {
    await this.#endGrowing()
    this.#growing = await this.#create()
  }

  async #removeBefore(segment: number): Promise<void> {
    if (this.#isClosed) return
    const growing = this.#growing
    if (growing !== undefined && growing.file.table.length > 0 && growing.file.lastSegment < segment) {
      // The next one has a number behind the last, also after a start.
      await this.#startNewFile()
    }
    const isGone = (file: ReportFile): boolean => file.lastSegment < segment && file !== this.#growing?.file
    while (this.#files[0] !== undefined && isGone(this.#files[0])) this.#files.shift()?.remove()
  }

  #isFull(file: ReportFile, newestMs: number): boolean {
    const { fileBytes, fileMs } = this.#limits()
    if (file.table.length === 0) return false
    return file.sizeBytes >= fileBytes || newestMs - file.table.oldestMsAt(0) > fileMs
  }

  async #create(firstSegment = this.lastSegment + 1): Promise<GrowingFile> {
    const path = join(this.#directory, `${String(firstSegment).padStart(15, '0')}.reports`)
    const file = new ReportFile({ path, firstSegment, handles: this.#handles })
    this.#handles.forget(path)
    const growing = await GrowingFile.create(file)
    this.#files.push(file)
    return growing
  }

  async #endGrowing(): Promise<void> {
    const growing = this.#growing
    if (growing === undefined) return
    // If that fails it is tried again: the next start would take what does not count for reports, or for damage.
    await growing.end()
    this.#growing = undefined
    const { file } = growing
    this.#handles.forget(file.path)
    if (file.table.length > 0) {
      this.#storeIndexLater(file)
    } else {
      this.#files.pop()
      file.remove()
    }
  }

  #storeIndexLater(file: ReportFile): void {
    // What stands in its way is found again by whoever searches.
    this.#tidy(() => (this.#isClosed || !this.#files.includes(file) ? undefined : file.storeIndex())).catch(
      () => undefined,
    )
  }

  async #erase(slotsBySegment: ReadonlyMap<number, ReadonlySet<number>>): Promise<number> {
    const records: ErasedRecord[] = []
    const counts: (() => void)[] = []
    let erased = 0
    for (const [segment, slots] of slotsBySegment) {
      const place = this.placeOf(segment)
      if (place === undefined) continue
      const { file, index } = place
      const stored = file.read(index)
      const before = readEntries(stored)
      const rest = eraseSlots(stored, slots)
      erased += before.filter(({ slot }) => slots.has(slot)).length
      records.push(erasedRecord(file, index, rest))
      const left = before.filter(({ slot }) => !slots.has(slot)).length
      counts.push(() => {
        file.table.setReports(index, Math.min(left, file.table.reportsAt(index)))
        file.erased()
      })
    }
    if (erased === 0) return 0
    for (const count of counts) count()
    try {
      await overwriteRecords(this.#directory, records)
    } finally {
      // Whoever made an index meanwhile may have read what was there before.
      for (const count of counts) count()
    }
    for (const { fileName } of records) this.#handles.forget(join(this.#directory, fileName))
    return erased
  }

  async #write(work: () => Promise<void>): Promise<void> {
    const done = this.#writing.then(work)
    this.#writing = done.catch(() => undefined)
    await done
  }

  async #tidy<Result>(work: () => Promise<Result> | Result): Promise<Result> {
    const done = this.#tidying.then(work)
    this.#tidying = done.catch(() => undefined)
    return await done
  }
}

export function reportsDirectory(databaseDirectory: string): string {
  return join(databaseDirectory, 'reports')
}

/** Names of the report files, in ascending order. */
export function reportFiles(directory: string): readonly string[] {
  return readdirSync(directory)
    .filter((name) => NAME.test(name))
    .toSorted()
}

/** Indexes whose files retention removed while they were written. */
function removeLeftovers(directory: string, names: readonly string[]): void {
  const kept = new Set(names.flatMap((name) => [name, indexPath(name)]))
  for (const name of readdirSync(directory))
    if (/\.index(\.new)?$/.test(name) && !kept.has(name)) rmSync(join(directory, name), { force: true })
}

function erasedRecord(file: ReportFile, index: number, rest: Uint8Array): ErasedRecord {
  const { table } = file
  const segment = table.segmentAt(index)
  const sealed = seal(numberKey(PREFIX.segment, segment), rest)
  const roomBytes = table.sizeBytesAt(index) - RECORD_HEAD_BYTES
  if (sealed.length > roomBytes) {
    throw new TrackError(
      'TRK_STORE_FAILED',
      `${file.path}: what is left of segment ${segment} does not fit into its place`,
    )
  }
  const head = {
    batchAt: table.placeAt(index),
    roomBytes,
    sizeBytes: sealed.length,
    segment,
    oldestMs: table.oldestMsAt(index),
    newestMs: table.newestMsAt(index),
  }
  return { fileName: basename(file.path), at: table.placeAt(index), head, sealed }
}
