/**
 * Text that keeps every byte: how byte strings (Lua's, or raw JSON) become JavaScript text and come back unchanged.
 * Pure; used on every thread. A byte that is no part of valid UTF-8 stands as the lone surrogate U+DC80..U+DCFF, which
 * is the method of PEP 383 (https://peps.python.org/pep-0383/).
 */
import { Buffer, isUtf8 } from 'node:buffer'

/** Longer byte strings go through the decoder; below it a loop is faster than crossing into native code. */
const SHORT_BYTES = 24
const ESCAPE_BASE = 0xdc00
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/**
 * Text for any bytes: valid UTF-8 as usual, every other byte as U+DC00 + byte. `textToBytes` gives the same bytes back.
 */
export function bytesToText(bytes: Uint8Array): string {
  if (bytes.length <= SHORT_BYTES) {
    const text = shortAscii(bytes)
    if (text !== undefined) return text
  }
  return isUtf8(bytes) ? decoder.decode(bytes) : escapedText(bytes)
}

/**
 * Bytes of a text: UTF-8, and U+DC80..U+DCFF as the one byte that they stand for. Any other lone surrogate, which no
 * byte string yields, becomes U+FFFD.
 *
 * The text comes back from `bytesToText` unchanged if it is well formed or was made by `bytesToText`. It does not when
 * somebody else put escapes next to each other that together are valid UTF-8: "\udcc3\udca9" gives the bytes C3 A9,
 * and those read back as "é".
 */
export function textToBytes(text: string): Uint8Array {
  if (text.length <= SHORT_BYTES) {
    const bytes = new Uint8Array(text.length)
    if (writeAscii(text, bytes)) return bytes
  }
  return text.isWellFormed() ? copyOf(Buffer.from(text, 'utf8')) : unescapedBytes(text)
}

/** Whether `textToBytes` would give more bytes than this; most texts need not be encoded to say so. */
export function isLongerThan(text: string, maxBytes: number): boolean {
  // One UTF-16 unit is at least a byte, and three at most.
  if (text.length > maxBytes) return true
  return text.length * 3 > maxBytes && textToBytes(text).length > maxBytes
}

function shortAscii(bytes: Uint8Array): string | undefined {
  let text = ''
  for (const byte of bytes) {
    if (byte > 0x7f) return undefined
    text += String.fromCharCode(byte)
  }
  return text
}

function writeAscii(text: string, bytes: Uint8Array): boolean {
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    if (unit > 0x7f) return false
    bytes[index] = unit
  }
  return true
}

/** A buffer of the shared pool would keep 8 KiB alive for a few bytes, and is no plain Uint8Array. */
function copyOf(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer)
}

function escapedText(bytes: Uint8Array): string {
  const parts: string[] = []
  let plainFrom = 0
  let index = 0
  while (index < bytes.length) {
    const length = sequenceLength(bytes, index)
    if (length > 0) {
      index += length
      continue
    }
    if (plainFrom < index) parts.push(decoder.decode(bytes.subarray(plainFrom, index)))
    parts.push(String.fromCharCode(ESCAPE_BASE + (bytes[index] ?? 0)))
    index += 1
    plainFrom = index
  }
  if (plainFrom < bytes.length) parts.push(decoder.decode(bytes.subarray(plainFrom)))
  return parts.join('')
}

/** Length of the valid UTF-8 sequence that begins here, 0 if none does (Unicode 15, table 3-7). */
function sequenceLength(bytes: Uint8Array, index: number): number {
  const first = bytes[index] ?? 0
  if (first <= 0x7f) return 1
  if (first < 0xc2 || first > 0xf4) return 0
  const second = bytes[index + 1] ?? 0
  if (first <= 0xdf) return isContinuation(second) ? 2 : 0
  const lowest = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80
  const highest = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf
  if (second < lowest || second > highest || !isContinuation(bytes[index + 2] ?? 0)) return 0
  if (first <= 0xef) return 3
  return isContinuation(bytes[index + 3] ?? 0) ? 4 : 0
}

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80
}

function unescapedBytes(text: string): Uint8Array {
  const parts: Uint8Array[] = []
  let plainFrom = 0
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    if (unit >= 0xd800 && unit <= 0xdbff && isLowSurrogate(text.charCodeAt(index + 1))) {
      index += 1
      continue
    }
    if (unit < 0xdc80 || unit > 0xdcff) continue
    if (plainFrom < index) parts.push(Buffer.from(text.slice(plainFrom, index), 'utf8'))
    parts.push(Uint8Array.of(unit - ESCAPE_BASE))
    plainFrom = index + 1
  }
  if (plainFrom < text.length) parts.push(Buffer.from(text.slice(plainFrom), 'utf8'))
  return copyOf(Buffer.concat(parts))
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff
}
