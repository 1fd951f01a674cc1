/**
 * Starts anew from a damaged database: it is set aside, never deleted, and whatever of it is provably intact is taken
 * over. Store thread, before the database is opened; runs only when the operator asked for it.
 */
import { Buffer } from 'node:buffer'
import { cpSync, renameSync, rmSync } from 'node:fs'
import { ClassicLevel } from 'classic-level'
import { messageOf } from '../../errors.ts'
import { Database, type Entry } from './database.ts'
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
import { putNumbers } from './meta.ts'
import { OLD_SEGMENT } from './migrations.ts'
import { isIntact, seal, unseal } from './sealed-value.ts'
import { SalvagedAlerts } from './salvaged-alerts.ts'
import { stageIndexes } from './segment-index.ts'
import { isIndexed, readEntries } from './segment.ts'
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
  /** Records that were found and are not what was written. */
  readonly dropped: number
  /** Why not everything could be read; undefined when every file could. */
  readonly failure: string | undefined
}

/** Kinds that are taken over as they are, but for segments of an old version; indexes and counters are made anew. */
const KINDS = [
  OLD_SEGMENT,
  PREFIX.segment,
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
 * that LevelDB's repair finds in a copy and whose checksums are right.
 *
 * @param utcTime - for the name, e.g. `20261121T080000Z`
 */
export async function salvage(directory: string, damage: string, utcTime: string): Promise<Salvage> {
  const setAside = `${directory}.damaged-${utcTime}`
  const copy = `${directory}.salvage`
  rmSync(copy, { recursive: true, force: true })
  renameSync(directory, setAside)
  const state = new SalvageState()
  let failure: string | undefined
  const fresh = await Database.open(directory)
  try {
    cpSync(setAside, copy, { recursive: true })
    await ClassicLevel.repair(copy)
    const repaired = await Database.open(copy)
    try {
      failure = await takeOver(repaired, fresh, state)
    } finally {
      await repaired.close()
    }
  } catch (error) {
    failure = messageOf(error)
  } finally {
    await state.finish(fresh)
    await fresh.close()
    rmSync(copy, { recursive: true, force: true })
  }
  return { setAside, damage, kept: state.kept, dropped: state.dropped, failure }
}

/** Copies what is intact; says what could not be read. */
async function takeOver(from: Database, to: Database, state: SalvageState): Promise<string | undefined> {
  let failure: string | undefined
  for (const kind of KINDS) {
    try {
      for await (const page of from.pages(wholePrefix(kind), PAGE)) {
        const batch = new WriteBatch()
        for (const entry of page) state.take(batch, kind, entry)
        await to.write(batch, false)
      }
    } catch (error) {
      failure = messageOf(error)
    }
  }
  return failure
}

/** Counts and relations over all records. */
class SalvageState {
  kept = 0
  dropped = 0
  readonly #segments = new Set<number>()
  readonly #bodies = new Set<number>()
  /** Of rows that are taken later; of a row that is not, its chunks stay behind and are never read. */
  readonly #chunks = new Set<string>()
  readonly #rows = new Map<string, number>()
  #historyReports = 0
  #historyBytes = 0
  #highestSegment = 0
  #highestMessage = 0
  readonly #alerts = new SalvagedAlerts()

  take(batch: WriteBatch, kind: (typeof KINDS)[number], [key, value]: Entry): void {
    if (!isIntact(key, value) || !this.#belongs(kind, key, value)) {
      this.dropped++
      return
    }
    this.kept++
    if (kind === OLD_SEGMENT) {
      const newKey = numberKey(PREFIX.segment, numberOfKey(key))
      this.#takeSegment(batch, newKey, seal(newKey, unseal(key, value)))
      return
    }
    if (kind === PREFIX.segment) {
      this.#takeSegment(batch, key, value)
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
    putNumbers(batch, metaKey('next-segment'), [this.#highestSegment + SKIPPED_NUMBERS])
    putNumbers(batch, metaKey('next-message'), [this.#highestMessage + SKIPPED_NUMBERS])
    this.#alerts.finish(batch, SKIPPED_NUMBERS)
    putNumbers(batch, metaKey('history'), [this.#historyReports, this.#historyBytes])
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

  #takeSegment(batch: WriteBatch, key: Uint8Array, value: Uint8Array): void {
    batch.put(key, value)
    const segment = numberOfKey(key)
    const content = unseal(key, value)
    const entries = readEntries(content)
    if (isIndexed(content)) stageIndexes(batch, segment, entries, 'put')
    this.#segments.add(segment)
    this.#noteSegment(segment)
    this.#historyReports += entries.length
    this.#historyBytes += value.length
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

function nameOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')
}
