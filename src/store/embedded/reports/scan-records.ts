/**
 * Walks through the bytes of a report file, record by record, and tells a write that was cut short from damage. Pure; store
 * thread.
 *
 * A batch is written after the disk has the one before. So what is unreadable at the end was a write of which nobody was told
 * that it is done; but where a record of a later batch follows, what is unreadable was once good.
 */
import { Buffer } from 'node:buffer'
import { numberKey, PREFIX } from '../keys.ts'
import { isIntact } from '../sealed-value.ts'
import { findMark, readHead, RECORD_HEAD_BYTES, type RecordHead } from './record.ts'

/** What a report file begins with. */
export const FILE_HEAD = 'TRKREP1\n'

export interface ScannedRecord {
  readonly at: number
  readonly head: RecordHead
  /** Sealed content; a view. */
  readonly sealed: Uint8Array
}

/** How a file ends. */
export interface ScanEnd {
  /** Behind the last good record. */
  readonly end: number
  /** Bytes of a write that was cut short. */
  readonly tornBytes: number
  /** Why the file cannot be trusted; undefined when it can. */
  readonly damage: string | undefined
}

/** Yields every good record up to the end, or to the first place that is not good. */
export function* scanRecords(file: Uint8Array): Generator<ScannedRecord, ScanEnd> {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength)
  if (!hasFileHead(bytes)) return judgeHead(bytes)
  let at = FILE_HEAD.length
  while (at < bytes.length) {
    const record = readRecord(bytes, at)
    if (record === undefined) return judge(bytes, at)
    yield record
    at += RECORD_HEAD_BYTES + record.head.roomBytes
  }
  return { end: at, tornBytes: 0, damage: undefined }
}

/**
 * Every good record of a file in which some may not be, for what can be saved of it; undefined for one that has a head and is
 * not what was written.
 */
export function* findRecords(file: Uint8Array): Generator<ScannedRecord | undefined> {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength)
  let at = findMark(bytes, 0)
  while (at !== -1) {
    const record = readRecord(bytes, at)
    if (record !== undefined || readHead(bytes, at) !== undefined) yield record
    at = findMark(bytes, record === undefined ? at + 1 : at + RECORD_HEAD_BYTES + record.head.roomBytes)
  }
}

function readRecord(bytes: Buffer, at: number): ScannedRecord | undefined {
  const head = readHead(bytes, at)
  if (head === undefined || head.sizeBytes > head.roomBytes) return undefined
  const from = at + RECORD_HEAD_BYTES
  if (from + head.roomBytes > bytes.length) return undefined
  const sealed = bytes.subarray(from, from + head.sizeBytes)
  return isIntact(numberKey(PREFIX.segment, head.segment), sealed) ? { at, head, sealed } : undefined
}

function hasFileHead(bytes: Buffer): boolean {
  return bytes.length >= FILE_HEAD.length && bytes.toString('latin1', 0, FILE_HEAD.length) === FILE_HEAD
}

function judgeHead(bytes: Buffer): ScanEnd {
  const isCutShort = findMark(bytes, 0) === -1
  return isCutShort
    ? { end: 0, tornBytes: bytes.length, damage: undefined }
    : { end: 0, tornBytes: 0, damage: 'it does not begin as a file of reports does' }
}

function judge(bytes: Buffer, badAt: number): ScanEnd {
  for (let at = findMark(bytes, badAt + 1); at !== -1; at = findMark(bytes, at + 1)) {
    const later = readHead(bytes, at)
    // Of the same batch: its pages may reach the disk in any order.
    if (later === undefined || later.batchAt <= badAt) continue
    const damage = `the record at byte ${badAt} is not what was written, and records follow it`
    return { end: badAt, tornBytes: 0, damage }
  }
  return { end: badAt, tornBytes: bytes.length - badAt, damage: undefined }
}
