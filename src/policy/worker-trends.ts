/**
 * Trends as one policy worker sees them: what is committed, and on top of it what its own ended runs have changed and the
 * store has not committed yet. So a run sees every change of the earlier reports of its login, which all ran here.
 * Lives on a policy worker.
 *
 * Rows are read from a view of the store that does not change. The view says up to which of this worker's runs it contains,
 * so the changes to put on top are exactly those of the later ones: none twice, none missing. A view is held for one batch of
 * runs. A row that was read is kept, with the changes of the runs since, for as long as nobody else changes it.
 */
import { TrackError } from '../errors.ts'
import type { CommitStamp, RowWatch, TrendReader, TrendView } from '../store/store.ts'
import { decodeRow } from '../trends/row-codec.ts'
import { RowNames } from '../trends/row-names.ts'
import type { RunChanges } from '../trends/run-changes.ts'
import type { TrendChange } from '../trends/trend-change.ts'
import type { TrendDefinition } from '../trends/trend-definition.ts'
import type { TrendRow } from '../trends/trend-row.ts'
import { KeptRows } from './kept-rows.ts'

/** While all rows are kept no view is opened, and none says which changes the store has; after so many runs one is. */
const MOST_RUNS_WITHOUT_VIEW = 128

/** What one ended run has changed in one row. */
interface PendingChange {
  readonly number: number
  readonly changes: readonly TrendChange[]
}

/** What goes to the store with a run's outcome. */
export interface EndedChanges {
  readonly deltas: Uint8Array
  readonly commit: CommitStamp
}

export class WorkerTrends {
  readonly #reader: TrendReader
  readonly #worker: number
  #view: TrendView | undefined
  readonly #rows = new KeptRows()
  readonly #names = new RowNames()
  /** Changes of ended runs that the view may not contain, by row. */
  readonly #pending = new Map<string, PendingChange[]>()
  /** Changes of runs up to this one are no longer in `#pending`. */
  #forgottenUpTo = -1
  #lastNumber = 0
  #runsSinceView = 0

  /** @param worker number of this thread, never used twice in the life of the process. */
  constructor(reader: TrendReader, worker: number) {
    this.#reader = reader
    this.#worker = worker
  }

  /** Lets go of the view: what is read from now on is read from a new one. Called between batches of runs. */
  releaseView(): void {
    this.#view?.close()
    this.#view = undefined
    this.#rows.nextBatch()
  }

  /** The row of a key, not to be changed by the caller. A promise where the store answers with one. */
  readRow(definition: TrendDefinition, key: Uint8Array): TrendRow | Promise<TrendRow> {
    const name = this.#names.of(definition.name, key)
    const known = this.#rows.get(name)
    if (known !== undefined) return known
    const view = this.#openView()
    if (view instanceof Promise)
      return view.then((opened) => this.#readFrom(opened, { definition, key, name }))
    return this.#readFrom(view, { definition, key, name })
  }

  /** Rows of a database, as of the last commit that the view contains. */
  size(definition: TrendDefinition): number | Promise<number> {
    const view = this.#openView()
    return view instanceof Promise
      ? view.then((opened) => opened.countRows(definition.name))
      : view.countRows(definition.name)
  }

  /** A run has ended well: its changes count for the runs after it, and are handed over for the store. */
  runEnded(changes: RunChanges): EndedChanges | undefined {
    if (changes.size === 0) return undefined
    const number = ++this.#lastNumber
    for (const row of changes.rows()) {
      const pending = this.#pending.get(row.name)
      const change = { number, changes: row.changes }
      if (pending === undefined) this.#pending.set(row.name, [change])
      else pending.push(change)
      this.#rows.change(row.name, row.changes)
    }
    this.#runsSinceView++
    if (this.#runsSinceView > MOST_RUNS_WITHOUT_VIEW) this.#forgetSome()
    return { deltas: changes.encode(), commit: { worker: this.#worker, number } }
  }

  close(): Promise<void> {
    this.releaseView()
    return this.#reader.close()
  }

  #openView(): TrendView | Promise<TrendView> {
    if (this.#view !== undefined) return this.#view
    const opening = this.#reader.openView()
    return opening instanceof Promise ? opening.then((view) => this.#keepLate(view)) : this.#keep(opening)
  }

  /** A view that was waited for may be overtaken by a newer one, for which changes that it lacks were forgotten. */
  #keepLate(view: TrendView): TrendView | Promise<TrendView> {
    if (this.#view !== undefined || view.appliedCommit >= this.#forgottenUpTo) return this.#keep(view)
    view.close()
    return this.#openView()
  }

  #keep(view: TrendView): TrendView {
    // Opened twice while two runs waited for it: one is enough.
    if (this.#view !== undefined) {
      view.close()
      return this.#view
    }
    this.#view = view
    this.#runsSinceView = 0
    this.#forgetCommitted(view.appliedCommit)
    return view
  }

  /** A view that is opened for what it says alone. */
  #forgetSome(): void {
    this.#runsSinceView = 0
    const view = this.#openView()
    // Only a store that is being opened again answers late, and whoever reads a row hears if it cannot be.
    if (view instanceof Promise) view.catch(() => undefined)
  }

  #forgetCommitted(appliedCommit: number): void {
    this.#forgottenUpTo = appliedCommit
    for (const [name, pending] of this.#pending) {
      const open = pending.filter(({ number }) => number > appliedCommit)
      if (open.length === 0) this.#pending.delete(name)
      else if (open.length < pending.length) this.#pending.set(name, open)
    }
  }

  #readFrom(view: TrendView, wanted: WantedRow): TrendRow | Promise<TrendRow> {
    const { definition, key } = wanted
    const watch = view.watchRow?.(definition.name, key)
    const bytes = view.readRow(definition.name, key)
    if (!(bytes instanceof Promise)) return this.#decode(wanted, bytes, watch)
    return bytes.then((read) =>
      // While this read waited, the view was let go, and with a newer one changes that it contains: ask that one.
      view === this.#view ? this.#decode(wanted, read, watch) : this.readRow(definition, key),
    )
  }

  #decode(
    { definition, name }: WantedRow,
    bytes: Uint8Array | undefined,
    watch: RowWatch | undefined,
  ): TrendRow {
    const decoded = decodeRow(definition, bytes)
    if (!decoded.ok) throw new TrackError('TRK_TREND_DAMAGED', `${definition.name}: ${decoded.reason}`)
    this.#rows.keep(name, decoded.row, { sizeBytes: bytes?.length ?? 0, watch })
    for (const { changes } of this.#pending.get(name) ?? []) {
      for (const change of changes) decoded.row.applyLater(change)
    }
    return decoded.row
  }
}

interface WantedRow {
  readonly definition: TrendDefinition
  readonly key: Uint8Array
  readonly name: string
}
