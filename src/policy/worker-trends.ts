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
import { chunkName, chunksToApply, loadChunks } from '../trends/row-chunks.ts'
import { decodeRow } from '../trends/row-codec.ts'
import { RowNames } from '../trends/row-names.ts'
import type { RunChanges } from '../trends/run-changes.ts'
import type { TrendDefinition, TrendField } from '../trends/trend-definition.ts'
import type { RowChunkRef, TrendRow } from '../trends/trend-row.ts'
import { KeptRows } from './kept-rows.ts'
import { UncommittedChanges } from './uncommitted-changes.ts'

/** While all rows are kept no view is opened, and none says which changes the store has; after so many runs one is. */
const MOST_RUNS_WITHOUT_VIEW = 128

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
  /** Changes of ended runs that the view may not contain. */
  readonly #uncommitted = new UncommittedChanges()
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

  /**
   * The row of a key, not to be changed by the caller, with everything that a question to this field needs. A promise
   * where the store answers with one.
   */
  readRow(definition: TrendDefinition, key: Uint8Array, field: TrendField): TrendRow | Promise<TrendRow> {
    const name = this.#names.of(definition.name, key)
    const known = this.#rows.get(name, field)
    if (known !== undefined && !known.hasStoredChunks) return known
    const wanted = { definition, key, field, name }
    const view = this.#openView()
    return view instanceof Promise
      ? view.then((opened) => this.#readFrom(opened, wanted))
      : this.#readFrom(view, wanted)
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
    const number = this.#uncommitted.add(changes)
    for (const row of changes.rows()) this.#rows.change(row.name, row.changes)
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
    if (this.#view !== undefined || view.appliedCommit >= this.#uncommitted.forgottenUpTo)
      return this.#keep(view)
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
    this.#uncommitted.forgetUpTo(view.appliedCommit)
    return view
  }

  /** A view that is opened for what it says alone. */
  #forgetSome(): void {
    this.#runsSinceView = 0
    const view = this.#openView()
    // Only a store that is being opened again answers late, and whoever reads a row hears if it cannot be.
    if (view instanceof Promise) view.catch(() => undefined)
  }

  #readFrom(view: TrendView, wanted: WantedRow): TrendRow | Promise<TrendRow> {
    const known = this.#rows.get(wanted.name, wanted.field)
    if (known !== undefined) return this.#complete(view, wanted, known)
    const watch = view.watchRow?.(wanted.definition.name, wanted.key)
    const bytes = view.readRow(wanted.definition.name, wanted.key)
    if (!(bytes instanceof Promise)) return this.#decode(view, wanted, { bytes, watch })
    return bytes.then((read) =>
      // While this read waited, the view was let go, and with a newer one changes that it contains: ask that one.
      view === this.#view ? this.#decode(view, wanted, { bytes: read, watch }) : this.#readAgain(wanted),
    )
  }

  #decode(view: TrendView, wanted: WantedRow, read: ReadRow): TrendRow | Promise<TrendRow> {
    const decoded = decodeRow(wanted.definition, read.bytes)
    if (!decoded.ok) throw damaged(wanted, decoded.reason)
    const { row } = decoded
    const pending = this.#uncommitted.of(wanted.name)
    const missing = chunksToApply(row, pending)
    const finish = (): TrendRow | Promise<TrendRow> => {
      const sizeBytes = read.bytes?.length ?? 0
      this.#rows.keep(wanted.name, wanted.field, { row, sizeBytes, watch: read.watch, pending })
      return this.#complete(view, wanted, row)
    }
    const loading = missing.length === 0 ? undefined : this.#load(view, wanted, { row, missing })
    if (loading === undefined) return finish()
    return loading.then(() => {
      const isSame = view === this.#view && pending.length === this.#uncommitted.of(wanted.name).length
      return isSame ? finish() : this.#readAgain(wanted)
    })
  }

  /** The row with the sketches of the field that is asked for. */
  #complete(view: TrendView, wanted: WantedRow, row: TrendRow): TrendRow | Promise<TrendRow> {
    const missing = row.missingChunks(wanted.field)
    const loading = missing.length === 0 ? undefined : this.#load(view, wanted, { row, missing })
    if (loading === undefined) return row
    return loading.then(() =>
      view === this.#view && this.#rows.get(wanted.name, wanted.field) === row
        ? row
        : this.#readAgain(wanted),
    )
  }

  /** Loads sketches into a row: at once, or a promise of it. */
  #load(view: TrendView, wanted: WantedRow, { row, missing }: MissingChunks): Promise<void> | undefined {
    const found = new Map<string, Uint8Array | undefined>()
    const waiting: Promise<void>[] = []
    for (const name of missing.map(chunkName)) {
      const bytes = view.readChunk(wanted.definition.name, wanted.key, name)
      if (bytes instanceof Promise) waiting.push(bytes.then((read) => void found.set(name, read)))
      else found.set(name, bytes)
    }
    const finish = (): void => {
      const damage = loadChunks(row, missing, (name) => found.get(name))
      if (damage !== undefined) throw damaged(wanted, damage)
    }
    if (waiting.length > 0) return Promise.all(waiting).then(finish)
    finish()
    return undefined
  }

  #readAgain({ definition, key, field }: WantedRow): TrendRow | Promise<TrendRow> {
    return this.readRow(definition, key, field)
  }
}

interface ReadRow {
  readonly bytes: Uint8Array | undefined
  readonly watch: RowWatch | undefined
}

interface MissingChunks {
  readonly row: TrendRow
  readonly missing: readonly RowChunkRef[]
}

interface WantedRow {
  readonly definition: TrendDefinition
  readonly key: Uint8Array
  readonly field: TrendField
  readonly name: string
}

function damaged({ definition }: WantedRow, reason: string): TrackError {
  return new TrackError('TRK_TREND_DAMAGED', `${definition.name}: ${reason}`)
}
