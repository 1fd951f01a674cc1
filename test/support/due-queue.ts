/**
 * Entries of one hook by the time at which they are due: a binary heap. Pure; main thread. Its owner bounds it.
 */
import type { OutboxEntry } from '../../src/delivery/outbox.ts'

interface Node {
  readonly entry: OutboxEntry
  /** Entries due at the same time leave in the order in which they came. */
  readonly sequence: number
}

export class DueQueue {
  readonly #heap: Node[] = []
  #sequence = 0

  get size(): number {
    return this.#heap.length
  }

  /** Unix milliseconds at which the first entry is due. */
  get nextDueAtMs(): number | undefined {
    return this.#heap[0]?.entry.nextTryAtMs
  }

  push(entry: OutboxEntry): void {
    const node: Node = { entry, sequence: this.#sequence++ }
    let index = this.#heap.push(node) - 1
    while (index > 0) {
      const parentIndex = (index - 1) >> 1
      const parent = this.#heap[parentIndex]
      if (parent === undefined || !isBefore(node, parent)) break
      this.#heap[index] = parent
      index = parentIndex
    }
    this.#heap[index] = node
  }

  /** Takes the first entry out if it is due. */
  popDue(nowMs: number): OutboxEntry | undefined {
    const first = this.#heap[0]
    if (first === undefined || first.entry.nextTryAtMs > nowMs) return undefined
    const last = this.#heap.pop()
    if (last !== undefined && this.#heap.length > 0) this.#sink(last)
    return first.entry
  }

  /** Puts a node where the first one was and moves it down to its place. */
  #sink(node: Node): void {
    let index = 0
    for (;;) {
      const left = 2 * index + 1
      const childIndex = isBefore(this.#heap[left + 1], this.#heap[left]) ? left + 1 : left
      const child = this.#heap[childIndex]
      if (child === undefined || !isBefore(child, node)) break
      this.#heap[index] = child
      index = childIndex
    }
    this.#heap[index] = node
  }
}

function isBefore(a: Node | undefined, b: Node | undefined): boolean {
  if (a === undefined || b === undefined) return false
  const difference = a.entry.nextTryAtMs - b.entry.nextTryAtMs
  return difference < 0 || (difference === 0 && a.sequence < b.sequence)
}
