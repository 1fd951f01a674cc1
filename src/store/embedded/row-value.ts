/**
 * The value of a trend row: sealed; what kind it is (byte); when the row expires (48 bits, Unix ms); the names of its chunks,
 * if it has any; then the row's own bytes. Pure; written on the store thread, read by it and by readers on policy workers.
 *
 * The first version began with the expiry as a double, whose first byte is none of the kinds for any time since 1970.
 */
import { Buffer } from 'node:buffer'
import { TrackError } from '../../errors.ts'
import { MAX_NUMBER, readNumber, writeNumber } from './keys.ts'
import { pooledBytes } from './pooled-bytes.ts'
import { SEAL_BYTES, sealInPlace, unseal } from './sealed-value.ts'

const WHOLE = 1
const WITH_CHUNKS = 2
const EXPIRY_AT = 1
const HEAD_BYTES = 7
const COUNT_BYTES = 2
/** Of a value of the first version. */
const DOUBLE_BYTES = 8

export interface StoredRow {
  readonly expiresAtMs: number
  /** Chunks of the row, which stand under keys of their own. */
  readonly chunkNames: readonly string[]
  /** A view into the value. */
  readonly bytes: Uint8Array
}

export function encodeRow(rowKey: Uint8Array, { expiresAtMs, chunkNames, bytes }: StoredRow): Uint8Array {
  let namesBytes = chunkNames.length === 0 ? 0 : COUNT_BYTES
  for (const name of chunkNames) namesBytes += 1 + name.length
  const value = pooledBytes(SEAL_BYTES + HEAD_BYTES + namesBytes + bytes.length)
  value[SEAL_BYTES] = chunkNames.length === 0 ? WHOLE : WITH_CHUNKS
  writeNumber(value, SEAL_BYTES + EXPIRY_AT, Math.min(MAX_NUMBER, Math.max(0, Math.ceil(expiresAtMs))))
  if (chunkNames.length > 0) writeNames(value, SEAL_BYTES + HEAD_BYTES, chunkNames)
  value.set(bytes, SEAL_BYTES + HEAD_BYTES + namesBytes)
  sealInPlace(rowKey, value)
  return value
}

/** @throws TrackError TRK_STORE_DAMAGED when the value is not what was stored under this key. */
export function decodeRow(rowKey: Uint8Array, value: Uint8Array): StoredRow {
  return decodeContent(unseal(rowKey, value))
}

/** A value that has been in memory since it was sealed, or since its seal was found whole. */
export function decodeIntactRow(value: Uint8Array): StoredRow {
  return decodeContent(value.subarray(SEAL_BYTES))
}

function decodeContent(content: Uint8Array): StoredRow {
  const kind = content[0]
  if (kind !== WHOLE && kind !== WITH_CHUNKS) return decodeFirstVersion(content)
  const expiresAtMs = readNumber(content, EXPIRY_AT)
  if (kind === WHOLE) return { expiresAtMs, chunkNames: [], bytes: content.subarray(HEAD_BYTES) }
  return { expiresAtMs, ...readNames(content) }
}

function decodeFirstVersion(content: Uint8Array): StoredRow {
  if (content.length < DOUBLE_BYTES) throw new TrackError('TRK_STORE_DAMAGED', 'a row ends too early')
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength)
  return { expiresAtMs: view.getFloat64(0), chunkNames: [], bytes: content.subarray(DOUBLE_BYTES) }
}

function writeNames(value: Uint8Array, from: number, names: readonly string[]): void {
  const buffer = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  let at = buffer.writeUInt16BE(names.length, from)
  for (const name of names) {
    at = buffer.writeUInt8(name.length, at)
    at += buffer.write(name, at, 'latin1')
  }
}

function readNames(content: Uint8Array): Pick<StoredRow, 'chunkNames' | 'bytes'> {
  const buffer = Buffer.from(content.buffer, content.byteOffset, content.byteLength)
  const chunkNames: string[] = []
  let at = HEAD_BYTES + COUNT_BYTES
  for (let left = buffer.readUInt16BE(HEAD_BYTES); left > 0; left--) {
    const end = at + 1 + buffer.readUInt8(at)
    chunkNames.push(buffer.toString('latin1', at + 1, end))
    at = end
  }
  return { chunkNames, bytes: content.subarray(at) }
}
