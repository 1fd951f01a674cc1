/**
 * Decoded rows that a policy worker keeps from one batch of runs to the next, as long as nobody else changes them. Lives on
 * a policy worker.
 *
 * Only the fields that somebody has asked for are kept up to date: policies write more than they read, and changes that waited
 * for a reader who does not come would become old for the garbage collector. Whoever asks for another field that has changed
 * meanwhile has the row read again. What was asked of a row is known until it is forgotten: two readers of two fields would
 * otherwise have it read again for each other, for ever.
 *
 * Bounded by rows, by the size of each, and by how much each may have grown since it was read: a row that has taken many
 * changes is read again, smaller. The rows are in two halves; when the newer is full, it becomes the older one and what was the
 * older is forgotten, so rows in use stay.
 */
import { TrackError } from '../errors.ts'
import type { RowWatch } from '../store/store.ts'
import { chunksToApply } from '../trends/row-chunks.ts'
import type { TrendChange } from '../trends/trend-change.ts'
import type { TrendField } from '../trends/trend-definition.ts'
import type { TrendRow } from '../trends/trend-row.ts'

const ROWS_PER_HALF = 2_048
/** Encoded; a larger row serves one batch. */
const LARGEST_BYTES = 8_192
const MOST_CHANGES = 64

interface KeptRow {
  /** Ids of the fields that somebody has asked for: these are up to date. */
  readonly asked: number[]
  /** Undefined when the row must be read again. */
  taken: TakenRow | undefined
}

/** A row with the changes of the runs since it was read. */
interface TakenRow {
  readonly row: TrendRow
  /** Undefined when the row is good for the batch in which it was read, and no longer. */
  readonly watch: RowWatch | undefined
  /** The batch in which the row was last known to be good. */
  batch: number
  /** How many changes it has taken since it was read. */
  changes: number
  /** Ids of the fields that nobody has asked for and that were changed. */
  readonly outdated: number[]
}

/** A row as it was just read. */
export interface FreshRow {
  readonly row: TrendRow
  /** Encoded. */
  readonly sizeBytes: number
  readonly watch: RowWatch | undefined
  /** Changes of ended runs that the store does not have yet; the sketches that they need are loaded. */
  readonly pending: readonly TrendChange[]
}

export class KeptRows {
  #newer = new Map<string, KeptRow>()
  #older = new Map<string, KeptRow>()
  #batch = 0

  /** From now on a row is only good if nobody else has changed it. */
  nextBatch(): void {
    this.#batch++
  }

  /** A row of which this field is up to date, and stays so. */
  get(name: string, field: TrendField): TrendRow | undefined {
    const kept = this.#find(name)
    if (kept?.taken === undefined) return undefined
    const { asked, taken } = kept
    if (!this.#isGood(taken) || taken.outdated.includes(field.id)) {
      kept.taken = undefined
      return undefined
    }
    if (!asked.includes(field.id)) asked.push(field.id)
    return taken.row
  }

  /**
   * Keeps a row for a reader of this field.
   *
   * @throws TrackError TRK_TREND_DAMAGED when a field that somebody has asked for cannot take what is pending
   */
  keep(name: string, field: TrendField, { row, sizeBytes, watch, pending }: FreshRow): void {
    // A sketch that stands apart is loaded when it is needed, and may then hold changes that the row has taken since it was read:
    // such a row is read anew for each batch.
    const mayStay = sizeBytes <= LARGEST_BYTES && !row.hasStoredChunks
    const taken = {
      row,
      watch: mayStay ? watch : undefined,
      batch: this.#batch,
      changes: 0,
      outdated: [],
    }
    const asked = this.#find(name)?.asked ?? []
    if (!asked.includes(field.id)) asked.push(field.id)
    for (const change of pending) putOn({ asked, taken }, change)
    // However many are pending: the row cannot be read smaller before the store has them.
    taken.changes = 0
    this.#add(name, { asked, taken })
  }

  /** Puts changes on a row, if it is kept. One that does not fit the row any more is left out, as the store leaves it out. */
  change(name: string, changes: readonly TrendChange[]): void {
    const kept = this.#find(name)
    if (kept?.taken === undefined) return
    const { asked, taken } = kept
    // One that lacks a sketch for these changes is read again, with it, when somebody asks.
    if (taken.changes > MOST_CHANGES || chunksToApply(taken.row, changes).length > 0) {
      kept.taken = undefined
      return
    }
    try {
      for (const change of changes) putOn({ asked, taken }, change)
    } catch (error) {
      if (!(error instanceof TrackError)) throw error
      // A damaged field: whoever reads it hears of it. The run that has changed it has ended well.
      kept.taken = undefined
    }
  }

  #isGood(taken: TakenRow): boolean {
    if (taken.batch === this.#batch) return true
    if (taken.watch?.isUnchanged() !== true) return false
    taken.batch = this.#batch
    return true
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
}

/** The sketches that stand apart from the row and that the change needs have been loaded. */
function putOn({ asked, taken }: KeptRow & { readonly taken: TakenRow }, change: TrendChange): void {
  const { row, outdated } = taken
  const isOfRow = change.op === 'reset' || change.op === 'touch'
  // A row with sketches apart serves one batch, with everything in it.
  if (!isOfRow && !row.hasStoredChunks && !asked.includes(change.fieldId)) {
    if (!outdated.includes(change.fieldId)) outdated.push(change.fieldId)
    row.moveOn(change)
    return
  }
  taken.changes++
  const outcome = row.apply(change)
  if (outcome === 'chunk-missing')
    throw new TrackError('TRK_TREND_INCOMPLETE', `trend database ${row.definition.name}`)
  if (change.op === 'reset' && outcome === 'applied') outdated.length = 0
}
