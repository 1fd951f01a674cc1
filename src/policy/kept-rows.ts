/**
 * Decoded rows that a policy worker keeps from one batch of runs to the next, as long as nobody else changes them. Lives on
 * a policy worker.
 *
 * Bounded by rows, by the size of each, and by how much each may have grown since it was read: a row that has taken many
 * changes is read again, smaller, from the store, which has them by then. The rows are in two halves; when the newer is full, it
 * becomes the older one and what was the older is forgotten, so rows in use stay.
 */
import { TrackError } from '../errors.ts'
import type { RowWatch } from '../store/store.ts'
import { chunksToApply } from '../trends/row-chunks.ts'
import type { TrendChange } from '../trends/trend-change.ts'
import type { TrendRow } from '../trends/trend-row.ts'

const ROWS_PER_HALF = 2_048
/** Encoded; a larger row serves one batch. */
const LARGEST_BYTES = 8_192
const MOST_CHANGES = 64

interface KeptRow {
  readonly row: TrendRow
  /** Undefined when the row is good for the batch in which it was read, and no longer. */
  readonly watch: RowWatch | undefined
  /** The batch in which the row was last known to be good. */
  batch: number
  changes: number
}

export class KeptRows {
  #newer = new Map<string, KeptRow>()
  #older = new Map<string, KeptRow>()
  #batch = 0

  /** From now on a row is only good if nobody else has changed it. */
  nextBatch(): void {
    this.#batch++
  }

  get(name: string): TrendRow | undefined {
    const kept = this.#find(name)
    if (kept === undefined) return undefined
    if (kept.batch !== this.#batch) {
      if (kept.watch?.isUnchanged() !== true) {
        this.#drop(name)
        return undefined
      }
      kept.batch = this.#batch
    }
    return kept.row
  }

  /** Keeps a row that was just read; `sizeBytes` is what was read. */
  keep(
    name: string,
    row: TrendRow,
    read: { readonly sizeBytes: number; readonly watch: RowWatch | undefined },
  ): void {
    // Sketches that stand apart are changed by others without a note: such a row is read anew for each batch.
    const mayStay = read.sizeBytes <= LARGEST_BYTES && !row.hasStoredChunks
    const watch = mayStay ? read.watch : undefined
    this.#add(name, { row, watch, batch: this.#batch, changes: 0 })
  }

  /** Puts changes on a row, if it is kept. One that does not fit the row any more is left out, as the store leaves it out. */
  change(name: string, changes: readonly TrendChange[]): void {
    const kept = this.#find(name)
    if (kept === undefined) return
    kept.changes += changes.length
    // One that lacks a sketch for these changes is read again, with it, when somebody asks.
    if (kept.changes > MOST_CHANGES || chunksToApply(kept.row, changes).length > 0) {
      this.#drop(name)
      return
    }
    putOn(kept.row, changes)
  }

  #find(name: string): KeptRow | undefined {
    const newer = this.#newer.get(name)
    if (newer !== undefined) return newer
    const older = this.#older.get(name)
    if (older !== undefined) this.#add(name, older)
    return older
  }

  #add(name: string, kept: KeptRow): void {
    if (this.#newer.size >= ROWS_PER_HALF) {
      this.#older = this.#newer
      this.#newer = new Map()
    }
    this.#newer.set(name, kept)
  }

  #drop(name: string): void {
    this.#newer.delete(name)
    this.#older.delete(name)
  }
}

/**
 * Puts changes on a row, for which its sketches that stand apart have been loaded; later, where there are none of these: most
 * fields that are changed are not read.
 */
export function putOn(row: TrendRow, changes: readonly TrendChange[]): void {
  for (const change of changes) {
    if (!row.hasStoredChunks) row.applyLater(change)
    else if (row.apply(change) === 'chunk-missing')
      throw new TrackError('TRK_TREND_INCOMPLETE', `trend database ${row.definition.name}`)
  }
}
