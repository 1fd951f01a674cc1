/**
 * Reads what BinaryWriter wrote. Every read checks the bounds: bytes that end too early are damage, never a wrong value.
 * Pure; used on the main thread and on the store thread.
 */
import { Buffer } from 'node:buffer'
import { TrackError } from '../../errors.ts'
import { textHash } from './text-hash.ts'

/** Beyond it a number would not be exact. */
const MAX_VARINT_BYTES = 8

export class BinaryReader {
  readonly #buffer: Buffer
  #at: number

  constructor(bytes: Uint8Array, at = 0) {
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#at = at
  }

  get position(): number {
    return this.#at
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#buffer.length
  }

  byte(): number {
    return this.#buffer.readUInt8(this.#advance(1))
  }

  uint32(): number {
    return this.#buffer.readUInt32BE(this.#advance(4))
  }

  double(): number {
    return this.#buffer.readDoubleBE(this.#advance(8))
  }

  varint(): number {
    let value = 0
    let factor = 1
    for (let count = 0; count < MAX_VARINT_BYTES; count++) {
      const byte = this.byte()
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
      factor *= 0x80
    }
    throw damaged('a number is longer than it can be')
  }

  /** A view into the value, not a copy. */
  bytes(): Uint8Array {
    return this.raw(this.varint())
  }

  raw(sizeBytes: number): Uint8Array {
    const start = this.#advance(sizeBytes)
    return this.#buffer.subarray(start, start + sizeBytes)
  }

  text(): string {
    const head = this.varint()
    const sizeBytes = Math.floor(head / 2)
    const start = this.#advance(sizeBytes)
    return this.#buffer.toString(head % 2 === 0 ? 'utf8' : 'utf16le', start, start + sizeBytes)
  }

  /** The hash of a text, without making a string of it; the same text has the same bytes. */
  textHash(): number {
    const start = this.skipText()
    return textHash(this.#buffer, start, this.#at)
  }

  /** Passes over a text; where it began. */
  skipText(): number {
    return this.#advance(Math.floor(this.varint() / 2))
  }

  #advance(sizeBytes: number): number {
    const start = this.#at
    if (start + sizeBytes > this.#buffer.length) throw damaged('a record ends too early')
    this.#at = start + sizeBytes
    return start
  }
}

function damaged(detail: string): TrackError {
  return new TrackError('TRK_STORE_DAMAGED', detail)
}
