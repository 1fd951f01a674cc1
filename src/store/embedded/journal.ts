/**
 * Reports from their arrival to the end of their run: which are unfinished, which failed. Store thread. It changes
 * memory when a batch is staged, and only ever in step with the batch (group-commit.ts).
 *
 * A report is `open` (a bit in its segment's mask, or reopened after a failure) → `done`, or → `failed` → `open` again
 * by rerun. An outcome for a report that is not open changes nothing.
 */
import type { FailedReport, ReportToAppend, RunFailureRecord } from '../store.ts'
import { TrackError } from '../../errors.ts'
import { BinaryReader } from './binary-reader.ts'
import type { Database } from './database.ts'
import type { History } from './history.ts'
import { metaKey, numberKey, numberOfKey, PREFIX, SLOTS, wholePrefix } from './keys.ts'
import { putNumbers, readNumbers } from './meta.ts'
import type { AppendMessage, HandedReport } from './messages.ts'
import { decodeFailed, decodeReport, encodeFailed, encodeReport } from './records.ts'
import type { ReportBatch } from './reports/report-batch.ts'
import type { ReportLog } from './reports/report-log.ts'
import { seal, unseal } from './sealed-value.ts'
import { readSegment, readSlot, reportSizes } from './segment.ts'
import type { WriteBatch } from './write-batch.ts'
import type { Participant } from './write-jobs.ts'

/** Written where numbers that may have been given before must not be given again. */
export const NEXT_SEGMENT = metaKey('next-segment')
/** Segments below it are finished but for those with a mask; from it on unfinished but for those with a mask. */
export const OPEN_FROM = metaKey('open-from')
/** Reports that are handed over at once after a restart. */
const HAND_OVER_BYTES = 1024 * 1024
const PAGE = 256

interface OpenSegment {
  /** Bit n is set while the report in slot n is unfinished. */
  mask: number
  readonly sizes: Uint32Array
}

interface JournalDeps {
  readonly database: () => Database
  readonly reports: () => ReportLog
  readonly history: Pick<History, 'isKept'>
  /**
   * Durability `none`: an append is never refused once it is staged, and the outcome of a report may be staged before the
   * report is written. So it is open from then on.
   */
  readonly opensWhenStaged: boolean
}

export class Journal implements Participant {
  readonly #deps: JournalDeps
  readonly #open = new Map<number, OpenSegment>()
  /** Sizes of failed reports that were opened again. */
  readonly #reopened = new Map<number, number>()
  readonly #touched = new Set<number>()
  /** Segments of the batch that is being written; open once it is. */
  readonly #appended = new Map<number, OpenSegment>()
  /** Contents of segments that are open and not written. */
  readonly #unwritten = new Map<number, Uint8Array>()
  /** Segments whose mask is on disk. */
  readonly #masked = new Set<number>()
  #openFrom = 0
  #nextSegment = 1
  #backlogReports = 0
  #backlogBytes = 0
  #failedReports = 0

  constructor(deps: JournalDeps) {
    this.#deps = deps
  }

  get nextSegment(): number {
    return this.#nextSegment
  }

  get backlogReports(): number {
    return this.#backlogReports
  }

  get backlogBytes(): number {
    return this.#backlogBytes
  }

  get failedReports(): number {
    return this.#failedReports
  }

  /** Reads what is unfinished. */
  async load(): Promise<void> {
    const database = this.#deps.database()
    this.#openFrom = readNumbers(database, OPEN_FROM)?.[0] ?? 0
    const givenBefore = readNumbers(database, NEXT_SEGMENT)?.[0] ?? 1
    this.#nextSegment = Math.max(givenBefore, this.#openFrom, this.#deps.reports().lastSegment + 1)
    await this.#loadSegments(database)
    for await (const page of database.pages(wholePrefix(PREFIX.reopened), PAGE)) {
      for (const [key, value] of page) this.#openAgain(numberOfKey(key), value.length)
    }
    for await (const page of database.pages(wholePrefix(PREFIX.failed), PAGE))
      this.#failedReports += page.length
  }

  stageAppend(batch: ReportBatch, message: AppendMessage): void {
    let at = 0
    let report = 0
    for (const [index, sizeBytes] of message.contentSizes.entries()) {
      const segment = message.firstSegment + index
      const content = message.contents.subarray(at, at + sizeBytes)
      at += sizeBytes
      const count = content[0] ?? 0
      const sizes = message.reportSizes.slice(report, report + count)
      report += count
      // Sent again, because the store thread was lost before it could say that it is done.
      if (segment <= this.#deps.reports().lastSegment) continue
      const mask = fullMask(count)
      batch.add(segment, content, this.#deps.history.isKept)
      const open = { mask, sizes }
      if (this.#deps.opensWhenStaged) {
        this.#addOpen(segment, open)
        this.#unwritten.set(segment, content)
      } else {
        this.#appended.set(segment, open)
      }
    }
    this.#nextSegment = Math.max(this.#nextSegment, message.firstSegment + message.contentSizes.length)
  }

  /** Ends a run; false when its report is not open, and then nothing of the outcome may take place. */
  stageDone(batch: WriteBatch, id: number): boolean {
    return this.#close(batch, id)
  }

  /** Ends a run that failed; the report is kept with the reason. */
  stageFailed(
    batch: WriteBatch,
    id: number,
    failed: { readonly failure: RunFailureRecord; readonly atMs: number },
  ): void {
    if (!this.#isOpen(id)) return
    const report = this.#readOpen(id)
    const key = numberKey(PREFIX.failed, id)
    const record = encodeFailed({ failedAtMs: failed.atMs, failure: failed.failure, report })
    batch.put(key, seal(key, record))
    this.#failedReports++
    this.#close(batch, id)
  }

  /** Opens a failed report again; what to hand to the subscriber, undefined when there is none of this id. */
  stageRerun(batch: WriteBatch, id: number): HandedReport | undefined {
    const failedKey = numberKey(PREFIX.failed, id)
    const sealed = this.#deps.database().get(failedKey)
    if (sealed === undefined || this.#isOpen(id)) return undefined
    const content = encodeReport(decodeFailed(unseal(failedKey, sealed)).report)
    const key = numberKey(PREFIX.reopened, id)
    batch.put(key, seal(key, content))
    batch.delete(failedKey)
    this.#failedReports--
    this.#openAgain(id, content.length)
    return { id, content }
  }

  /** Removes failed reports; those that are gone already do not count. */
  stageRemoveFailed(batch: WriteBatch, ids: readonly number[]): number {
    const database = this.#deps.database()
    const removed = ids.filter((id) => database.get(numberKey(PREFIX.failed, id)) !== undefined)
    for (const id of removed) batch.delete(numberKey(PREFIX.failed, id))
    this.#failedReports -= removed.length
    return removed.length
  }

  /** Newest first. */
  async listFailed(limit: number): Promise<readonly FailedReport[]> {
    const entries = await this.#deps
      .database()
      .scan({ ...wholePrefix(PREFIX.failed), isReverse: true, limit })
    return entries.map(([key, value]) => {
      const { failedAtMs, failure, report } = decodeFailed(unseal(key, value))
      return { id: numberOfKey(key), login: report.login, text: report.text, failedAtMs, failure }
    })
  }

  /** Also when it may be on disk and it is not known yet. */
  isSegmentOpen(segment: number): boolean {
    return this.#open.has(segment) || this.#appended.has(segment)
  }

  /** Also when it may be on disk and it is not known yet. */
  isReportOpen(id: number): boolean {
    return this.#isOpen(id) || this.#appended.has(Math.floor(id / SLOTS))
  }

  /** Everything unfinished, in journal order, in portions. */
  *unfinished(): Generator<readonly HandedReport[]> {
    const reopened = [...this.#reopened.keys()].toSorted((a, b) => a - b)
    let portion: HandedReport[] = []
    let sizeBytes = 0
    for (const segment of [...this.#open.keys()].toSorted((a, b) => a - b)) {
      while (reopened[0] !== undefined && reopened[0] < segment * SLOTS)
        portion.push(this.#handReopened(reopened.shift()))
      for (const report of this.#handSegment(segment)) {
        portion.push(report)
        sizeBytes += report.content.length
      }
      if (sizeBytes < HAND_OVER_BYTES) continue
      yield portion
      portion = []
      sizeBytes = 0
    }
    for (const id of reopened) portion.push(this.#handReopened(id))
    if (portion.length > 0) yield portion.toSorted((a, b) => a.id - b.id)
  }

  finishAll(batch: WriteBatch): void {
    if (this.#touched.size === 0) return
    for (const segment of this.#touched) if (this.#open.get(segment)?.mask === 0) this.#open.delete(segment)
    const [lowest = this.#lowestToCome] = this.#open.keys()
    if (lowest > this.#openFrom) {
      this.#openFrom = lowest
      putNumbers(batch, OPEN_FROM, [lowest])
    }
    for (const segment of this.#touched) {
      const mask = this.#open.get(segment)?.mask ?? 0
      if (mask === 0 && segment < this.#openFrom) continue
      putMask(batch, segment, mask)
      this.#masked.add(segment)
    }
    this.#touched.clear()
    this.#dropMasks(batch)
  }

  appendsEnded(areWritten: boolean): void {
    for (const [segment, open] of areWritten ? this.#appended : []) this.#addOpen(segment, open)
    this.#appended.clear()
    this.#unwritten.clear()
  }

  /** No report that is not open yet is in a lower segment. */
  get #lowestToCome(): number {
    const [appended = this.#nextSegment] = this.#appended.keys()
    return appended
  }

  /** Masks of what is finished and below `#openFrom` say nothing any more. */
  #dropMasks(batch: WriteBatch): void {
    for (const segment of this.#masked) {
      if (segment >= this.#openFrom || this.#open.has(segment)) continue
      batch.delete(numberKey(PREFIX.open, segment))
      this.#masked.delete(segment)
    }
  }

  #addOpen(segment: number, open: OpenSegment): void {
    this.#open.set(segment, open)
    this.#backlogReports += open.sizes.length
    this.#backlogBytes += sum(open.sizes)
  }

  /** In ascending order. */
  async #loadSegments(database: Database): Promise<void> {
    const reports = this.#deps.reports()
    const masks = new Map<number, number>()
    for await (const page of database.pages(wholePrefix(PREFIX.open), PAGE)) {
      for (const [key, value] of page) masks.set(numberOfKey(key), maskOf(unseal(key, value)))
    }
    for (const [segment, mask] of masks) {
      this.#masked.add(segment)
      // Also where the reports themselves are lost: the mask would count for others with their number.
      this.#nextSegment = Math.max(this.#nextSegment, segment + 1)
      // The end of the reports can be lost with the power, unless they are synced, and then it was never acknowledged.
      if (segment < this.#openFrom && mask !== 0 && segment <= reports.lastSegment)
        this.#loadSegment(segment, mask)
    }
    for (const { file, index } of reports.from(this.#openFrom)) {
      const segment = file.table.segmentAt(index)
      const mask = masks.get(segment)
      if (mask !== 0) this.#loadSegment(segment, mask)
    }
  }

  /** @param known - which of its reports are unfinished; all when undefined */
  #loadSegment(segment: number, known: number | undefined): void {
    const content = this.#segmentContent(segment)
    const sizes = reportSizes(content)
    const mask = known ?? fullMask(sizes.length)
    this.#open.set(segment, { mask, sizes })
    for (const [slot, sizeBytes] of sizes.entries()) {
      if (!hasBit(mask, slot)) continue
      this.#backlogReports++
      this.#backlogBytes += sizeBytes
    }
  }

  #segmentContent(segment: number): Uint8Array {
    const unwritten = this.#unwritten.get(segment)
    if (unwritten !== undefined) return unwritten
    const stored = this.#deps.reports().read(segment)
    if (stored === undefined) {
      throw new TrackError(
        'TRK_STORE_DAMAGED',
        `reports ${segment * SLOTS} and following are unfinished but missing`,
      )
    }
    return stored
  }

  #isOpen(id: number): boolean {
    if (this.#reopened.has(id)) return true
    const open = this.#open.get(Math.floor(id / SLOTS))
    return open !== undefined && hasBit(open.mask, id % SLOTS)
  }

  #close(batch: WriteBatch, id: number): boolean {
    const reopenedBytes = this.#reopened.get(id)
    if (reopenedBytes !== undefined) {
      this.#reopened.delete(id)
      batch.delete(numberKey(PREFIX.reopened, id))
      this.#countClosed(reopenedBytes)
      return true
    }
    const segment = Math.floor(id / SLOTS)
    const slot = id % SLOTS
    const open = this.#open.get(segment)
    if (open === undefined || !hasBit(open.mask, slot)) return false
    open.mask = (open.mask & ~(1 << slot)) >>> 0
    this.#touched.add(segment)
    this.#countClosed(open.sizes[slot] ?? 0)
    return true
  }

  #countClosed(sizeBytes: number): void {
    this.#backlogReports--
    this.#backlogBytes -= sizeBytes
  }

  #openAgain(id: number, sizeBytes: number): void {
    this.#reopened.set(id, sizeBytes)
    this.#backlogReports++
    this.#backlogBytes += sizeBytes
  }

  #readOpen(id: number): ReportToAppend {
    if (!this.#reopened.has(id)) return readSlot(this.#segmentContent(Math.floor(id / SLOTS)), id % SLOTS)
    return decodeReopened(this.#deps.database(), id)
  }

  #handReopened(id = 0): HandedReport {
    return { id, content: encodeReport(decodeReopened(this.#deps.database(), id)) }
  }

  #handSegment(segment: number): readonly HandedReport[] {
    const mask = this.#open.get(segment)?.mask ?? 0
    return readSegment(this.#segmentContent(segment))
      .filter((report) => hasBit(mask, report.slot))
      .map((report) => ({ id: segment * SLOTS + report.slot, content: encodeReport(report) }))
  }
}

function decodeReopened(database: Database, id: number): ReportToAppend {
  const key = numberKey(PREFIX.reopened, id)
  const sealed = database.get(key)
  if (sealed === undefined)
    throw new TrackError('TRK_STORE_DAMAGED', `report ${id} is unfinished but missing`)
  return decodeReport(unseal(key, sealed))
}

/** All of a segment's reports are unfinished. */
export function fullMask(reports: number): number {
  return reports === SLOTS ? 0xffffffff : 2 ** reports - 1
}

export function putMask(batch: WriteBatch, segment: number, mask: number): void {
  const key = numberKey(PREFIX.open, segment)
  batch.put(key, seal(key, Uint8Array.of(mask >>> 24, mask >>> 16, mask >>> 8, mask)))
}

export function maskOf(content: Uint8Array): number {
  return new BinaryReader(content).uint32()
}

function hasBit(mask: number, slot: number): boolean {
  return ((mask >>> slot) & 1) === 1
}

function sum(sizes: Uint32Array): number {
  let total = 0
  for (const sizeBytes of sizes) total += sizeBytes
  return total
}
