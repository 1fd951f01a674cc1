/**
 * LevelDB's log format, read to check it: the write-ahead log and the MANIFEST. LevelDB itself drops what it cannot read
 * in the write-ahead log without a word, and acknowledged reports with it; so the store reads the log first. Pure.
 *
 * Format (LevelDB's doc/log_format.md): blocks of 32 KiB; each piece has a masked CRC-32C of type and data (4 bytes),
 * a length (2 bytes, little-endian), a type (1 = whole record, 2 = first, 3 = middle, 4 = last piece) and data.
 */
import { Buffer } from 'node:buffer'
import { crc32c, unmaskCrc } from './crc32c.ts'

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
  const records: Uint8Array[] = []
  let pieces: Uint8Array[] = []
  let goodEnd = 0
  let at = 0
  while (at < bytes.length) {
    const piece = readPiece(bytes, at)
    if (piece === 'padding') {
      at = blockEnd(at)
      continue
    }
    const isStart = piece !== undefined && (piece.type === PIECE.whole || piece.type === PIECE.first)
    if (piece === undefined || isStart !== (pieces.length === 0)) {
      return { records, ...judge(bytes, goodEnd, at) }
    }
    pieces.push(piece.data)
    at = piece.end
    if (piece.type === PIECE.whole || piece.type === PIECE.last) {
      records.push(pieces.length === 1 ? piece.data : Buffer.concat(pieces))
      pieces = []
      goodEnd = at
    }
  }
  return { records, tornBytes: pieces.length === 0 ? 0 : bytes.length - goodEnd, damage: undefined }
}

/** Torn or damaged? Looks for a later record, both right behind the bad place and in every block after it. */
function judge(bytes: Buffer, goodEnd: number, badAt: number): Pick<LogFileContent, 'tornBytes' | 'damage'> {
  const startsRecord = (at: number): boolean => {
    for (let from = at; from < bytes.length;) {
      const piece = readPiece(bytes, from)
      if (piece === undefined || piece === 'padding') return false
      if (piece.type === PIECE.whole || piece.type === PIECE.first) return true
      from = piece.end
    }
    return false
  }
  const candidates = [badAt + HEADER_BYTES + (badAt + 6 <= bytes.length ? bytes.readUInt16LE(badAt + 4) : 0)]
  for (let at = blockEnd(badAt); at < bytes.length; at += BLOCK_BYTES) candidates.push(at)
  // A changed length hides where the next piece begins: try every place in the rest of the block.
  for (let at = badAt + 1; at < Math.min(blockEnd(badAt), bytes.length); at++) {
    const type = bytes[at + 6]
    if (type === PIECE.whole || type === PIECE.first) candidates.push(at)
  }
  if (candidates.some(startsRecord)) {
    return {
      tornBytes: 0,
      damage: `the record at byte ${goodEnd} is not what was written, and records follow it`,
    }
  }
  return { tornBytes: bytes.length - goodEnd, damage: undefined }
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
