/**
 * Trends for the store: how the changes of runs become rows. Runs on the store thread; pure, as trend-applier.ts asks. It
 * knows every database of the configuration in force; changes to one that it does not know are left out, since nothing
 * could read them.
 */
import { textToBytes } from '../login/byte-string.ts'
import { decodeChanges } from '../trends/change-codec.ts'
import { normalizeKey } from '../trends/normalize-key.ts'
import { decodeRow, encodeRow } from '../trends/row-codec.ts'
import type { TrendChange } from '../trends/trend-change.ts'
import type { TrendDefinition } from '../trends/trend-definition.ts'
import { TrackError } from '../errors.ts'
import type { RowChange, TrendApplier } from './trend-applier.ts'

export interface TrendApplierSetup {
  readonly definitions: readonly TrendDefinition[]
}

export function createTrendApplier({ definitions }: TrendApplierSetup): TrendApplier {
  const byName = new Map(definitions.map((definition) => [definition.name, definition]))
  return {
    split(deltas): readonly RowChange[] {
      const decoded = decodeChanges(deltas)
      if (!decoded.ok) throw new TrackError('TRK_TREND_DAMAGED', decoded.reason)
      return decoded.rows.filter(({ database }) => byName.has(database))
    },
    apply(database, _key, current, changes) {
      const definition = byName.get(database)
      if (definition === undefined) return { bytes: current, expiresAtMs: 0 }
      const decoded = decodeRow(definition, current)
      // The table's own checksum has passed, so this is a row that was written damaged: begin anew rather than stop.
      const { row } = decoded.ok ? decoded : emptyRow(definition)
      for (const change of changes.flatMap(changesOf)) row.apply(change)
      return { bytes: encodeRow(row), expiresAtMs: row.expiresAtSeconds * 1000 }
    },
    maxKeys: (database) => byName.get(database)?.maxKeys ?? Infinity,
    keyOfLogin: (login) => normalizeKey(textToBytes(login)),
  }
}

function emptyRow(definition: TrendDefinition) {
  const decoded = decodeRow(definition, undefined)
  if (!decoded.ok) throw new TrackError('TRK_TREND_DAMAGED', decoded.reason)
  return decoded
}

/** What `split` put there. */
function changesOf(changes: unknown): readonly TrendChange[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- opaque to the store, which only hands it back
  return changes as readonly TrendChange[]
}
