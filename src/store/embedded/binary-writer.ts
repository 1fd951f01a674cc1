/**
 * Writes numbers, texts and bytes one after another into a buffer that grows. Holds one value at a time; used by the
 * records of the store on the main thread and on the store thread. The format is read back by BinaryReader.
 */
import { Buffer } from 'node:buffer'

const FIRST_SIZE_BYTES = 512

export class BinaryWriter {
  #buffer = Buffer.allocUnsafeSlow(FIRST_SIZE_BYTES)
  #length = 0

  get length(): number {
    return this.#length
  }

  /** Begins a new value in the same memory. */
  reset(): this {
    this.#length = 0
    return this
  }

  byte(value: number): this {
    this.#reserve(1)
    this.#buffer[this.#length++] = value
    return this
  }

  setByte(at: number, value: number): void {
    this.#buffer[at] = value
  }

  uint32(value: number): this {
    this.#reserve(4)
    this.#length = this.#buffer.writeUInt32BE(value, this.#length)
    return this
  }

  double(value: number): this {
    this.#reserve(8)
    this.#length = this.#buffer.writeDoubleBE(value, this.#length)
    return this
  }

  /** Unsigned integer to 2^53, seven bits per byte, lowest first. */
  varint(value: number): this {
    this.#reserve(8)
    let rest = value
    while (rest > 0x7f) {
      this.#buffer[this.#length++] = (rest % 0x80) | 0x80
      rest = Math.floor(rest / 0x80)
    }
    this.#buffer[this.#length++] = rest
    return this
  }

  bytes(value: Uint8Array): this {
    this.varint(value.length)
    return this.raw(value)
  }

  raw(value: Uint8Array): this {
    this.#reserve(value.length)
    this.#buffer.set(value, this.#length)
    this.#length += value.length
    return this
  }

  /**
   * Any JavaScript string, lone surrogates included: its length doubled, plus one for UTF-16, then its bytes. Nearly
   * every text is well formed and takes UTF-8.
   */
  text(value: string): this {
    const isUtf8 = value.isWellFormed()
    const sizeBytes = isUtf8 ? Buffer.byteLength(value, 'utf8') : value.length * 2
    this.varint(sizeBytes * 2 + (isUtf8 ? 0 : 1))
    this.#reserve(sizeBytes)
    this.#buffer.write(value, this.#length, sizeBytes, isUtf8 ? 'utf8' : 'utf16le')
    this.#length += sizeBytes
    return this
  }

  /** A copy of what was written, in memory of its own, so that it can be transferred to another thread. */
  copy(from = 0): Uint8Array<ArrayBuffer> {
    const copied = new Uint8Array(this.#length - from)
    copied.set(this.#buffer.subarray(from, this.#length))
    return copied
  }

  /** What was written, in place: valid until the next write. */
  view(from = 0): Uint8Array {
    return this.#buffer.subarray(from, this.#length)
  }

  #reserve(sizeBytes: number): void {
    const needed = this.#length + sizeBytes
    if (needed <= this.#buffer.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2))
    grown.set(this.#buffer.subarray(0, this.#length))
    this.#buffer = grown
  }
}
