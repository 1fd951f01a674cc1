/**
 * Trends as one policy worker sees them: what is committed, and on top of it what its own ended runs have changed and the
 * store has not committed yet. So a run sees every change of the earlier reports of its login, which all ran here.
 * Lives on a policy worker.
 *
 * Runs are executed against a view of the store that does not change. The view says up to which of this worker's runs it
 * contains, so the changes to put on top are exactly those of the later ones: none twice, none missing. A view is held for
 * one batch of runs; rows that were decoded for it serve all of them.
 */
import { TrackError } from '../errors.ts'
import type { CommitStamp, TrendReader, TrendView } from '../store/store.ts'
import { chunkName, chunksToApply, loadChunks } from '../trends/row-chunks.ts'
import { decodeRow } from '../trends/row-codec.ts'
import type { RunChanges } from '../trends/run-changes.ts'
import type { TrendChange } from '../trends/trend-change.ts'
import type { TrendDefinition, TrendField } from '../trends/trend-definition.ts'
import type { RowChunkRef, TrendRow } from '../trends/trend-row.ts'

/** A batch seldom touches more; beyond it rows are decoded again. */
const MAX_ROWS = 10_000

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
  readonly #rows = new Map<string, TrendRow>()
  /** Changes of ended runs that the view may not contain, by row. */
  readonly #pending = new Map<string, PendingChange[]>()
  /** Changes of runs up to this one are no longer in `#pending`. */
  #forgottenUpTo = -1
  #lastNumber = 0

  /** @param worker number of this thread, never used twice in the life of the process. */
  constructor(reader: TrendReader, worker: number) {
    this.#reader = reader
    this.#worker = worker
  }

  /** Lets go of the view: what is read from now on is read from a new one. Called between batches of runs. */
  releaseView(): void {
    this.#view?.close()
    this.#view = undefined
    this.#rows.clear()
  }

  /**
   * The row of a key, not to be changed by the caller, with everything that a question to this field needs. A promise
   * where the store answers with one.
   */
  readRow(definition: TrendDefinition, key: Uint8Array, field: TrendField): TrendRow | Promise<TrendRow> {
    const wanted = { definition, key, field, name: rowName(definition.name, key) }
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
    const number = ++this.#lastNumber
    for (const row of changes.rows()) {
      const name = rowName(row.database, row.key)
      const pending = this.#pending.get(name)
      const change = { number, changes: row.changes }
      if (pending === undefined) this.#pending.set(name, [change])
      else pending.push(change)
      const decoded = this.#rows.get(name)
      if (decoded === undefined) continue
      // With a sketch missing it is read again when somebody asks for it.
      if (chunksToApply(decoded, row.changes).length > 0) this.#rows.delete(name)
      else applyAll(decoded, row.changes)
    }
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
    this.#rows.clear()
    this.#forgetCommitted(view.appliedCommit)
    return view
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
    const known = this.#rows.get(wanted.name)
    if (known !== undefined) return this.#complete(view, wanted, known)
    const bytes = view.readRow(wanted.definition.name, wanted.key)
    if (!(bytes instanceof Promise)) return this.#decode(view, wanted, bytes)
    return bytes.then((read) =>
      // While this read waited, the view was let go, and with a newer one changes that it contains: ask that one.
      view === this.#view ? this.#decode(view, wanted, read) : this.#readAgain(wanted),
    )
  }

  #decode(view: TrendView, wanted: WantedRow, bytes: Uint8Array | undefined): TrendRow | Promise<TrendRow> {
    const decoded = decodeRow(wanted.definition, bytes)
    if (!decoded.ok) throw damaged(wanted, decoded.reason)
    const { row } = decoded
    const pending = (this.#pending.get(wanted.name) ?? []).flatMap(({ changes }) => changes)
    const missing = chunksToApply(row, pending)
    const finish = (): TrendRow | Promise<TrendRow> => {
      applyAll(row, pending)
      if (this.#rows.size < MAX_ROWS) this.#rows.set(wanted.name, row)
      return this.#complete(view, wanted, row)
    }
    if (missing.length === 0) return finish()
    const loading = this.#load(view, wanted, { row, missing })
    if (loading === undefined) return finish()
    return loading.then(() => {
      const isSame = view === this.#view && pending.length === this.#pendingOf(wanted.name)
      return isSame ? finish() : this.#readAgain(wanted)
    })
  }

  /** The row with the sketches of the field that is asked for. */
  #complete(view: TrendView, wanted: WantedRow, row: TrendRow): TrendRow | Promise<TrendRow> {
    const missing = row.missingChunks(wanted.field)
    const loading = missing.length === 0 ? undefined : this.#load(view, wanted, { row, missing })
    if (loading === undefined) return row
    return loading.then(() =>
      view === this.#view && this.#rows.get(wanted.name) === row ? row : this.#readAgain(wanted),
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

  #pendingOf(name: string): number {
    return (this.#pending.get(name) ?? []).reduce((total, { changes }) => total + changes.length, 0)
  }
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

/** A change that no longer fits the definition or the windows is left out, as the store leaves it out. */
function applyAll(row: TrendRow, changes: readonly TrendChange[]): void {
  for (const change of changes) {
    if (row.apply(change) === 'chunk-missing')
      throw new TrackError('TRK_TREND_INCOMPLETE', `trend database ${row.definition.name}`)
  }
}

function rowName(database: string, key: Uint8Array): string {
  return `${database}\0${Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')}`
}
