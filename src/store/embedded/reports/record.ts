/**
 * A record of a report file: one segment with what is needed to find and to trust it. Pure; store thread.
 *
 *     mark (4 bytes) · batch (4) · room (4) · size (4) · segment (6) · oldest (8) · newest (8) · CRC-32 of all these (4) · content
 *
 * Big-endian. `batch` is where in the file the batch begins that the record was written with; oldest and newest are times of
 * receipt, Unix ms. The content is sealed and takes `size` bytes of its `room`: a segment in which reports were erased is
 * written into the same place. What it does not fill says nothing, and is not checked.
 */
import type { Buffer } from 'node:buffer'
import { crc32 } from 'node:zlib'

export const RECORD_HEAD_BYTES = 42
/** "TRKr": what a search for the next record goes by. */
const MARK = 0x54524b72
const SUM_AT = RECORD_HEAD_BYTES - 4

export interface RecordHead {
  readonly batchAt: number
  readonly roomBytes: number
  readonly sizeBytes: number
  readonly segment: number
  readonly oldestMs: number
  readonly newestMs: number
}

export function writeHead(bytes: Buffer, at: number, head: RecordHead): void {
  bytes.writeUInt32BE(MARK, at)
  bytes.writeUInt32BE(head.batchAt, at + 4)
  bytes.writeUInt32BE(head.roomBytes, at + 8)
  bytes.writeUInt32BE(head.sizeBytes, at + 12)
  bytes.writeUIntBE(head.segment, at + 16, 6)
  bytes.writeDoubleBE(head.oldestMs, at + 22)
  bytes.writeDoubleBE(head.newestMs, at + 30)
  bytes.writeUInt32BE(crc32(bytes.subarray(at, at + SUM_AT)), at + SUM_AT)
}

/** The head at this place; undefined when there is none, or not as it was written. */
export function readHead(bytes: Buffer, at: number): RecordHead | undefined {
  if (at + RECORD_HEAD_BYTES > bytes.length || bytes.readUInt32BE(at) !== MARK) return undefined
  if (crc32(bytes.subarray(at, at + SUM_AT)) !== bytes.readUInt32BE(at + SUM_AT)) return undefined
  return {
    batchAt: bytes.readUInt32BE(at + 4),
    roomBytes: bytes.readUInt32BE(at + 8),
    sizeBytes: bytes.readUInt32BE(at + 12),
    segment: bytes.readUIntBE(at + 16, 6),
    oldestMs: bytes.readDoubleBE(at + 22),
    newestMs: bytes.readDoubleBE(at + 30),
  }
}

/** Where the next mark is, from `from` on; -1 when there is none. */
export function findMark(bytes: Buffer, from: number): number {
  return bytes.indexOf('TRKr', from, 'latin1')
}
