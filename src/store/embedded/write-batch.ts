/**
 * Operations that take place together. Kept as a list, so that one that failed for want of room can be written
 * again. Store thread.
 */

type Operation =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: Uint8Array }

export class WriteBatch {
  readonly #operations: Operation[] = []
  #sizeBytes = 0

  /** In order; a later one of the same key wins. */
  get operations(): Operation[] {
    return this.#operations
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  put(key: Uint8Array, value: Uint8Array): void {
    this.#operations.push({ type: 'put', key, value })
    this.#sizeBytes += key.length + value.length
  }

  delete(key: Uint8Array): void {
    this.#operations.push({ type: 'del', key })
    this.#sizeBytes += key.length
  }

  /** Appends another batch's operations. */
  addAll(other: WriteBatch): void {
    for (const operation of other.#operations) this.#operations.push(operation)
    this.#sizeBytes += other.#sizeBytes
  }
}
