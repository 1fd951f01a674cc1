/**
 * Who changed trend rows last, in memory that all threads share, so that a policy worker may keep rows that only it
 * changes. The store thread notes what it has written; readers on policy workers ask.
 *
 * Rows share slots by their hash. A slot has an owner, 0 at first, and a version that changes whenever somebody other than
 * the owner has changed one of its rows. A row that was read while its slot was the reader's own, or nobody's, is then the
 * same, but for the reader's own changes, for as long as the version stays. Versions come from one counter, so that a view
 * can tell whether a slot has changed since it was opened.
 */
import type { RowWatch } from '../store.ts'

/** Slots; a collision only costs a row that is read again. */
const SLOTS = 1 << 15
const COUNTER = 0
const OWNERS = 1
const VERSIONS = OWNERS + SLOTS
/** 32-bit FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/ */
const FNV_OFFSET = 0x811c9dc5
const FNV_PRIME = 0x01000193

/** The owner of rows that no worker has changed, or the store itself: by expiry or when it was told to forget somebody. */
export const NO_OWNER = 0

export class RowOwners {
  /** To be given to other threads. */
  readonly shared: SharedArrayBuffer
  readonly #cells: Int32Array

  constructor(shared = new SharedArrayBuffer((VERSIONS + SLOTS) * Int32Array.BYTES_PER_ELEMENT)) {
    this.shared = shared
    this.#cells = new Int32Array(shared)
  }

  /** Store thread: a change of this row by this worker can be read from now on. */
  changed(rowKey: Uint8Array, worker: number): void {
    this.#changeSlot(slotOf(rowKey), worker)
  }

  /** Store thread: what was noted may be incomplete. */
  changedAll(): void {
    for (let slot = 0; slot < SLOTS; slot++) this.#changeSlot(slot, NO_OWNER)
  }

  /** To be asked for before a view is opened. */
  version(): number {
    return Atomics.load(this.#cells, COUNTER)
  }

  /**
   * A watch of a row that a worker reads from a view.
   *
   * @param version what `version` said before the view was opened
   * @returns undefined when the row may have changed since, or another worker changes it
   */
  watch(rowKey: Uint8Array, worker: number, version: number): RowWatch | undefined {
    const cells = this.#cells
    const slot = slotOf(rowKey)
    // In this order: whoever changes the owner changes the version after it.
    const found = Atomics.load(cells, VERSIONS + slot)
    const owner = Atomics.load(cells, OWNERS + slot)
    if (owner !== NO_OWNER && owner !== worker) return undefined
    // A difference, since the counter begins again after 2^32.
    if (((found - version) | 0) > 0) return undefined
    return { isUnchanged: () => Atomics.load(cells, VERSIONS + slot) === found }
  }

  #changeSlot(slot: number, worker: number): void {
    const cells = this.#cells
    if (worker !== NO_OWNER && Atomics.load(cells, OWNERS + slot) === worker) return
    Atomics.store(cells, OWNERS + slot, worker)
    Atomics.store(cells, VERSIONS + slot, Atomics.add(cells, COUNTER, 1) + 1)
  }
}

function slotOf(rowKey: Uint8Array): number {
  let hash = FNV_OFFSET
  for (let index = 0; index < rowKey.length; index++) hash = Math.imul(hash ^ (rowKey[index] ?? 0), FNV_PRIME)
  return (hash ^ (hash >>> 15)) & (SLOTS - 1)
}
