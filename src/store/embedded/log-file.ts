/**
 * LevelDB's log format: the write-ahead log and the MANIFEST. LevelDB itself drops what it cannot read in the write-ahead log
 * without a word, and acknowledged reports with it; so the store reads the log first. Pure.
 *
 * Format (LevelDB's doc/log_format.md): blocks of 32 KiB; each piece has a masked CRC-32C of type and data (4 bytes),
 * a length (2 bytes, little-endian), a type (1 = whole record, 2 = first, 3 = middle, 4 = last piece) and data.
 */
import { Buffer } from 'node:buffer'
import { crc32c, maskCrc, unmaskCrc } from './crc32c.ts'

const BLOCK_BYTES = 32 * 1024
const HEADER_BYTES = 7
const PIECE = { whole: 1, first: 2, middle: 3, last: 4 } as const

export interface LogFileContent {
  readonly records: readonly Uint8Array[]
  /**
   * Bytes at the end that are no whole record: a write that the power cut short. Nobody was told that it is done, since
   * the next record is written only after the disk has the one before.
   */
  readonly tornBytes: number
  /** Why the file cannot be trusted; undefined when it can. */
  readonly damage: string | undefined
}

interface Piece {
  readonly type: number
  readonly data: Uint8Array
  readonly end: number
}

/** Reads a whole file. A record that follows unreadable bytes was written later, so these bytes were once good: damage. */
export function readLogFile(file: Uint8Array): LogFileContent {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength)
  const { records, goodEnd, badAt } = readRecords(bytes, 0)
  const isDamaged = badAt !== undefined && nextRecordFrom(bytes, badAt) !== undefined
  return {
    records,
    tornBytes: isDamaged ? 0 : bytes.length - goodEnd,
    damage: isDamaged
      ? `the record at byte ${goodEnd} is not what was written, and records follow it`
      : undefined,
  }
}

/** Every record that is what was written, also behind others that are not; and how many places are not. */
export function intactRecords(file: Uint8Array): {
  readonly records: readonly Uint8Array[]
  readonly damagedPlaces: number
} {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength)
  const records: Uint8Array[] = []
  let damagedPlaces = 0
  let from: number | undefined = 0
  while (from !== undefined) {
    const read = readRecords(bytes, from)
    for (const record of read.records) records.push(record)
    from = read.badAt === undefined ? undefined : nextRecordFrom(bytes, read.badAt)
    if (from !== undefined) damagedPlaces++
  }
  return { records, damagedPlaces }
}

/** A log of these records, as LevelDB writes it. */
export function makeLogFile(records: readonly Uint8Array[]): Uint8Array {
  const parts: Uint8Array[] = []
  let at = 0
  for (const record of records) {
    let taken = 0
    do {
      if (blockEnd(at) - at < HEADER_BYTES) {
        parts.push(new Uint8Array(blockEnd(at) - at))
        at = blockEnd(at)
      }
      const data = record.subarray(taken, taken + blockEnd(at) - at - HEADER_BYTES)
      const isFirst = taken === 0
      taken += data.length
      const isLast = taken === record.length
      const type = isFirst ? (isLast ? PIECE.whole : PIECE.first) : isLast ? PIECE.last : PIECE.middle
      parts.push(makePiece(type, data))
      at += HEADER_BYTES + data.length
    } while (taken < record.length)
  }
  return Buffer.concat(parts)
}

function makePiece(type: number, data: Uint8Array): Uint8Array {
  const piece = Buffer.alloc(HEADER_BYTES + data.length)
  piece.writeUInt16LE(data.length, 4)
  piece[6] = type
  piece.set(data, HEADER_BYTES)
  piece.writeUInt32LE(maskCrc(crc32c(piece, 6)), 0)
  return piece
}

interface RecordsRead {
  readonly records: readonly Uint8Array[]
  /** Behind the last whole record. */
  readonly goodEnd: number
  /** Where a piece is not what was written, or not the one that should follow; undefined at the end of the file. */
  readonly badAt: number | undefined
}

/** Reads up to the first piece that does not belong there. */
function readRecords(bytes: Buffer, from: number): RecordsRead {
  const records: Uint8Array[] = []
  let pieces: Uint8Array[] = []
  let goodEnd = from
  let at = from
  while (at < bytes.length) {
    const piece = readPiece(bytes, at)
    if (piece === 'padding') {
      at = blockEnd(at)
      continue
    }
    if (piece === undefined || startsRecord(piece) !== (pieces.length === 0))
      return { records, goodEnd, badAt: at }
    pieces.push(piece.data)
    at = piece.end
    if (piece.type === PIECE.whole || piece.type === PIECE.last) {
      records.push(pieces.length === 1 ? piece.data : Buffer.concat(pieces))
      pieces = []
      goodEnd = at
    }
  }
  return { records, goodEnd: pieces.length === 0 ? bytes.length : goodEnd, badAt: undefined }
}

/**
 * Where the first record begins from a bad place on. A changed length hides where the next piece begins, so every place in
 * the rest of the block is tried; after that the beginnings of blocks, with the pieces that follow each of them.
 */
function nextRecordFrom(bytes: Buffer, badAt: number): number | undefined {
  for (let at = badAt; at < Math.min(blockEnd(badAt), bytes.length); at++) {
    const type = bytes[at + 6]
    if ((type === PIECE.whole || type === PIECE.first) && isPiece(readPiece(bytes, at))) return at
  }
  for (let block = blockEnd(badAt); block < bytes.length; block += BLOCK_BYTES) {
    for (let at = block; ;) {
      const piece = readPiece(bytes, at)
      if (!isPiece(piece)) break
      if (startsRecord(piece)) return at
      at = piece.end
    }
  }
  return undefined
}

function isPiece(piece: ReturnType<typeof readPiece>): piece is Piece {
  return piece !== undefined && piece !== 'padding'
}

function startsRecord(piece: Piece): boolean {
  return piece.type === PIECE.whole || piece.type === PIECE.first
}

function readPiece(bytes: Buffer, at: number): Piece | 'padding' | undefined {
  const room = blockEnd(at) - at
  if (room < HEADER_BYTES) return 'padding'
  if (at + HEADER_BYTES > bytes.length) return undefined
  const length = bytes.readUInt16LE(at + 4)
  const type = bytes[at + 6] ?? 0
  const end = at + HEADER_BYTES + length
  if (type < PIECE.whole || type > PIECE.last || HEADER_BYTES + length > room || end > bytes.length)
    return undefined
  if (crc32c(bytes, at + 6, end) !== unmaskCrc(bytes.readUInt32LE(at))) return undefined
  return { type, data: bytes.subarray(at + HEADER_BYTES, end), end }
}

function blockEnd(at: number): number {
  return (Math.floor(at / BLOCK_BYTES) + 1) * BLOCK_BYTES
}
