/**
 * What one policy run has changed so far, before it is committed: the run reads it on top of the stored rows, and at its
 * end it is sent to the store in one piece. Lives on a policy worker, one per run; thrown away when the run fails.
 */
import { encodeChanges } from './change-codec.ts'
import { compareBytes } from './compare-bytes.ts'
import { RowNames } from './row-names.ts'
import type { RowChanges, TrendChange } from './trend-change.ts'

/** Changes that one run may hold, after coalescing. */
const MOST_CHANGES = 50_000
/** How far back a change looks for one that it can be joined with. */
const LOOK_BACK = 32

const NO_CHANGES: readonly TrendChange[] = []

interface Row extends NamedRowChanges {
  readonly changes: TrendChange[]
}

/** The changes of one row, with the text by which `RowNames` calls it. */
export interface NamedRowChanges extends RowChanges {
  readonly name: string
}

/** Changes by row, in their order; those that amount to one are kept as one. */
export class RunChanges {
  readonly #names = new RowNames()
  readonly #rows = new Map<string, Row>()
  #count = 0

  /** Changes held, after coalescing. */
  get size(): number {
    return this.#count
  }

  /** Adds a change to a row (key normalised); false when the run holds as many as it may. */
  add(database: string, key: Uint8Array, change: TrendChange): boolean {
    if (this.#count >= MOST_CHANGES) return false
    const name = this.#names.of(database, key)
    let row = this.#rows.get(name)
    if (row === undefined) {
      row = { name, database, key, changes: [] }
      this.#rows.set(name, row)
    }
    this.#count -= row.changes.length
    coalesce(row.changes, change)
    this.#count += row.changes.length
    return true
  }

  /** The changes of one row, to be read on top of what is stored. */
  of(database: string, key: Uint8Array): readonly TrendChange[] {
    if (this.#count === 0) return NO_CHANGES
    return this.#rows.get(this.#names.of(database, key))?.changes ?? NO_CHANGES
  }

  rows(): Iterable<NamedRowChanges> {
    return this.#rows.values()
  }

  /** One byte string for the store; empty when nothing was changed. */
  encode(): Uint8Array {
    return encodeChanges(this.#rows.values())
  }
}

/** Appends a change, or joins it with an earlier one where the result is the same as applying both. */
function coalesce(changes: TrendChange[], change: TrendChange): void {
  if (change.op === 'reset' || change.op === 'reset-field') {
    dropForgotten(changes, change)
    changes.push(change)
    return
  }
  for (let index = changes.length - 1; index >= Math.max(0, changes.length - LOOK_BACK); index--) {
    const earlier = changes[index]
    if (earlier === undefined || earlier.op === 'reset' || earlier.timeSeconds > change.timeSeconds) break
    if (earlier.fieldId !== change.fieldId) continue
    if (earlier.op === 'reset-field') break
    const joined = earlier.timeSeconds === change.timeSeconds ? join(earlier, change) : undefined
    if (joined !== undefined) {
      changes[index] = joined
      return
    }
    if (!commutes(change)) break
  }
  changes.push(change)
}

/**
 * Leaves out what a reset makes of no account. A change that an older one follows stays: it has moved the windows on, and
 * so decides whether the older one is still in range.
 */
function dropForgotten(changes: TrendChange[], reset: TrendChange): void {
  const kept: TrendChange[] = []
  let oldestKept = reset.timeSeconds
  for (const change of changes.toReversed()) {
    const isForgotten = reset.op === 'reset' || change.fieldId === reset.fieldId
    if (isForgotten && change.timeSeconds <= oldestKept) continue
    oldestKept = Math.min(oldestKept, change.timeSeconds)
    kept.push(change)
  }
  changes.splice(0, changes.length, ...kept.toReversed())
}

function commutes(change: TrendChange): boolean {
  return change.op === 'hll-add' || change.op === 'countmin-add'
}

/** Two changes of one field and time as one, undefined where that is none. */
function join(earlier: TrendChange, later: TrendChange): TrendChange | undefined {
  switch (later.op) {
    case 'int-add':
      // A sum that is no number any more would be refused where each of the two is not.
      return earlier.op === later.op && Number.isFinite(earlier.amount + later.amount)
        ? { ...later, amount: earlier.amount + later.amount }
        : undefined
    case 'hll-add':
      return earlier.op === later.op && earlier.hash === later.hash ? later : undefined
    case 'countmin-add':
      return earlier.op === later.op && earlier.hash === later.hash
        ? { ...later, amount: earlier.amount + later.amount }
        : undefined
    case 'seen-add':
      return earlier.op === later.op && compareBytes(earlier.item, later.item) === 0
        ? { ...later, count: earlier.count + later.count }
        : undefined
    case 'top-add':
      return earlier.op === later.op && compareBytes(earlier.item, later.item) === 0
        ? { ...later, amount: earlier.amount + later.amount }
        : undefined
    case 'last-set':
    case 'touch':
      return earlier.op === later.op ? later : undefined
    case 'baseline-add':
    case 'reset-field':
    case 'reset':
      return undefined
  }
  return later satisfies never
}
