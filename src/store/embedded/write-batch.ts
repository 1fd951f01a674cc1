/**
 * Operations that take place together. Kept as a list rather than in LevelDB's own batch, so that one that failed for
 * want of room can be written again. Store thread.
 */

interface Operation {
  readonly key: Uint8Array
  /** undefined: the key is removed. */
  readonly value: Uint8Array | undefined
}

export class WriteBatch {
  readonly #operations: Operation[] = []
  #sizeBytes = 0

  get operations(): readonly Operation[] {
    return this.#operations
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  put(key: Uint8Array, value: Uint8Array): void {
    this.#operations.push({ key, value })
    this.#sizeBytes += key.length + value.length
  }

  delete(key: Uint8Array): void {
    this.#operations.push({ key, value: undefined })
    this.#sizeBytes += key.length
  }

  /** Appends another batch's operations. */
  addAll(other: WriteBatch): void {
    for (const operation of other.#operations) this.#operations.push(operation)
    this.#sizeBytes += other.#sizeBytes
  }
}
