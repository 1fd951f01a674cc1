/**
 * The layout of the database's keys: one prefix byte says what a key is, numbers are big-endian so that they sort. Pure;
 * used on the store thread and by the readers of trends on policy workers.
 *
 *     m name                        meta: format version, creation time, counters
 *     o segment                     which reports of a segment are unfinished, as a 32-bit mask (journal.ts)
 *     f id                          a report whose run failed, with the failure
 *     u id                          a failed report that was opened again
 *     q id                          body of an outgoing message, open or dead
 *     s id                          state of an open outgoing message
 *     d id                          state of a dead one
 *     t database key                trend row
 *     k database length key name    chunk of a trend row: a large part of it
 *     x database expiry key         when the row may expire: never later than it does
 *     n database                    number of rows
 *     w worker                      highest commit of that policy worker
 *     A id                          alert
 *     B ~time id                    alerts by when they were raised last, newest first; value: severity, state
 *     C id                          alert that routing has not looked at since it changed, also one that was erased
 *     D time id                     resolved alerts by when that was
 *     E id which                    what is kept of the run that raised an alert: first (0) and latest (1)
 *     G hash(key)                   state of a group of alerts
 *     N id                          notification: what was told, to whom, with what answer
 *     H alert ~id                   notifications by alert, newest first
 *     I delivery                    notification by the id of a delivery
 *     S id                          silence made at run time
 *     M hash(sink, address)         when that address was last written to through that sink
 *     T time hash(sink, address)    the same by until when it is kept
 *
 * Segments, up to 32 reports that arrived together, are not in the database (reports/report-log.ts); 01 is what their seals go by.
 * Numbers take 6 bytes, hashes 4. The id of a report is segment × 32 + its place there, so ids are not dense; with 10,000
 * segments a second they last for 28 years.
 */
import { Buffer } from 'node:buffer'
import { TrackError } from '../../errors.ts'
import { pooledBytes } from './pooled-bytes.ts'

export const PREFIX = {
  meta: 0x6d,
  segment: 0x01,
  open: 0x6f,
  failed: 0x66,
  reopened: 0x75,
  messageBody: 0x71,
  messageState: 0x73,
  deadState: 0x64,
  row: 0x74,
  chunk: 0x6b,
  expiry: 0x78,
  rowCount: 0x6e,
  worker: 0x77,
  alert: 0x41,
  alertByTime: 0x42,
  alertChange: 0x43,
  alertResolved: 0x44,
  alertEvidence: 0x45,
  alertGroup: 0x47,
  notification: 0x4e,
  notificationByAlert: 0x48,
  notificationByDelivery: 0x49,
  silence: 0x53,
  mail: 0x4d,
  mailByTime: 0x54,
} as const

/** Reports per segment: the bits of the mask of unfinished ones. */
export const SLOTS = 32
/** Largest number in six bytes. */
export const MAX_NUMBER = 2 ** 48 - 1
const NUMBER_BYTES = 6
/** Its length takes one byte. */
const MAX_NAME_BYTES = 255
const CHUNK_LENGTH_BYTES = 2

export function metaKey(name: string): Uint8Array {
  return plain(Buffer.from(`m${name}`, 'latin1'))
}

/** A key of one prefix and one number: segment, id or worker. */
export function numberKey(prefix: number, value: number): Uint8Array {
  const key = pooledBytes(1 + NUMBER_BYTES)
  key[0] = prefix
  writeNumber(key, 1, value)
  return key
}

/** The number of such a key. */
export function numberOfKey(key: Uint8Array): number {
  return readNumber(key, 1)
}

/** A key of one prefix and two numbers, which sorts by the first. */
export function pairKey(prefix: number, first: number, second: number): Uint8Array {
  const key = pooledBytes(1 + 2 * NUMBER_BYTES)
  key[0] = prefix
  writeNumber(key, 1, Math.min(MAX_NUMBER, Math.max(0, Math.floor(first))))
  writeNumber(key, 1 + NUMBER_BYTES, second)
  return key
}

/** The numbers of such a key. */
export function numbersOfPairKey(key: Uint8Array): readonly [first: number, second: number] {
  return [readNumber(key, 1), readNumber(key, 1 + NUMBER_BYTES)]
}

/** A key of one prefix and a text that is not too long to be one. */
export function textKey(prefix: number, text: string): Uint8Array {
  const bytes = Buffer.from(text, 'utf8')
  const key = pooledBytes(1 + bytes.length)
  key[0] = prefix
  key.set(bytes, 1)
  return key
}

/**
 * Key of a row, of a row count (no `key`), or the start of a database's part.
 *
 * @throws TrackError TRK_STORE_FAILED when the name of the database has more than 255 bytes.
 */
export function databaseKey(prefix: number, database: string, key?: Uint8Array): Uint8Array {
  const name = Buffer.from(database, 'utf8')
  if (name.length > MAX_NAME_BYTES) {
    throw new TrackError(
      'TRK_STORE_FAILED',
      `the name of database ${database.slice(0, 40)}… is longer than 255 bytes`,
    )
  }
  const bytes = pooledBytes(2 + name.length + (key?.length ?? 0))
  bytes[0] = prefix
  bytes[1] = name.length
  bytes.set(name, 2)
  if (key !== undefined) bytes.set(key, 2 + name.length)
  return bytes
}

/** Database and row key of a key made by `databaseKey`. */
export function partsOfDatabaseKey(bytes: Uint8Array): {
  readonly database: string
  readonly key: Uint8Array
} {
  const end = 2 + (bytes[1] ?? 0)
  return { database: Buffer.from(bytes.subarray(2, end)).toString('utf8'), key: bytes.subarray(end) }
}

/** Key of a chunk; `name` is Latin-1. The length tells a key and a name from another pair that reads the same. */
export function chunkKey(database: string, key: Uint8Array, name: string): Uint8Array {
  const rest = pooledBytes(CHUNK_LENGTH_BYTES + key.length + name.length)
  rest[0] = key.length >>> 8
  rest[1] = key.length
  rest.set(key, CHUNK_LENGTH_BYTES)
  const at = CHUNK_LENGTH_BYTES + key.length
  for (let index = 0; index < name.length; index++) rest[at + index] = name.charCodeAt(index)
  return databaseKey(PREFIX.chunk, database, rest)
}

export function expiryKey(database: string, atMs: number, key: Uint8Array): Uint8Array {
  const at = pooledBytes(NUMBER_BYTES + key.length)
  writeNumber(at, 0, Math.min(MAX_NUMBER, Math.max(0, Math.ceil(atMs))))
  at.set(key, NUMBER_BYTES)
  return databaseKey(PREFIX.expiry, database, at)
}

export function partsOfExpiryKey(bytes: Uint8Array): {
  readonly database: string
  readonly atMs: number
  readonly key: Uint8Array
} {
  const { database, key } = partsOfDatabaseKey(bytes)
  return { database, atMs: readNumber(key, 0), key: key.subarray(NUMBER_BYTES) }
}

/** Range of all keys of a kind. */
export function wholePrefix(prefix: number): { readonly from: Uint8Array; readonly to: Uint8Array } {
  return { from: Uint8Array.of(prefix), to: Uint8Array.of(prefix + 1) }
}

/** The first key after every key that begins with `prefix`. */
export function endOf(prefix: Uint8Array): Uint8Array {
  const end = Uint8Array.from(prefix)
  for (let index = end.length - 1; index >= 0; index--) {
    const byte = end[index] ?? 0
    if (byte < 0xff) {
      end[index] = byte + 1
      return end.subarray(0, index + 1)
    }
  }
  return Uint8Array.of(0xff, 0xff)
}

export function writeNumber(bytes: Uint8Array, at: number, value: number): void {
  const high = Math.floor(value / 2 ** 32)
  bytes[at] = high >>> 8
  bytes[at + 1] = high
  writeUint32(bytes, at + 2, value % 2 ** 32)
}

export function readNumber(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
  return high * 2 ** 32 + readUint32(bytes, at + 2)
}

function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}

function readUint32(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] ?? 0) << 24) |
      ((bytes[at + 1] ?? 0) << 16) |
      ((bytes[at + 2] ?? 0) << 8) |
      (bytes[at + 3] ?? 0)) >>>
    0
  )
}

function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer)
}
