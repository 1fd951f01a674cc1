/**
 * Rows of trends in memory, for tests of what reads and changes them: answers at once, or with a promise after a turn of
 * the event loop as a store elsewhere would.
 */
import { setImmediate as turn } from 'node:timers/promises'
import { TrackError } from '../../src/errors.ts'
import type { TrendDeps } from '../../src/lua/bindings/trend-databases.ts'
import { decodeRow } from '../../src/trends/row-codec.ts'
import type { RunChanges } from '../../src/trends/run-changes.ts'
import type { TrendDefinition } from '../../src/trends/trend-definition.ts'
import { TrendRegistry } from '../../src/trends/trend-registry.ts'
import type { TrendRow } from '../../src/trends/trend-row.ts'
import { SEED } from './trend-fixtures.ts'

export class TrendRows implements TrendDeps {
  readonly registry = new TrendRegistry()
  readonly #isDelayed: boolean
  readonly #rows = new Map<string, TrendRow>()
  #failure: string | undefined = undefined

  constructor(answers: 'at once' | 'later') {
    this.#isDelayed = answers === 'later'
  }

  readonly seed = (): typeof SEED => SEED

  readonly readRow = (definition: TrendDefinition, key: Uint8Array): TrendRow | Promise<TrendRow> => {
    const row = this.#row(definition, key)
    const failure = this.#failure
    if (failure === undefined) return this.#isDelayed ? turn(row) : row
    if (!this.#isDelayed) throw new TrackError('TRK_STORE_FAILED', failure)
    return turn().then(() => {
      throw new TrackError('TRK_STORE_FAILED', failure)
    })
  }

  readonly size = ({ name }: TrendDefinition): number | Promise<number> => {
    const count = [...this.#rows.keys()].filter((row) => row.startsWith(`${name}\0`)).length
    return this.#isDelayed ? turn(count) : count
  }

  /** From now on no row can be read. */
  failWith(message: string): void {
    this.#failure = message
  }

  /** The keys of a database, as latin1 text of their bytes, in the order of their first change. */
  keys(name: string): readonly string[] {
    return [...this.#rows.keys()]
      .filter((row) => row.startsWith(`${name}\0`))
      .map((row) => row.slice(name.length + 1))
  }

  /** What the store does when a run has ended well. */
  commit(changes: RunChanges): void {
    for (const { database, key, changes: ofRow } of changes.rows()) {
      const definition = this.registry.get(database)
      if (definition === undefined) continue
      const row = this.#row(definition, key)
      for (const change of ofRow) row.apply(change)
      if (!row.isNew) this.#rows.set(rowName(database, key), row)
    }
  }

  #row(definition: TrendDefinition, key: Uint8Array): TrendRow {
    const known = this.#rows.get(rowName(definition.name, key))
    if (known !== undefined) return known
    const decoded = decodeRow(definition, undefined)
    if (!decoded.ok) throw new TypeError(decoded.reason)
    return decoded.row
  }
}

function rowName(database: string, key: Uint8Array): string {
  return `${database}\0${Buffer.from(key).toString('latin1')}`
}
