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
import { seal, SEAL_BYTES, unseal } from './sealed-value.ts'
import { isIndexed, readSegment, readSlot, reportSizes } from './segment.ts'
import type { WriteBatch } from './write-batch.ts'
import type { Participant } from './write-jobs.ts'

const NEXT_SEGMENT = metaKey('next-segment')
/** Reports that are handed over at once after a restart. */
const HAND_OVER_BYTES = 1024 * 1024
const PAGE = 256

interface OpenSegment {
  /** Bit n is set while the report in slot n is unfinished. */
  mask: number
  readonly sizes: Uint32Array
  /** What the whole segment takes on disk. */
  readonly storedBytes: number
  readonly isIndexed: boolean
}

interface JournalDeps {
  readonly database: () => Database
  readonly history: History
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
  #hasAppended = false
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
    this.#nextSegment = readNumbers(database, NEXT_SEGMENT)?.[0] ?? 1
    for await (const page of database.pages(wholePrefix(PREFIX.open), PAGE)) {
      for (const [key, value] of page) this.#loadSegment(numberOfKey(key), maskOf(unseal(key, value)))
    }
    for await (const page of database.pages(wholePrefix(PREFIX.reopened), PAGE)) {
      for (const [key, value] of page) this.#openAgain(numberOfKey(key), value.length)
    }
    for await (const page of database.pages(wholePrefix(PREFIX.failed), PAGE))
      this.#failedReports += page.length
  }

  stageAppend(batch: WriteBatch, message: AppendMessage): void {
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
      if (this.#open.has(segment)) continue
      const mask = count === SLOTS ? 0xffffffff : 2 ** count - 1
      const storedBytes = this.#deps.history.stageSegment(batch, segment, content)
      putMask(batch, segment, mask)
      const open = { mask, sizes, storedBytes, isIndexed: this.#deps.history.isKept }
      if (this.#deps.opensWhenStaged) {
        this.#addOpen(segment, open)
        this.#unwritten.set(segment, content)
      } else {
        this.#appended.set(segment, open)
      }
      this.#hasAppended = true
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
    for (const segment of this.#touched) {
      const open = this.#open.get(segment)
      if (open === undefined) continue
      if (open.mask === 0) {
        this.#open.delete(segment)
        batch.delete(numberKey(PREFIX.open, segment))
        if (!open.isIndexed)
          this.#deps.history.stageRemoveUnindexed(batch, segment, open.sizes.length, open.storedBytes)
      } else {
        putMask(batch, segment, open.mask)
      }
    }
    this.#touched.clear()
  }

  finishAppends(batch: WriteBatch): void {
    if (this.#hasAppended) putNumbers(batch, NEXT_SEGMENT, [this.#nextSegment])
    this.#hasAppended = false
  }

  appendsEnded(areWritten: boolean): void {
    for (const [segment, open] of areWritten ? this.#appended : []) this.#addOpen(segment, open)
    this.#appended.clear()
    this.#unwritten.clear()
  }

  #addOpen(segment: number, open: OpenSegment): void {
    this.#open.set(segment, open)
    this.#backlogReports += open.sizes.length
    this.#backlogBytes += sum(open.sizes)
  }

  #loadSegment(segment: number, mask: number): void {
    const content = this.#segmentContent(segment)
    const sizes = reportSizes(content)
    this.#open.set(segment, {
      mask,
      sizes,
      storedBytes: content.length + SEAL_BYTES,
      isIndexed: isIndexed(content),
    })
    for (const [slot, sizeBytes] of sizes.entries()) {
      if (!hasBit(mask, slot)) continue
      this.#backlogReports++
      this.#backlogBytes += sizeBytes
    }
  }

  #segmentContent(segment: number): Uint8Array {
    const unwritten = this.#unwritten.get(segment)
    if (unwritten !== undefined) return unwritten
    const key = numberKey(PREFIX.segment, segment)
    const sealed = this.#deps.database().get(key)
    if (sealed === undefined) {
      throw new TrackError(
        'TRK_STORE_DAMAGED',
        `reports ${segment * SLOTS} and following are unfinished but missing`,
      )
    }
    return unseal(key, sealed)
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

function putMask(batch: WriteBatch, segment: number, mask: number): void {
  const key = numberKey(PREFIX.open, segment)
  batch.put(key, seal(key, Uint8Array.of(mask >>> 24, mask >>> 16, mask >>> 8, mask)))
}

function maskOf(content: Uint8Array): number {
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
