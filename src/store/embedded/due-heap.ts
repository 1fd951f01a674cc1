/**
 * Times with their ids, the earliest first: a binary heap. Bounded by what its owner puts in. Pure; store thread.
 */

export interface DueItem {
  readonly id: number
  readonly atMs: number
}

export class DueHeap {
  readonly #items: DueItem[] = []

  get size(): number {
    return this.#items.length
  }

  first(): DueItem | undefined {
    return this.#items[0]
  }

  add(item: DueItem): void {
    const items = this.#items
    let at = items.length
    items.push(item)
    while (at > 0) {
      const parentAt = (at - 1) >> 1
      const parent = items[parentAt]
      if (parent === undefined || isEarlier(parent, item)) break
      items[at] = parent
      at = parentAt
    }
    items[at] = item
  }

  removeFirst(): void {
    const items = this.#items
    const last = items.pop()
    if (last === undefined || items.length === 0) return
    let at = 0
    for (;;) {
      const childAt = this.#earlierChild(at)
      const child = items[childAt]
      if (child === undefined || isEarlier(last, child)) break
      items[at] = child
      at = childAt
    }
    items[at] = last
  }

  #earlierChild(at: number): number {
    const left = this.#items[2 * at + 1]
    const right = this.#items[2 * at + 2]
    return left !== undefined && right !== undefined && isEarlier(right, left) ? 2 * at + 2 : 2 * at + 1
  }
}

/** Equal times: the lower id, which is older. */
function isEarlier(a: DueItem, b: DueItem): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.id < b.id)
}
