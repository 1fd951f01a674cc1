/**
 * Cuts what arrives on a control connection into frames, however the network has cut it. Pure. It holds at most the one
 * frame that is incomplete.
 */
import { HEADER_BYTES, MAC_BYTES } from './channel.ts'

export class FrameSplitter {
  #headerBytes = 0
  #boxBytes = 0
  /** Of the length that the header says; undefined until the header is there. */
  #box: Uint8Array | undefined = undefined
  #filled = 0

  /** A frame has begun and not ended. */
  get isInFrame(): boolean {
    return this.#headerBytes > 0
  }

  /**
   * The boxes that this chunk completes, in order, each without its header. They are read one by one, so that a caller
   * who stops leaves the rest undone. `'short'` stands for a frame that is too short for any message; what follows it
   * means nothing.
   */
  *split(chunk: Uint8Array): Generator<Uint8Array | 'short', void> {
    let from = 0
    while (from < chunk.length) {
      if (this.#box === undefined) {
        this.#boxBytes = ((this.#boxBytes << 8) | (chunk[from] ?? 0)) & 0xffff
        this.#headerBytes += 1
        from += 1
        if (this.#headerBytes < HEADER_BYTES) continue
        if (this.#boxBytes < MAC_BYTES) {
          yield 'short'
          return
        }
        this.#box = new Uint8Array(this.#boxBytes)
        continue
      }
      const part = chunk.subarray(from, from + this.#boxBytes - this.#filled)
      this.#box.set(part, this.#filled)
      this.#filled += part.length
      from += part.length
      if (this.#filled === this.#boxBytes) yield this.#take(this.#box)
    }
  }

  #take(box: Uint8Array): Uint8Array {
    this.#headerBytes = 0
    this.#boxBytes = 0
    this.#box = undefined
    this.#filled = 0
    return box
  }
}
