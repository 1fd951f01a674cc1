/**
 * Reports after they were run: indexes by login and by address, queries, retention. Store thread.
 *
 * An index entry holds what a query filters by, so that only reports that match are read. Two logins with one hash share
 * a part of the index: what is found is compared with the login that was asked for.
 */
import type { HistoryEntry, HistoryQuery, ReportToAppend } from '../store.ts'
import { BinaryReader } from './binary-reader.ts'
import { BinaryWriter } from './binary-writer.ts'
import type { Database, Entry } from './database.ts'
import type { Participant } from './group-commit.ts'
import {
  eraOf,
  historyRange,
  idOfHistoryKey,
  MAX_NUMBER,
  metaKey,
  numberKey,
  numberOfKey,
  PREFIX,
  SLOTS,
  wholePrefix,
} from './keys.ts'
import { putNumbers, readNumbers } from './meta.ts'
import { seal, unseal } from './sealed-value.ts'
import {
  eraseSlots,
  isIndexed,
  readEntries,
  readSegment,
  readSlot,
  type SegmentReport,
  storedForm,
} from './segment.ts'
import { readIndexValue, stageIndexes } from './segment-index.ts'
import { textHash } from './text-hash.ts'
import type { WriteBatch } from './write-batch.ts'

const COUNTERS = metaKey('history')
const MAX_RESULTS = 10_000
/** Index entries, or segments, that are looked at without letting batches pass. */
const INDEX_PAGE = 64
const SEGMENT_PAGE = 8
/** Clocks are set back: a scan over everything goes on for so long before it is sure that only older reports follow. */
const CLOCK_SLACK_MS = 3_600_000

interface HistoryDeps {
  readonly database: () => Database
  /** 0 for both keeps nothing that is done. */
  readonly keepMs: number
  readonly keepBytes: number
}

export class History implements Participant {
  readonly #deps: HistoryDeps
  readonly #writer = new BinaryWriter()
  #keepMs: number
  #keepBytes: number
  /** No segment is older; where queries end. */
  #oldestSegment = 0
  /** No segment is newer; -1 while there was none. */
  #newestSegment = -1
  #reports = 0
  #sizeBytes = 0
  #appendedReports = 0
  #appendedBytes = 0
  #hasChanged = false

  constructor(deps: HistoryDeps) {
    this.#deps = deps
    this.#keepMs = deps.keepMs
    this.#keepBytes = deps.keepBytes
  }

  get reports(): number {
    return this.#reports
  }

  /** What the kept reports take, indexes not counted. */
  get sizeBytes(): number {
    return this.#sizeBytes
  }

  get isKept(): boolean {
    return this.#keepMs > 0 && this.#keepBytes > 0
  }

  /** Of reports that come from here on, and of those that are kept when retention looks next. */
  keep(keepMs: number, keepBytes: number): void {
    this.#keepMs = keepMs
    this.#keepBytes = keepBytes
  }

  async load(): Promise<void> {
    const database = this.#deps.database()
    const [reports = 0, sizeBytes = 0] = readNumbers(database, COUNTERS) ?? []
    this.#reports = reports
    this.#sizeBytes = sizeBytes
    const whole = wholePrefix(PREFIX.segment)
    const [oldest] = await database.scan({ ...whole, limit: 1 })
    const [newest] = await database.scan({ ...whole, limit: 1, isReverse: true })
    if (oldest !== undefined) this.#oldestSegment = numberOfKey(oldest[0])
    if (newest !== undefined) this.#newestSegment = numberOfKey(newest[0])
  }

  /** Adds a segment, and its index entries if history is kept; the bytes that it takes. */
  stageSegment(batch: WriteBatch, segment: number, content: Uint8Array): number {
    if (this.isKept) stageIndexes(batch, segment, readEntries(content), 'put')
    const key = numberKey(PREFIX.segment, segment)
    const sealed = seal(key, storedForm(content, { isIndexed: this.isKept }))
    batch.put(key, sealed)
    if (this.#newestSegment === -1) this.#oldestSegment = segment
    this.#newestSegment = Math.max(this.#newestSegment, segment)
    this.#appendedReports += content[0] ?? 0
    this.#appendedBytes += sealed.length
    return sealed.length
  }

  /** Removes a segment that no index names, once all of its reports are done. */
  stageRemoveUnindexed(batch: WriteBatch, segment: number, reports: number, sizeBytes: number): void {
    batch.delete(numberKey(PREFIX.segment, segment))
    this.#count(-reports, -sizeBytes)
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
      ? this.#scanAll(query)
      : this.#scanIndex(query)
  }

  /** Ids of a login's reports that are kept. */
  async idsOfLogin(login: string): Promise<readonly number[]> {
    const ids: number[] = []
    for await (const entry of this.#scanIndex({ login, limit: Infinity })) ids.push(entry.id)
    return ids
  }

  /** Empties these reports; their places stay. Those that are gone already do not count. */
  stageErase(batch: WriteBatch, ids: readonly number[]): number {
    let erased = 0
    for (const [segment, slots] of slotsBySegment(ids)) {
      const key = numberKey(PREFIX.segment, segment)
      const sealed = this.#deps.database().get(key)
      if (sealed === undefined) continue
      const content = unseal(key, sealed)
      const gone = readEntries(content).filter((entry) => slots.has(entry.slot))
      const rest = seal(key, eraseSlots(content, slots))
      batch.put(key, rest)
      stageIndexes(batch, segment, gone, 'delete')
      this.#count(-gone.length, rest.length - sealed.length)
      erased += gone.length
    }
    return erased
  }

  /** Oldest segments that retention lets go, at most a few; `from` is where the last call ended. */
  async expiredSegments(nowMs: number, from: number): Promise<readonly Entry[]> {
    let surplusBytes = this.#sizeBytes - this.#keepBytes
    // LevelDB keeps removed keys for a while: do not pass over those of all earlier calls.
    const begin = Math.max(from, this.#oldestSegment)
    const range = { from: numberKey(PREFIX.segment, begin), to: numberKey(PREFIX.segment, MAX_NUMBER) }
    const entries = await this.#deps.database().scan({ ...range, limit: SEGMENT_PAGE })
    const [oldest] = entries
    if (begin === this.#oldestSegment && oldest !== undefined) this.#oldestSegment = numberOfKey(oldest[0])
    return entries.filter(([key, sealed]) => {
      const isSurplus = surplusBytes > 0
      surplusBytes -= sealed.length
      return isSurplus || newestOf(unseal(key, sealed)) <= nowMs - this.#keepMs
    })
  }

  /** Removes a whole segment with its index entries; nothing when it is gone already. */
  stageRemove(batch: WriteBatch, segment: number): void {
    const key = numberKey(PREFIX.segment, segment)
    const sealed = this.#deps.database().get(key)
    if (sealed === undefined) return
    const content = unseal(key, sealed)
    const entries = readEntries(content)
    batch.delete(key)
    if (isIndexed(content)) stageIndexes(batch, segment, entries, 'delete')
    this.#count(-entries.length, -sealed.length)
  }

  finishAll(batch: WriteBatch): void {
    if (this.#hasChanged) putNumbers(batch, COUNTERS, [this.#reports, this.#sizeBytes])
    this.#hasChanged = false
  }

  finishAppends(batch: WriteBatch): void {
    if (this.#appendedReports === 0) return
    putNumbers(batch, COUNTERS, [
      this.#reports + this.#appendedReports,
      this.#sizeBytes + this.#appendedBytes,
    ])
  }

  written(withAppends: boolean): void {
    if (withAppends) {
      this.#reports += this.#appendedReports
      this.#sizeBytes += this.#appendedBytes
    }
    this.#appendedReports = 0
    this.#appendedBytes = 0
  }

  #count(reports: number, sizeBytes: number): void {
    this.#reports += reports
    this.#sizeBytes += sizeBytes
    this.#hasChanged = true
  }

  async *#scanIndex(query: HistoryQuery): AsyncGenerator<HistoryEntry> {
    const [index, text] =
      query.login === undefined
        ? (['address', query.remote ?? ''] as const)
        : (['login', query.login] as const)
    const hash = textHash(this.#bytesOf(text))
    const oldest = eraOf(this.#oldestSegment * SLOTS)
    for (let era = eraOf(this.#newestSegment * SLOTS); era >= oldest; era--) {
      const range = historyRange(index, hash, era)
      for await (const page of this.#deps.database().pages(range, INDEX_PAGE)) {
        for (const [key, value] of page) {
          const found = indexMatches(value, query) ? this.#entry(idOfHistoryKey(key), query) : undefined
          if (found !== undefined) yield found
        }
      }
    }
  }

  #entry(id: number, query: HistoryQuery): HistoryEntry | undefined {
    const report = this.#read(id)
    if (report === undefined || !matches(report, query)) return undefined
    return { id, receivedAtMs: report.receivedAtMs, text: report.text }
  }

  async *#scanAll(query: HistoryQuery): AsyncGenerator<HistoryEntry> {
    const range = { ...wholePrefix(PREFIX.segment), isReverse: true }
    for await (const page of this.#deps.database().pages(range, SEGMENT_PAGE)) {
      for (const [key, sealed] of page) {
        const content = unseal(key, sealed)
        if (query.sinceMs !== undefined && newestOf(content) < query.sinceMs - CLOCK_SLACK_MS) return
        for (const report of readSegment(content).toReversed())
          if (matches(report, query)) yield entryOf(key, report)
      }
    }
  }

  /** For those who want all: whatever else the query asks for, every report behind the id is looked at. */
  async *#scanForward(query: HistoryQuery, afterId: number): AsyncGenerator<HistoryEntry> {
    const from = numberKey(PREFIX.segment, Math.floor((afterId + 1) / SLOTS))
    const range = { from, to: numberKey(PREFIX.segment, MAX_NUMBER) }
    for await (const page of this.#deps.database().pages(range, SEGMENT_PAGE)) {
      for (const [key, sealed] of page) {
        for (const report of readSegment(unseal(key, sealed))) {
          const entry = entryOf(key, report)
          if (entry.id > afterId && matches(report, query)) yield entry
        }
      }
    }
  }

  #read(id: number): ReportToAppend | undefined {
    const key = numberKey(PREFIX.segment, Math.floor(id / SLOTS))
    const sealed = this.#deps.database().get(key)
    if (sealed === undefined) return undefined
    const { isErased, ...report } = readSlot(unseal(key, sealed), id % SLOTS)
    return isErased ? undefined : report
  }

  /** As a segment holds the text. */
  #bytesOf(text: string): Uint8Array {
    return new BinaryReader(this.#writer.reset().text(text).copy()).textBytes()
  }
}

function entryOf(key: Uint8Array, { slot, receivedAtMs, text }: SegmentReport): HistoryEntry {
  return { id: numberOfKey(key) * SLOTS + slot, receivedAtMs, text }
}

/** Whether a report may match; the report itself decides. */
function indexMatches(value: Uint8Array, query: HistoryQuery): boolean {
  const { success, fromMs, untilMs } = readIndexValue(value)
  return (
    (query.success === undefined || success === query.success) &&
    (query.sinceMs === undefined || untilMs > query.sinceMs) &&
    (query.untilMs === undefined || fromMs < query.untilMs)
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

function newestOf(content: Uint8Array): number {
  return readEntries(content).reduce((newest, entry) => Math.max(newest, entry.receivedAtMs), -Infinity)
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
