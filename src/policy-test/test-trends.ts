/**
 * The trends of one policy test: rows in memory, changed at once when a run has ended well. Lives on the thread of the
 * test's Lua state. The trend code is the server's; only journal and disk are missing.
 */
import { TrackError } from '../errors.ts'
import { decodeRow } from '../trends/row-codec.ts'
import type { RunChanges } from '../trends/run-changes.ts'
import type { TrendDefinition } from '../trends/trend-definition.ts'
import type { TrendRegistry } from '../trends/trend-registry.ts'
import type { TrendRow } from '../trends/trend-row.ts'

export class TestTrends {
  readonly #registry: TrendRegistry
  /** By database and key; goes with the test. */
  readonly #rows = new Map<string, TrendRow>()

  constructor(registry: TrendRegistry) {
    this.#registry = registry
  }

  /** The row of a key, empty when nothing was added to it. */
  read(definition: TrendDefinition, key: Uint8Array): TrendRow {
    return this.#rows.get(nameOf(definition.name, key)) ?? emptyRow(definition)
  }

  size(definition: TrendDefinition): number {
    return [...this.#rows.values()].filter((row) => row.definition === definition).length
  }

  /** Takes over what an ended run has changed. */
  apply(changes: RunChanges): void {
    for (const { database, key, changes: made } of changes.rows()) {
      const definition = this.#registry.get(database)
      if (definition === undefined) continue
      const name = nameOf(database, key)
      const row = this.#rows.get(name) ?? emptyRow(definition)
      for (const change of made) row.apply(change)
      this.#rows.set(name, row)
    }
  }
}

function emptyRow(definition: TrendDefinition): TrendRow {
  const decoded = decodeRow(definition, undefined)
  if (!decoded.ok) throw new TrackError('TRK_TREND_DAMAGED', decoded.reason)
  return decoded.row
}

function nameOf(database: string, key: Uint8Array): string {
  return `${database}\0${Buffer.from(key).toString('latin1')}`
}
