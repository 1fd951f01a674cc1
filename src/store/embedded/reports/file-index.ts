/**
 * What a report file is searched by: the places of a login's or an address's reports. In memory while the file grows or its
 * index is made anew (`GrowingIndex`), from a file beside it afterwards (index-file.ts). Store thread.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { SLOTS } from '../keys.ts'
import { isIndexed, readEntries, type SegmentEntry } from '../segment.ts'
import { RecentIndex } from './recent-index.ts'
import type { SegmentTable } from './segment-table.ts'

/** What history is looked up by. */
export type IndexKind = 'login' | 'address'

/** A segment's index in its file's table, the slot in it, success. */
export interface FilePlace {
  readonly index: number
  readonly slot: number
  readonly success: boolean
}

export interface FileIndex {
  /**
   * Coded places of a hash, the newest first; each is lower than the one before.
   *
   * @throws DamagedPage
   */
  find(kind: IndexKind, hash: number): Iterable<number>
}

/** How long others may have to wait while a file is gone through. */
const SLICE_MS = 2
const PLACES_OF_SEGMENT = SLOTS * 2

export function placeOf(code: number): FilePlace {
  const rest = code % PLACES_OF_SEGMENT
  return { index: Math.floor(code / PLACES_OF_SEGMENT), slot: rest >>> 1, success: (rest & 1) === 1 }
}

export class GrowingIndex implements FileIndex {
  readonly #login = new RecentIndex()
  readonly #address = new RecentIndex()

  get entries(): number {
    return this.#login.length
  }

  add(index: number, { slot, success, loginHash, remoteHash }: SegmentEntry): void {
    const code = index * PLACES_OF_SEGMENT + slot * 2 + (success ? 1 : 0)
    this.#login.add(loginHash, code)
    this.#address.add(remoteHash, code)
  }

  find(kind: IndexKind, hash: number): Iterable<number> {
    return this.#of(kind).find(hash)
  }

  sorted(kind: IndexKind): Iterable<readonly [hash: number, place: number]> {
    return this.#of(kind).sorted()
  }

  #of(kind: IndexKind): RecentIndex {
    return kind === 'login' ? this.#login : this.#address
  }
}

/** Goes through a file and makes its index; corrects how many reports of each segment history finds. */
export async function buildIndex(
  table: SegmentTable,
  readStored: (index: number) => Uint8Array,
): Promise<GrowingIndex> {
  const built = new GrowingIndex()
  await inSlices(addSegments(built, table, readStored))
  return built
}

function* addSegments(
  to: GrowingIndex,
  table: SegmentTable,
  readStored: (index: number) => Uint8Array,
): Generator<void> {
  for (let index = 0; index < table.length; index++) {
    const stored = readStored(index)
    const entries = isIndexed(stored) ? readEntries(stored) : []
    table.setReports(index, entries.length)
    for (const entry of entries) to.add(index, entry)
    yield
  }
}

/** Goes on with something in steps, and lets others pass now and then. */
export async function inSlices(steps: Iterator<unknown>): Promise<void> {
  let endMs = performance.now() + SLICE_MS
  while (steps.next().done !== true) {
    if (performance.now() < endMs) continue
    await nextTurn()
    endMs = performance.now() + SLICE_MS
  }
}
