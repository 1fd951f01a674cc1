/**
 * Reads what byte-writer.ts writes. Pure; lives on policy workers and on the store thread. It never throws: reading past
 * the end or a malformed number gives 0 and leaves `failed` set, which whoever decodes checks once, at the end.
 */

const EMPTY = new Uint8Array(0)
const MOST_VARINT_BYTES = 8

/** A position in a byte string that others own; nothing is copied. */
export class ByteReader {
  readonly #bytes: Uint8Array
  #at: number
  #failed = false

  constructor(bytes: Uint8Array, from = 0) {
    this.#bytes = bytes
    this.#at = from
  }

  /** Something that was read was not there. Stays true. */
  get failed(): boolean {
    return this.#failed
  }

  /** Position of the next byte. */
  get offset(): number {
    return this.#at
  }

  get remaining(): number {
    return this.#bytes.length - this.#at
  }

  /** True when there is more to read and nothing failed: the condition of a loop over entries. */
  get hasMore(): boolean {
    return !this.#failed && this.#at < this.#bytes.length
  }

  readByte(): number {
    if (this.#at >= this.#bytes.length) return this.#fail()
    return this.#bytes[this.#at++] ?? 0
  }

  readUint24(): number {
    if (this.remaining < 3) return this.#fail()
    const bytes = this.#bytes
    const at = this.#at
    this.#at = at + 3
    return ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0)
  }

  readUint32(): number {
    const top = this.readByte()
    return top * 0x1000000 + this.readUint24()
  }

  readUint48(): number {
    const top = this.readUint24()
    return top * 0x1000000 + this.readUint24()
  }

  readVarint(): number {
    let value = 0
    let factor = 1
    for (let count = 0; count < MOST_VARINT_BYTES; count++) {
      if (this.#at >= this.#bytes.length) return this.#fail()
      const byte = this.#bytes[this.#at++] ?? 0
      if (byte < 0x80) {
        value += byte * factor
        return value <= Number.MAX_SAFE_INTEGER ? value : this.#fail()
      }
      value += (byte & 0x7f) * factor
      factor *= 128
    }
    return this.#fail()
  }

  readNumber(): number {
    const zigzag = this.readVarint()
    if (zigzag === 0) return this.#failed ? 0 : this.readDouble()
    return zigzag % 2 === 0 ? -zigzag / 2 : (zigzag - 1) / 2
  }

  readDouble(): number {
    if (this.remaining < 8) return this.#fail()
    const view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset + this.#at, 8)
    this.#at += 8
    return view.getFloat64(0)
  }

  /** A view of the next bytes, not a copy. */
  readBytes(lengthBytes: number): Uint8Array {
    if (lengthBytes > this.remaining) {
      this.#fail()
      return EMPTY
    }
    const start = this.#at
    this.#at += lengthBytes
    return this.#bytes.subarray(start, this.#at)
  }

  readSized(): Uint8Array {
    return this.readBytes(this.readVarint())
  }

  readText(): string {
    const bytes = this.readSized()
    let text = ''
    for (let index = 0; index < bytes.length; index++) {
      const byte = bytes[index] ?? 0
      // Nearly every text here is a short ASCII name.
      if (byte > 0x7f || index > 0x7f) return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
      text += String.fromCharCode(byte)
    }
    return text
  }

  skip(lengthBytes: number): void {
    if (lengthBytes > this.remaining) this.#fail()
    else this.#at += lengthBytes
  }

  #fail(): 0 {
    this.#failed = true
    this.#at = this.#bytes.length
    return 0
  }
}
