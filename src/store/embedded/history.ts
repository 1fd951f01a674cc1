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
import type { Participant } from './write-jobs.ts'

/** Of databases from before the next two. */
const COUNTED_AT_FIRST = metaKey('history')
/** Appends and changes are written in batches of their own, so each has its own count, which only grows. */
const ADDED = metaKey('history-added')
const REMOVED = metaKey('history-removed')
const MAX_RESULTS = 10_000
/** Index entries, or segments, that are looked at without letting batches pass. */
const INDEX_PAGE = 64
const SEGMENT_PAGE = 8
/** Clocks are set back: a scan over everything goes on for so long before it is sure that only older reports follow. */
const CLOCK_SLACK_MS = 3_600_000

interface Amount {
  readonly reports: number
  readonly sizeBytes: number
}

const NOTHING: Amount = { reports: 0, sizeBytes: 0 }

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
  #countedAtFirst = NOTHING
  #added = NOTHING
  /** Added by the batch of appends that is being written. */
  #appended = NOTHING
  #removed = NOTHING
  #hasRemoved = false

  constructor(deps: HistoryDeps) {
    this.#deps = deps
    this.#keepMs = deps.keepMs
    this.#keepBytes = deps.keepBytes
  }

  get reports(): number {
    return this.#countedAtFirst.reports + this.#added.reports - this.#removed.reports
  }

  /** What the kept reports take, indexes not counted. */
  get sizeBytes(): number {
    return this.#countedAtFirst.sizeBytes + this.#added.sizeBytes - this.#removed.sizeBytes
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
    this.#countedAtFirst = readAmount(database, COUNTED_AT_FIRST)
    this.#added = readAmount(database, ADDED)
    this.#removed = readAmount(database, REMOVED)
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
    this.#appended = sumOf(this.#appended, { reports: content[0] ?? 0, sizeBytes: sealed.length })
    return sealed.length
  }

  /** Removes a segment that no index names, once all of its reports are done. */
  stageRemoveUnindexed(batch: WriteBatch, segment: number, reports: number, sizeBytes: number): void {
    batch.delete(numberKey(PREFIX.segment, segment))
    this.#countRemoved({ reports, sizeBytes })
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
      this.#countRemoved({ reports: gone.length, sizeBytes: sealed.length - rest.length })
      erased += gone.length
    }
    return erased
  }

  /** Oldest segments that retention lets go, at most a few; `from` is where the last call ended. */
  async expiredSegments(nowMs: number, from: number): Promise<readonly Entry[]> {
    let surplusBytes = this.sizeBytes - this.#keepBytes
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
    this.#countRemoved({ reports: entries.length, sizeBytes: sealed.length })
  }

  finishAll(batch: WriteBatch): void {
    if (this.#hasRemoved) putAmount(batch, REMOVED, this.#removed)
    this.#hasRemoved = false
  }

  finishAppends(batch: WriteBatch): void {
    if (this.#appended.reports > 0) putAmount(batch, ADDED, sumOf(this.#added, this.#appended))
  }

  appendsEnded(areWritten: boolean): void {
    if (areWritten) this.#added = sumOf(this.#added, this.#appended)
    this.#appended = NOTHING
  }

  #countRemoved(amount: Amount): void {
    this.#removed = sumOf(this.#removed, amount)
    this.#hasRemoved = true
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

function readAmount(database: Database, key: Uint8Array): Amount {
  const [reports = 0, sizeBytes = 0] = readNumbers(database, key) ?? []
  return { reports, sizeBytes }
}

function putAmount(batch: WriteBatch, key: Uint8Array, { reports, sizeBytes }: Amount): void {
  putNumbers(batch, key, [reports, sizeBytes])
}

function sumOf(one: Amount, other: Amount): Amount {
  return { reports: one.reports + other.reports, sizeBytes: one.sizeBytes + other.sizeBytes }
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
