/**
 * A segment: up to 32 reports that arrived together, stored as one value. Encoded on the main thread, which has the
 * texts, and read on the store thread. One value for many reports is a third of the cost of one for each. Pure.
 *
 *     count (1 byte) · flags (1 byte) · count × report; compressed (DEFLATE) behind the flags where that pays
 *     report: flags (1 byte) · received at (double, Unix ms) · login · address · text
 */
import { constants as zlib, deflateRawSync, inflateRawSync } from 'node:zlib'
import type { ReportToAppend } from '../store.ts'
import { TrackError } from '../../errors.ts'
import { BinaryReader } from './binary-reader.ts'
import { BinaryWriter } from './binary-writer.ts'
import { SLOTS } from './keys.ts'

/** A segment stops growing here, so that reading one report stays cheap. */
const FULL_BYTES = 16 * 1024
const SUCCESS = 1
const ERASED = 2
const INDEXED = 1
const COMPRESSED = 2
/** Below this size compression costs more time per report than its bytes are worth. */
const COMPRESS_BYTES = 1024
/** A segment with one report of the largest size that HTTP takes, several times over. */
const MAX_CONTENT_BYTES = 64 * 1024 * 1024
const HEAD_BYTES = 2
/** Where the flags of the segment are in its content. */
const FLAGS_AT = 1

/** One report of a segment. */
export interface SegmentReport extends ReportToAppend {
  readonly slot: number
}

/** Where a report lies: what the store thread needs for its indexes, without making strings. */
export interface SegmentEntry {
  readonly slot: number
  readonly success: boolean
  readonly receivedAtMs: number
  /** Hashes of login and address (text-hash.ts). */
  readonly loginHash: number
  readonly remoteHash: number
}

/** Adds a report to whatever the writer holds. */
export function writeReport(writer: BinaryWriter, report: ReportToAppend): void {
  writer
    .byte(report.success ? SUCCESS : 0)
    .double(report.receivedAtMs)
    .text(report.login)
    .text(report.remote)
    .text(report.text)
}

/** The content of one segment from the first of these reports on; says how many went in and how large each is. */
export function writeSegment(
  writer: BinaryWriter,
  reports: readonly ReportToAppend[],
  from: number,
): { readonly sizes: readonly number[] } {
  const start = writer.length
  const sizes: number[] = []
  writer.byte(0).byte(0)
  for (let index = from; index < reports.length && sizes.length < SLOTS; index++) {
    const report = reports[index]
    if (report === undefined || (sizes.length > 0 && writer.length - start > FULL_BYTES)) break
    const before = writer.length
    writeReport(writer, report)
    sizes.push(writer.length - before)
  }
  writer.setByte(start, sizes.length)
  return { sizes }
}

/** A report as `writeReport` wrote it. */
export function readReport(reader: BinaryReader): ReportToAppend & { readonly isErased: boolean } {
  const flags = reader.byte()
  return {
    success: (flags & SUCCESS) !== 0,
    isErased: (flags & ERASED) !== 0,
    receivedAtMs: reader.double(),
    login: reader.text(),
    remote: reader.text(),
    text: reader.text(),
  }
}

/** All reports of a segment that were not erased. */
export function readSegment(stored: Uint8Array): readonly SegmentReport[] {
  const reader = new BinaryReader(plainForm(stored))
  const count = readCount(reader)
  const reports: SegmentReport[] = []
  for (let slot = 0; slot < count; slot++) {
    const { isErased, ...report } = readReport(reader)
    if (!isErased) reports.push({ ...report, slot })
  }
  return reports
}

/**
 * One report of a segment; the others are passed over without making strings of them.
 *
 * @throws TrackError TRK_STORE_DAMAGED when there is no such report.
 */
export function readSlot(stored: Uint8Array, slot: number): ReportToAppend & { readonly isErased: boolean } {
  const reader = new BinaryReader(plainForm(stored))
  if (slot >= readCount(reader)) throw new TrackError('TRK_STORE_DAMAGED', `a segment has no report ${slot}`)
  for (let index = 0; index < slot; index++) skipReport(reader)
  return readReport(reader)
}

/** Encoded size of every report, erased ones included. */
export function reportSizes(stored: Uint8Array): Uint32Array {
  const reader = new BinaryReader(plainForm(stored))
  return new Uint32Array(readCount(reader)).map(() => {
    const start = reader.position
    skipReport(reader)
    return reader.position - start
  })
}

function skipReport(reader: BinaryReader): void {
  reader.byte()
  reader.double()
  for (let text = 0; text < 3; text++) reader.skipText()
}

/** What the indexes need of each report that was not erased. */
export function readEntries(stored: Uint8Array): readonly SegmentEntry[] {
  const reader = new BinaryReader(plainForm(stored))
  const count = readCount(reader)
  const entries: SegmentEntry[] = []
  for (let slot = 0; slot < count; slot++) {
    const flags = reader.byte()
    const receivedAtMs = reader.double()
    const loginHash = reader.textHash()
    const remoteHash = reader.textHash()
    reader.skipText()
    if ((flags & ERASED) === 0)
      entries.push({ slot, success: (flags & SUCCESS) !== 0, receivedAtMs, loginHash, remoteHash })
  }
  return entries
}

/** The same segment with these slots emptied; the others keep their places. */
export function eraseSlots(stored: Uint8Array, slots: ReadonlySet<number>): Uint8Array {
  const content = plainForm(stored)
  const reader = new BinaryReader(content)
  const count = readCount(reader)
  const writer = new BinaryWriter().raw(content.subarray(0, HEAD_BYTES))
  for (let slot = 0; slot < count; slot++) {
    const start = reader.position
    const { isErased } = readReport(reader)
    if (isErased || slots.has(slot)) {
      writer.byte(ERASED).double(0).text('').text('').text('')
    } else {
      writer.raw(content.subarray(start, reader.position))
    }
  }
  const rest = writer.view()
  const plain = storedForm(rest, { isIndexed: isIndexed(stored) })
  // It goes into the place of the whole segment, which may have been compressed before it was this short.
  const tight = compressedForm(rest, isIndexed(stored), zlib.Z_BEST_COMPRESSION)
  return tight.length < plain.length ? tight : plain
}

export function isIndexed(stored: Uint8Array): boolean {
  return ((stored[FLAGS_AT] ?? 0) & INDEXED) !== 0
}

export function isCompressed(stored: Uint8Array): boolean {
  return ((stored[FLAGS_AT] ?? 0) & COMPRESSED) !== 0
}

/** The form in which a fresh content is stored; `isIndexed` notes that history finds its reports. */
export function storedForm(content: Uint8Array, options: { readonly isIndexed: boolean }): Uint8Array {
  if (content.length >= COMPRESS_BYTES) return compressedForm(content, options.isIndexed, zlib.Z_BEST_SPEED)
  const form = Uint8Array.from(content)
  form[FLAGS_AT] = options.isIndexed ? INDEXED : 0
  return form
}

function compressedForm(content: Uint8Array, isInHistory: boolean, level: number): Uint8Array {
  const compressed = deflateRawSync(content.subarray(HEAD_BYTES), { level })
  const form = new Uint8Array(HEAD_BYTES + compressed.length)
  form[0] = content[0] ?? 0
  form[FLAGS_AT] = COMPRESSED | (isInHistory ? INDEXED : 0)
  form.set(compressed, HEAD_BYTES)
  return form
}

/** The content of a stored form. */
function plainForm(stored: Uint8Array): Uint8Array {
  const flags = stored[FLAGS_AT] ?? 0
  if ((flags & COMPRESSED) === 0) return stored
  const rest = inflateRawSync(stored.subarray(HEAD_BYTES), { maxOutputLength: MAX_CONTENT_BYTES })
  const content = new Uint8Array(HEAD_BYTES + rest.length)
  content[0] = stored[0] ?? 0
  content[FLAGS_AT] = flags & ~COMPRESSED
  content.set(rest, HEAD_BYTES)
  return content
}

function readCount(reader: BinaryReader): number {
  const count = reader.byte()
  reader.byte()
  if (count > SLOTS)
    throw new TrackError('TRK_STORE_DAMAGED', `a segment says that it holds ${count} reports`)
  return count
}
