/**
 * A first-in first-out queue whose front can be given back to. Pure; used by the main side of a policy worker. The
 * bound is the pool's, which counts over all workers.
 */

/** Cut the consumed front off once it is this long: shift() of an array would move all that follows, every time. */
const COMPACT_AT = 1024

export class RunBacklog<T> {
  #items: T[] = []
  #head = 0

  get size(): number {
    return this.#items.length - this.#head
  }

  push(item: T): void {
    this.#items.push(item)
  }

  /** Puts items before all others, in their order. */
  giveBack(items: readonly T[]): void {
    this.#items = [...items, ...this.#items.slice(this.#head)]
    this.#head = 0
  }

  /** Removes and returns up to `count` items from the front. */
  take(count: number): readonly T[] {
    const taken = this.#items.slice(this.#head, this.#head + count)
    this.#head += taken.length
    if (this.#head === this.#items.length) {
      this.#items = []
      this.#head = 0
    } else if (this.#head >= COMPACT_AT) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return taken
  }
}
