/**
 * Writes the compact binary forms of trends: variable-length whole numbers, doubles, byte strings. Pure; lives on policy
 * workers and on the store thread. It only knows shapes of numbers, nothing of rows or sketches.
 */
import { Buffer } from 'node:buffer'

const DEFAULT_CAPACITY_BYTES = 256
/** Larger buffers go with what was written into them. */
const KEPT_BYTES = 1024
const MOST_IDLE = 8
/** Beyond it a zigzag number would leave the range in which doubles are exact. */
const LARGEST_ZIGZAG = 2 ** 51

/** A buffer that grows. `finish` gives the bytes written so far, once. */
export class ByteWriter {
  /** Buffers of writers that have finished, for the next ones: a writer lives for microseconds, and there are many. */
  static readonly #idle: Uint8Array[] = []
  #bytes: Uint8Array
  #length = 0

  constructor(capacityBytes = DEFAULT_CAPACITY_BYTES) {
    const idle = capacityBytes <= KEPT_BYTES ? ByteWriter.#idle.pop() : undefined
    this.#bytes = idle ?? new Uint8Array(Math.max(KEPT_BYTES, capacityBytes))
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length
  }

  writeByte(value: number): void {
    this.#reserve(1)
    this.#bytes[this.#length++] = value
  }

  /** A whole number 0..2^24-1, big-endian. */
  writeUint24(value: number): void {
    this.#reserve(3)
    this.#bytes[this.#length++] = value >>> 16
    this.#bytes[this.#length++] = value >>> 8
    this.#bytes[this.#length++] = value
  }

  /** A whole number 0..2^32-1, big-endian. */
  writeUint32(value: number): void {
    this.writeByte(value >>> 24)
    this.writeUint24(value & 0xffffff)
  }

  /** A whole number 0..2^48-1, big-endian. */
  writeUint48(value: number): void {
    this.writeUint24(Math.floor(value / 0x1000000))
    this.writeUint24(value % 0x1000000)
  }

  /** A whole number 0..2^53-1 in groups of seven bits, lowest first; the top bit says that more follow. */
  writeVarint(value: number): void {
    this.#reserve(8)
    let rest = value
    while (rest > 0x7fffffff) {
      this.#bytes[this.#length++] = 0x80 | (rest % 128)
      rest = Math.floor(rest / 128)
    }
    while (rest > 0x7f) {
      this.#bytes[this.#length++] = 0x80 | (rest & 0x7f)
      rest >>>= 7
    }
    this.#bytes[this.#length++] = rest
  }

  /** Any double: a small whole number takes one byte, a fraction nine. */
  writeNumber(value: number): void {
    if (Number.isInteger(value) && value < LARGEST_ZIGZAG && value > -LARGEST_ZIGZAG) {
      this.writeVarint(value < 0 ? -2 * value : 2 * value + 1)
      return
    }
    this.writeByte(0)
    this.writeDouble(value)
  }

  /** IEEE 754 binary64, big-endian. */
  writeDouble(value: number): void {
    this.#reserve(8)
    new DataView(this.#bytes.buffer, this.#bytes.byteOffset).setFloat64(this.#length, value)
    this.#length += 8
  }

  writeBytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    if (bytes.length < 16) {
      for (let index = 0; index < bytes.length; index++) this.#bytes[this.#length + index] = bytes[index] ?? 0
    } else {
      this.#bytes.set(bytes, this.#length)
    }
    this.#length += bytes.length
  }

  /** What another one has written, which must not be used afterwards. */
  writeAll(other: ByteWriter): void {
    this.#reserve(other.#length)
    this.#bytes.set(other.#bytes.subarray(0, other.#length), this.#length)
    this.#length += other.#length
    other.#giveBack()
  }

  /** A byte string with its length before it. */
  writeSized(bytes: Uint8Array): void {
    this.writeVarint(bytes.length)
    this.writeBytes(bytes)
  }

  /** A text as UTF-8 with its length before it; it must be well formed to come back the same. */
  writeText(text: string): void {
    if (text.length < 0x80 && this.#writeShortAscii(text)) return
    this.writeSized(new TextEncoder().encode(text))
  }

  /** Overwrites four bytes that were written before. */
  patchUint32(offset: number, value: number): void {
    for (let index = 0; index < 4; index++) this.#bytes[offset + index] = value >>> (24 - 8 * index)
  }

  /** What was written from here on, in place: valid until the next write. */
  written(from: number): Uint8Array {
    return this.#bytes.subarray(from, this.#length)
  }

  /** The bytes: the writer must not be used afterwards. */
  finish(): Uint8Array {
    if (this.#bytes.length > KEPT_BYTES) return this.#bytes.subarray(0, this.#length)
    const bytes = this.#bytes.slice(0, this.#length)
    this.#giveBack()
    return bytes
  }

  /** The same, for bytes that are let go soon: they share memory with others, which costs less than to have their own. */
  finishShared(): Uint8Array {
    const bytes = Buffer.allocUnsafe(this.#length)
    bytes.set(this.#bytes.subarray(0, this.#length))
    this.#giveBack()
    return bytes
  }

  #giveBack(): void {
    if (this.#bytes.length === KEPT_BYTES && ByteWriter.#idle.length < MOST_IDLE)
      ByteWriter.#idle.push(this.#bytes)
  }

  /** Nearly every text here is a short name: a loop is faster than crossing into native code. */
  #writeShortAscii(text: string): boolean {
    this.#reserve(text.length + 1)
    const start = this.#length + 1
    for (let index = 0; index < text.length; index++) {
      const unit = text.charCodeAt(index)
      if (unit > 0x7f) return false
      this.#bytes[start + index] = unit
    }
    this.#bytes[this.#length] = text.length
    this.#length = start + text.length
    return true
  }

  #reserve(moreBytes: number): void {
    if (this.#length + moreBytes <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + moreBytes))
    larger.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = larger
  }
}
