/**
 * Starts anew from a damaged database: it is set aside, never deleted, and whatever of it is provably intact is taken
 * over. Store thread, before the database is opened; runs only when the operator asked for it.
 */
import { Buffer } from 'node:buffer'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { messageOf, TrackError } from '../../errors.ts'
import { Database, type Entry } from './database.ts'
import { fullMask, maskOf, NEXT_SEGMENT, OPEN_FROM, putMask } from './journal.ts'
import {
  chunkKey,
  databaseKey,
  expiryKey,
  metaKey,
  numberKey,
  numberOfKey,
  partsOfDatabaseKey,
  PREFIX,
  SLOTS,
  wholePrefix,
} from './keys.ts'
import { putNumbers, readNumbers } from './meta.ts'
import { OLD_SEGMENTS, putNewestVersion } from './migrations.ts'
import { finishErasing } from './reports/erasing.ts'
import { ReportBatch } from './reports/report-batch.ts'
import { reportFiles, ReportLog, reportsDirectory } from './reports/report-log.ts'
import { findRecords } from './reports/scan-records.ts'
import { isIntact, unseal } from './sealed-value.ts'
import { SalvagedAlerts } from './salvaged-alerts.ts'
import { copySound } from './sound-copy.ts'
import { decodeRow } from './row-value.ts'
import { WriteBatch } from './write-batch.ts'

const PAGE = 256
/** Numbers that may have been given to reports or messages which are lost are not given again. */
const SKIPPED_NUMBERS = 1_000_000

/** What became of a damaged database. */
export interface Salvage {
  /** Where the damaged database is now. */
  readonly setAside: string
  /** Why it was set aside. */
  readonly damage: string
  /** Records taken over. */
  readonly kept: number
  /** Records that were found and are not what was written; of the database a block of a table or a write counts as one. */
  readonly dropped: number
  /** Why not everything could be read; undefined when every file could. */
  readonly failure: string | undefined
}

/** Of a file that reports are taken over to. */
const FILE_LIMITS = { fileBytes: 16 * 1024 * 1024, fileMs: Infinity }
/** The first are those of old versions, in the order of their numbers. */
const SEGMENT_KINDS = OLD_SEGMENTS.toReversed()

/** Kinds that are taken over as they are; indexes and counters are made anew. */
const KINDS = [
  PREFIX.open,
  PREFIX.failed,
  PREFIX.reopened,
  PREFIX.messageBody,
  PREFIX.messageState,
  PREFIX.deadState,
  PREFIX.chunk,
  PREFIX.row,
  PREFIX.alert,
  PREFIX.alertEvidence,
  PREFIX.alertChange,
  PREFIX.alertGroup,
  PREFIX.notification,
  PREFIX.silence,
  PREFIX.mail,
] as const

/**
 * Sets the directory aside under a name with the time in it and leaves a sound database in its place, with everything
 * whose checksums are right. The sound one takes the place when it is whole: until then a crash leaves the damaged one where
 * it is.
 *
 * @param utcTime - for the name, e.g. `20261121T080000Z`
 * @throws TrackError TRK_STORE_FAILED when the sound one cannot be made, e.g. for want of room; nothing is changed then.
 */
export async function salvage(directory: string, damage: string, utcTime: string): Promise<Salvage> {
  const setAside = `${directory}.damaged-${utcTime}`
  const copy = `${directory}.repairing`
  const sound = soundOf(directory)
  const removeBoth = (): void => {
    for (const each of [copy, sound]) rmSync(each, { recursive: true, force: true })
  }
  removeBoth()
  try {
    const result = await fillSound(directory, copy, sound)
    rmSync(copy, { recursive: true, force: true })
    renameSync(directory, setAside)
    renameSync(sound, directory)
    return { setAside, damage, ...result }
  } catch (error) {
    if (existsSync(directory)) removeBoth()
    throw new TrackError(
      'TRK_STORE_FAILED',
      `${directory} is damaged (${damage}), and what is intact of it cannot be taken over: ${messageOf(error)}`,
      { cause: error },
    )
  }
}

/** Makes a database in `sound` with everything that is intact; `copy` is left over. */
async function fillSound(
  directory: string,
  copy: string,
  sound: string,
): Promise<Pick<Salvage, 'kept' | 'dropped' | 'failure'>> {
  mkdirSync(sound, { mode: 0o700 })
  const fresh = await Database.open(sound)
  try {
    const reports = await ReportLog.open(sound, () => FILE_LIMITS)
    try {
      const state = new SalvageState(reports)
      const failures = [
        await takeReports(reportsDirectory(directory), state),
        await takeDatabase(directory, copy, fresh, state),
      ]
      await state.finish(fresh)
      return {
        kept: state.kept,
        dropped: state.dropped,
        failure: failures.findLast((each) => each !== undefined),
      }
    } finally {
      await reports.close()
    }
  } finally {
    await fresh.close()
  }
}

/** A crash may have come between the last two steps: then nothing is in the place, and the sound database is whole. */
export function finishSalvage(directory: string): void {
  if (!existsSync(directory) && existsSync(soundOf(directory))) renameSync(soundOf(directory), directory)
}

function soundOf(directory: string): string {
  return `${directory}.salvaged`
}

/** Copies the intact records of all report files; says what could not be read. */
async function takeReports(directory: string, state: SalvageState): Promise<string | undefined> {
  if (!existsSync(directory)) return undefined
  let failure: string | undefined
  await finishErasing(directory)
  for (const name of reportFiles(directory)) {
    let file
    try {
      file = readFileSync(join(directory, name))
    } catch (error) {
      failure = messageOf(error)
      continue
    }
    await state.takeFile(file)
  }
  return failure
}

/** Copies what is intact in the database; says what could not be read. */
async function takeDatabase(
  directory: string,
  copy: string,
  to: Database,
  state: SalvageState,
): Promise<string | undefined> {
  const copied = copySound(directory, copy)
  state.dropped += copied.damagedParts
  if (copied.files === 0) return copied.failure ?? 'no table and no log of the database is left'
  await ClassicLevel.repair(copy)
  const repaired = await Database.open(copy)
  try {
    for (const kind of SEGMENT_KINDS) {
      for await (const page of repaired.pages(wholePrefix(kind), PAGE)) await state.takeOldSegments(page)
    }
    await state.noteOpenFrom(repaired)
    for (const kind of KINDS) {
      for await (const page of repaired.pages(wholePrefix(kind), PAGE)) {
        const batch = new WriteBatch()
        for (const entry of page) state.take(batch, kind, entry)
        await to.write(batch, false)
      }
    }
  } finally {
    await repaired.close()
  }
  return copied.failure
}

/** Counts and relations over all records. */
class SalvageState {
  kept = 0
  dropped = 0
  readonly #log: ReportLog
  /** Reports of each segment. */
  readonly #segments = new Map<number, number>()
  readonly #masked = new Set<number>()
  /** From here on segments without a mask are unfinished; undefined when nobody knows. */
  #openFrom: number | undefined
  readonly #bodies = new Set<number>()
  /** Of rows that are taken later; of a row that is not, its chunks stay behind and are never read. */
  readonly #chunks = new Set<string>()
  readonly #rows = new Map<string, number>()
  #highestSegment = 0
  #highestTaken = 0
  #highestMessage = 0
  readonly #alerts = new SalvagedAlerts()

  constructor(log: ReportLog) {
    this.#log = log
  }

  /** What is intact of a report file. */
  async takeFile(file: Uint8Array): Promise<void> {
    const batch = new ReportBatch()
    for (const record of findRecords(file)) {
      if (record === undefined) this.dropped++
      else
        this.#takeSegment(batch, record.head.segment, unseal(segmentKey(record.head.segment), record.sealed))
    }
    await this.#log.append(batch, true)
  }

  /** Segments that an old version kept in the database. */
  async takeOldSegments(page: readonly Entry[]): Promise<void> {
    const batch = new ReportBatch()
    for (const [key, value] of page) {
      if (isIntact(key, value)) this.#takeSegment(batch, numberOfKey(key), unseal(key, value))
      else this.dropped++
    }
    await this.#log.append(batch, true)
  }

  /** Unknown, only those with a mask count as unfinished: better that a few are not run than that all are run twice. */
  async noteOpenFrom(from: Database): Promise<void> {
    // A scan: after a repair LevelDB's reads of one key may come across an older value first, its scans do not.
    const [entry] = await from.scan({ ...onlyKey(OPEN_FROM), limit: 1 })
    if (entry === undefined) return
    const [key, value] = entry
    if (isIntact(key, value)) this.#openFrom = readNumbers({ get: () => value }, key)?.[0]
    else this.dropped++
  }

  take(batch: WriteBatch, kind: (typeof KINDS)[number], [key, value]: Entry): void {
    if (!isIntact(key, value) || !this.#belongs(kind, key, value)) {
      this.dropped++
      return
    }
    this.kept++
    if (kind === PREFIX.open) {
      this.#takeMask(batch, numberOfKey(key), maskOf(unseal(key, value)))
      return
    }
    batch.put(key, value)
    if (kind === PREFIX.failed || kind === PREFIX.reopened)
      this.#noteSegment(Math.floor(numberOfKey(key) / SLOTS))
    else if (kind === PREFIX.messageBody) this.#takeBody(key)
    else if (kind === PREFIX.chunk) this.#chunks.add(nameOf(key))
    else if (kind === PREFIX.row) this.#takeRow(batch, key, value)
    else this.#alerts.take(batch, key, value)
  }

  /** Counters, on disk for good with everything before them. */
  async finish(to: Database): Promise<void> {
    const batch = new WriteBatch()
    putNewestVersion(batch)
    const next = this.#highestSegment + SKIPPED_NUMBERS
    putNumbers(batch, NEXT_SEGMENT, [next])
    putNumbers(batch, OPEN_FROM, [next])
    for (const [segment, reports] of this.#segments) {
      const isOpen = segment >= (this.#openFrom ?? Infinity) && !this.#masked.has(segment)
      if (isOpen) putMask(batch, segment, fullMask(reports))
    }
    putNumbers(batch, metaKey('next-message'), [this.#highestMessage + SKIPPED_NUMBERS])
    this.#alerts.finish(batch, SKIPPED_NUMBERS)
    for (const [database, rows] of this.#rows)
      putNumbers(batch, databaseKey(PREFIX.rowCount, database), [rows])
    await to.write(batch, true)
  }

  /** A mask without its reports, a state without its message, or a row without its chunks is of no use. */
  #belongs(kind: (typeof KINDS)[number], key: Uint8Array, value: Uint8Array): boolean {
    if (kind === PREFIX.row) {
      const { database, key: row } = partsOfDatabaseKey(key)
      const { chunkNames } = decodeRow(key, value)
      return chunkNames.every((name) => this.#chunks.has(nameOf(chunkKey(database, row, name))))
    }
    if (kind === PREFIX.open) return this.#segments.has(numberOfKey(key))
    if (kind === PREFIX.messageState || kind === PREFIX.deadState) return this.#bodies.has(numberOfKey(key))
    return true
  }

  /** They come in ascending order; what is out of it is a leftover. */
  #takeSegment(batch: ReportBatch, segment: number, stored: Uint8Array): void {
    if (segment <= this.#highestTaken) return
    this.#highestTaken = segment
    this.kept++
    batch.addStored(segment, stored)
    this.#segments.set(segment, stored[0] ?? 0)
    this.#noteSegment(segment)
  }

  #takeMask(batch: WriteBatch, segment: number, mask: number): void {
    this.#masked.add(segment)
    if (mask !== 0) putMask(batch, segment, mask)
  }

  #takeBody(key: Uint8Array): void {
    const id = numberOfKey(key)
    this.#bodies.add(id)
    this.#highestMessage = Math.max(this.#highestMessage, id)
  }

  #takeRow(batch: WriteBatch, key: Uint8Array, value: Uint8Array): void {
    const parts = partsOfDatabaseKey(key)
    batch.put(expiryKey(parts.database, decodeRow(key, value).expiresAtMs, parts.key), new Uint8Array(0))
    this.#rows.set(parts.database, (this.#rows.get(parts.database) ?? 0) + 1)
  }

  #noteSegment(segment: number): void {
    this.#highestSegment = Math.max(this.#highestSegment, segment)
  }
}

/** The range that holds this key and no other. */
function onlyKey(key: Uint8Array): { readonly from: Uint8Array; readonly to: Uint8Array } {
  return { from: key, to: Buffer.concat([key, Uint8Array.of(0)]) }
}

function segmentKey(segment: number): Uint8Array {
  return numberKey(PREFIX.segment, segment)
}

function nameOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')
}
