/**
 * What the ended runs of a policy worker have changed and the store may not have committed yet. Lives on a policy worker.
 *
 * Runs are committed in the order in which they ended, so forgetting is taking from the front, of the runs and of the
 * changes of each row.
 */
import type { NamedRowChanges, RunChanges } from '../trends/run-changes.ts'
import type { TrendChange } from '../trends/trend-change.ts'

/** The changes of a row, run by run. */
type ChangedRow = (readonly TrendChange[])[]

interface EndedRun {
  readonly number: number
  readonly rows: readonly NamedRowChanges[]
}

export class UncommittedChanges {
  readonly #runs: EndedRun[] = []
  readonly #rows = new Map<string, ChangedRow>()
  #lastNumber = 0
  #forgottenUpTo = -1

  /** Changes of runs up to this one are not here any more. */
  get forgottenUpTo(): number {
    return this.#forgottenUpTo
  }

  /** How many rows have changes here. */
  get rows(): number {
    return this.#rows.size
  }

  /** Takes the changes of a run that has ended; answers its number, with which it is committed. */
  add(changes: RunChanges): number {
    const number = ++this.#lastNumber
    const rows = [...changes.rows()]
    this.#runs.push({ number, rows })
    for (const row of rows) {
      const changed = this.#rows.get(row.name)
      if (changed === undefined) this.#rows.set(row.name, [row.changes])
      else changed.push(row.changes)
    }
    return number
  }

  /** All changes of a row, in the order of their runs. */
  of(name: string): readonly TrendChange[] {
    return this.#rows.get(name)?.flat() ?? []
  }

  forgetUpTo(number: number): void {
    if (number === this.#forgottenUpTo) return
    this.#forgottenUpTo = number
    const first = this.#runs.findIndex((run) => run.number > number)
    for (const { rows } of this.#runs.splice(0, first === -1 ? this.#runs.length : first))
      for (const { name } of rows) this.#forgetOne(name)
  }

  #forgetOne(name: string): void {
    const changed = this.#rows.get(name)
    changed?.shift()
    if (changed?.length === 0) this.#rows.delete(name)
  }
}
