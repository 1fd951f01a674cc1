/**
 * Named counters over the last five minutes, as the reference's stats commands show them. Pure but for the clock.
 */

const WINDOW_MS = 300_000
const SLOT_MS = 5_000
const SLOTS = WINDOW_MS / SLOT_MS
/** A name beyond these is not counted apart: names may come from requests. */
const MAX_NAMES = 1000

interface Slot {
  readonly number: number
  readonly counts: Map<string, number>
}

/** Counts events by name; a reading covers the last 300 seconds, exact to a slot of five. */
export class SlidingCounters {
  readonly #now: () => number
  #names: Set<string>
  #slots: Slot[] = []

  /** @param names counters that are shown even at 0. */
  constructor(now: () => number, names: Iterable<string> = []) {
    this.#now = now
    this.#names = new Set(names)
  }

  /** Shows these names from now on, and no others but those that are counted later: what others counted is gone. */
  show(names: Iterable<string>): void {
    const shown = new Set(names)
    this.#names = shown
    for (const { counts } of this.#slots) {
      for (const name of counts.keys()) if (!shown.has(name)) counts.delete(name)
    }
  }

  add(name: string, count = 1): void {
    if (!this.#names.has(name)) {
      if (this.#names.size >= MAX_NAMES) return
      this.#names.add(name)
    }
    const number = Math.floor(this.#now() / SLOT_MS)
    let slot = this.#slots.at(-1)
    if (slot?.number !== number) {
      slot = { number, counts: new Map() }
      this.#slots.push(slot)
      this.#dropOld(number)
    }
    slot.counts.set(name, (slot.counts.get(name) ?? 0) + count)
  }

  /** Every name and its count over the window, in the order in which the names became known. */
  read(): Readonly<Record<string, number>> {
    this.#dropOld(Math.floor(this.#now() / SLOT_MS))
    const sums = new Map<string, number>()
    for (const name of this.#names) sums.set(name, 0)
    for (const slot of this.#slots) {
      for (const [name, count] of slot.counts) sums.set(name, (sums.get(name) ?? 0) + count)
    }
    return Object.fromEntries(sums)
  }

  #dropOld(current: number): void {
    if ((this.#slots[0]?.number ?? current) > current - SLOTS) return
    this.#slots = this.#slots.filter((slot) => slot.number > current - SLOTS)
  }
}
