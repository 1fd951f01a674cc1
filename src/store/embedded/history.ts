/**
 * Reports after they were run: queries, retention. Where they lie is the business of reports/report-log.ts. Store thread.
 *
 * An index finds by hash: what is found is compared with the login or address that was asked for.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { HistoryEntry, HistoryQuery, ReportToAppend } from '../store.ts'
import { BinaryReader } from './binary-reader.ts'
import { BinaryWriter } from './binary-writer.ts'
import type { Database } from './database.ts'
import { metaKey, SLOTS } from './keys.ts'
import { putNumbers, readNumbers } from './meta.ts'
import type { FileLimits, ReportLog, SegmentPlace } from './reports/report-log.ts'
import { readSegment, readSlot } from './segment.ts'
import type { WriteBatch } from './write-batch.ts'

/** The first segment that retention has not let go. */
const FROM = metaKey('history-from')
const MAX_RESULTS = 10_000
/** Segments that are read without letting others pass. */
const READS = 8
/** Entries of an index, most of them about segments that need not be read. */
const LOOKS = 2000
/** Clocks are set back: a scan over everything goes on for so long before it is sure that only older reports follow. */
const CLOCK_SLACK_MS = 3_600_000
/** So many files hold what is kept, about; and a file holds no more than this … */
const FILES = 64
const LARGEST_FILE_BYTES = 8 * 1024 * 1024
/** … nor less than this before it is full, and its reports come from this long a time at most. */
const SMALLEST_FILE_BYTES = 1024 * 1024
const FILE_SHARE_OF_AGE = 1 / 8
const SHORTEST_FILE_MS = 60_000

interface HistoryDeps {
  readonly database: () => Database
  readonly reports: () => ReportLog
  /** 0 for both keeps nothing that is done. */
  readonly keepMs: number
  readonly keepBytes: number
}

export class History {
  readonly #deps: HistoryDeps
  readonly #writer = new BinaryWriter()
  #keepMs: number
  #keepBytes: number
  /** No segment below is kept. */
  #from = 0
  /** Of segments below it whose file is still there. */
  #gone = { reports: 0, sizeBytes: 0 }

  constructor(deps: HistoryDeps) {
    this.#deps = deps
    this.#keepMs = deps.keepMs
    this.#keepBytes = deps.keepBytes
  }

  get reports(): number {
    return this.#deps.reports().kept.reports - this.#gone.reports
  }

  /** What the kept reports take, indexes not counted. */
  get sizeBytes(): number {
    return this.#deps.reports().kept.sizeBytes - this.#gone.sizeBytes
  }

  get isKept(): boolean {
    return this.#keepMs > 0 && this.#keepBytes > 0
  }

  /** When a file of reports is full: so early that one goes now and then as time passes. */
  get fileLimits(): FileLimits {
    const share = this.isKept ? this.#keepBytes / FILES : LARGEST_FILE_BYTES
    return {
      fileBytes: Math.min(LARGEST_FILE_BYTES, Math.max(SMALLEST_FILE_BYTES, share)),
      fileMs: Math.max(SHORTEST_FILE_MS, this.#keepMs * FILE_SHARE_OF_AGE),
    }
  }

  /** Of reports that come from here on, and of those that are kept when retention looks next. */
  keep(keepMs: number, keepBytes: number): void {
    this.#keepMs = keepMs
    this.#keepBytes = keepBytes
  }

  load(): void {
    this.#moveTo(readNumbers(this.#deps.database(), FROM)?.[0] ?? 0)
  }

  /** Matching reports, newest first, or oldest first from behind an id. */
  async query(query: HistoryQuery): Promise<readonly HistoryEntry[]> {
    const limit = Math.min(query.limit, MAX_RESULTS)
    const found: HistoryEntry[] = []
    if (limit <= 0) return found
    for await (const entry of this.#matching(query)) {
      found.push(entry)
      if (found.length >= limit) break
    }
    return found
  }

  #matching(query: HistoryQuery): AsyncGenerator<HistoryEntry> {
    if (query.afterId !== undefined) return this.#scanForward(query, query.afterId)
    return query.login === undefined && query.remote === undefined
      ? this.#scanBack(query)
      : this.#scanIndex(query)
  }

  /** Ids of a login's reports that are kept. */
  async idsOfLogin(login: string): Promise<readonly number[]> {
    const ids: number[] = []
    for await (const entry of this.#scanIndex({ login, limit: Infinity })) ids.push(entry.id)
    return ids
  }

  /** Empties these reports; their places stay. Those that are gone already do not count. */
  async erase(ids: readonly number[]): Promise<number> {
    return await this.#deps.reports().erase(slotsBySegment(ids))
  }

  /**
   * The first segment that is to be kept from now on: those before it are too old or too many, and done. A segment with a time
   * to come was received while the clock was wrong, and goes with what came after it.
   */
  firstKept(nowMs: number, isOpen: (segment: number) => boolean): number {
    let surplusBytes = this.isKept ? this.sizeBytes - this.#keepBytes : Infinity
    let from = this.#from
    for (const { file, index } of this.#deps.reports().from(from)) {
      const { table } = file
      const segment = table.segmentAt(index)
      if (isOpen(segment)) break
      const newestMs = table.newestMsAt(index)
      if (surplusBytes > 0 || table.reportsAt(index) === 0 || newestMs <= nowMs - this.#keepMs)
        from = segment + 1
      else if (newestMs <= nowMs + CLOCK_SLACK_MS) break
      if (table.reportsAt(index) > 0) surplusBytes -= table.sizeBytesAt(index)
    }
    return from
  }

  /** Lets go of everything before a segment; on disk it is until `removeFiles`. */
  stageFrom(batch: WriteBatch, from: number): void {
    if (from <= this.#from) return
    putNumbers(batch, FROM, [from])
    this.#moveTo(from)
  }

  /** Once that is on disk. */
  async removeFiles(): Promise<void> {
    await this.#deps.reports().removeBefore(this.#from)
    this.#moveTo(this.#from)
  }

  #moveTo(from: number): void {
    this.#from = from
    const gone = { reports: 0, sizeBytes: 0 }
    for (const { file, index } of this.#deps.reports().from(0)) {
      const { table } = file
      if (table.segmentAt(index) >= from) break
      gone.reports += table.reportsAt(index)
      if (table.reportsAt(index) > 0) gone.sizeBytes += table.sizeBytesAt(index)
    }
    this.#gone = gone
  }

  async *#scanIndex(query: HistoryQuery): AsyncGenerator<HistoryEntry> {
    const [kind, text] =
      query.login === undefined
        ? (['address', query.remote ?? ''] as const)
        : (['login', query.login] as const)
    const reports = this.#deps.reports()
    let reads = 0
    let looks = 0
    for await (const { id, success } of reports.find(kind, this.#hashOf(text))) {
      const segment = Math.floor(id / SLOTS)
      if (segment < this.#from) return
      if (++looks % LOOKS === 0) await nextTurn()
      if (query.success !== undefined && success !== query.success) continue
      const place = reports.placeOf(segment)
      if (place === undefined || !mayMatch(place, query)) continue
      if (++reads % READS === 0) await nextTurn()
      const found = this.#entry(id, query)
      if (found !== undefined) yield found
    }
  }

  #entry(id: number, query: HistoryQuery): HistoryEntry | undefined {
    const stored = this.#deps.reports().read(Math.floor(id / SLOTS))
    if (stored === undefined) return undefined
    const report = readSlot(stored, id % SLOTS)
    if (report.isErased || !matches(report, query)) return undefined
    return { id, receivedAtMs: report.receivedAtMs, text: report.text }
  }

  async *#scanBack(query: HistoryQuery): AsyncGenerator<HistoryEntry> {
    let reads = 0
    for (const place of this.#deps.reports().backTo(this.#from)) {
      const { table } = place.file
      if (query.sinceMs !== undefined && table.newestMsAt(place.index) < query.sinceMs - CLOCK_SLACK_MS)
        return
      if (table.reportsAt(place.index) === 0 || !mayMatch(place, query)) continue
      if (++reads % READS === 0) await nextTurn()
      yield* this.#entriesOf(place, query).toReversed()
    }
  }

  /** For those who want all: whatever else the query asks for, every report behind the id is looked at. */
  async *#scanForward(query: HistoryQuery, afterId: number): AsyncGenerator<HistoryEntry> {
    let reads = 0
    const first = Math.max(this.#from, Math.floor((afterId + 1) / SLOTS))
    for (const place of this.#deps.reports().from(first)) {
      if (place.file.table.reportsAt(place.index) === 0 || !mayMatch(place, query)) continue
      if (++reads % READS === 0) await nextTurn()
      for (const entry of this.#entriesOf(place, query)) if (entry.id > afterId) yield entry
    }
  }

  /** Of one segment, in the order of their ids. */
  #entriesOf({ file, index }: SegmentPlace, query: HistoryQuery): readonly HistoryEntry[] {
    const segment = file.table.segmentAt(index)
    // Retention may have removed the file meanwhile.
    const stored = this.#deps.reports().read(segment)
    if (stored === undefined) return []
    return readSegment(stored)
      .filter((report) => matches(report, query))
      .map(({ slot, receivedAtMs, text }) => ({ id: segment * SLOTS + slot, receivedAtMs, text }))
  }

  /** As of the text in a segment. */
  #hashOf(text: string): number {
    return new BinaryReader(this.#writer.reset().text(text).view()).textHash()
  }
}

/** Whether a segment may have reports of the time that is asked for; the reports themselves decide. */
function mayMatch({ file: { table }, index }: SegmentPlace, query: HistoryQuery): boolean {
  return (
    (query.sinceMs === undefined || table.newestMsAt(index) >= query.sinceMs) &&
    (query.untilMs === undefined || table.oldestMsAt(index) < query.untilMs)
  )
}

function matches(report: ReportToAppend, query: HistoryQuery): boolean {
  return (
    isWanted(report, query) &&
    (query.login === undefined || report.login === query.login) &&
    (query.remote === undefined || report.remote === query.remote)
  )
}

function isWanted(report: Pick<ReportToAppend, 'success' | 'receivedAtMs'>, query: HistoryQuery): boolean {
  return (
    (query.success === undefined || report.success === query.success) &&
    (query.sinceMs === undefined || report.receivedAtMs >= query.sinceMs) &&
    (query.untilMs === undefined || report.receivedAtMs < query.untilMs)
  )
}

function slotsBySegment(ids: readonly number[]): ReadonlyMap<number, ReadonlySet<number>> {
  const bySegment = new Map<number, Set<number>>()
  for (const id of ids) {
    const segment = Math.floor(id / SLOTS)
    const slots = bySegment.get(segment) ?? new Set()
    slots.add(id % SLOTS)
    bySegment.set(segment, slots)
  }
  return bySegment
}
