/**
 * The latest value of a field (field type last): text, number, truth value, or a flat table of such. Pure; values are
 * encoded on policy workers, the store thread only compares times.
 *
 * Encoding of a value: tag, then UTF-8 (text that is not well formed: UTF-16), a number, nothing, or the entries of the
 * table. Encoding of the field: 0x20, time (ms), value.
 */
import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'

export type LastScalar = string | number | boolean
export type LastTable = ReadonlyMap<LastScalar, LastScalar>
export type LastValue = LastScalar | LastTable

const VERSION = 0x20
const MOST_VALUE_BYTES = 4096
const TAG = { text: 1, utf16: 2, number: 3, no: 4, yes: 5, table: 6 } as const
const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** The value in bytes; undefined when these would be more than 4 KiB. */
export function encodeLastValue(value: LastValue): Uint8Array | undefined {
  const writer = new ByteWriter()
  if (typeof value === 'object') {
    writer.writeByte(TAG.table)
    for (const [key, entry] of value) {
      if (writer.length > MOST_VALUE_BYTES) return undefined
      writeScalar(writer, key)
      writeScalar(writer, entry)
    }
  } else {
    writeScalar(writer, value)
  }
  return writer.length > MOST_VALUE_BYTES ? undefined : writer.finish()
}

/** The value that `encodeLastValue` was given; undefined for bytes that it cannot have made. */
export function decodeLastValue(bytes: Uint8Array): LastValue | undefined {
  if (bytes.length > MOST_VALUE_BYTES) return undefined
  const reader = new ByteReader(bytes)
  if (bytes[0] !== TAG.table) {
    const value = readScalar(reader)
    return reader.failed || reader.hasMore ? undefined : value
  }
  reader.skip(1)
  const table = new Map<LastScalar, LastScalar>()
  while (reader.hasMore) {
    const key = readScalar(reader)
    const entry = readScalar(reader)
    if (key === undefined || entry === undefined) return undefined
    table.set(key, entry)
  }
  return reader.failed ? undefined : table
}

/** Whether bytes are a field of this type; the other functions may only be given such. */
export function isLast(bytes: Uint8Array): boolean {
  return readLast(bytes) !== undefined
}

/** The field after a value (encoded) was set at a time (Unix seconds); an older value than the one it has is ignored. */
export function setLast(field: Uint8Array | undefined, value: Uint8Array, timeSeconds: number): Uint8Array {
  const timeMs = Math.round(timeSeconds * 1000)
  if (field !== undefined && new ByteReader(field, 1).readVarint() > timeMs) return field
  const writer = new ByteWriter(8 + value.length)
  writer.writeByte(VERSION)
  writer.writeVarint(timeMs)
  writer.writeBytes(value)
  return writer.finish()
}

/** The value and its time (Unix seconds, exact to a millisecond). */
export function readLast(
  field: Uint8Array,
): { readonly value: LastValue; readonly time: number } | undefined {
  const reader = new ByteReader(field)
  if (reader.readByte() !== VERSION) return undefined
  const timeMs = reader.readVarint()
  const value = decodeLastValue(reader.readBytes(reader.remaining))
  return reader.failed || value === undefined ? undefined : { value, time: timeMs / 1000 }
}

function writeScalar(writer: ByteWriter, value: LastScalar): void {
  if (typeof value === 'number') {
    writer.writeByte(TAG.number)
    writer.writeNumber(value)
  } else if (typeof value === 'boolean') {
    writer.writeByte(value ? TAG.yes : TAG.no)
  } else {
    writeText(writer, value)
  }
}

function writeText(writer: ByteWriter, text: string): void {
  if (text.isWellFormed()) {
    writer.writeByte(TAG.text)
    writer.writeSized(encoder.encode(text))
    return
  }
  writer.writeByte(TAG.utf16)
  writer.writeVarint(text.length)
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    writer.writeByte(unit >>> 8)
    writer.writeByte(unit & 0xff)
  }
}

function readScalar(reader: ByteReader): LastScalar | undefined {
  switch (reader.readByte()) {
    case TAG.text:
      return decoder.decode(reader.readSized())
    case TAG.utf16:
      return readUtf16(reader)
    case TAG.number:
      return reader.readNumber()
    case TAG.no:
      return false
    case TAG.yes:
      return true
    default:
      return undefined
  }
}

function readUtf16(reader: ByteReader): string {
  let text = ''
  for (let left = reader.readVarint(); left > 0 && reader.hasMore; left--) {
    const upper = reader.readByte()
    text += String.fromCharCode((upper << 8) | reader.readByte())
  }
  return text
}
