/**
 * Trends for the store: how the changes of runs become rows. Runs on the store thread; pure, as trend-applier.ts asks. It
 * knows every database of the configuration in force; changes to one that it does not know are left out, since nothing
 * could read them.
 */
import { textToBytes } from '../login/byte-string.ts'
import { decodeChanges } from '../trends/change-codec.ts'
import { normalizeKey } from '../trends/normalize-key.ts'
import { chunkName, chunksToApply, loadChunks } from '../trends/row-chunks.ts'
import { decodeRow } from '../trends/row-codec.ts'
import { splitRow } from '../trends/split-row.ts'
import type { TrendChange } from '../trends/trend-change.ts'
import type { TrendDefinition } from '../trends/trend-definition.ts'
import { TrackError } from '../errors.ts'
import type { TrendRow } from '../trends/trend-row.ts'
import type { AppliedRow, CurrentRow, RowChange, TrendApplier } from './trend-applier.ts'

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
      if (definition === undefined)
        throw new TrackError('TRK_TREND_DAMAGED', `there is no database ${database}`)
      const list = changes.flatMap(changesOf)
      const row = rowWith(definition, current, list)
      for (const change of list) {
        if (row.apply(change) === 'chunk-missing') throw new TrackError('TRK_TREND_INCOMPLETE', database)
      }
      if (row.isNew) return GONE
      const { main, chunks, kept } = splitRow(row)
      return {
        bytes: main,
        chunks: chunks.map((chunk) => ({ name: chunkName(chunk), bytes: chunk.bytes })),
        chunkNames: kept.map(chunkName),
        expiresAtMs: row.expiresAtSeconds * 1000,
      }
    },
    maxKeys: (database) => byName.get(database)?.maxKeys ?? Infinity,
    keyOfLogin: (login) => normalizeKey(textToBytes(login)),
  }
}

const GONE: AppliedRow = { bytes: undefined, chunks: [], chunkNames: [], expiresAtMs: 0 }

/**
 * The stored row with what these changes need of it. The store's own checksums have passed, so one that cannot be read
 * was written damaged: a new one takes its place rather than stopping the database.
 */
function rowWith(
  definition: TrendDefinition,
  current: CurrentRow | undefined,
  changes: readonly TrendChange[],
): TrendRow {
  const decoded = decodeRow(definition, current?.bytes)
  if (!decoded.ok) return emptyRow(definition)
  const { row } = decoded
  const damage = loadChunks(row, chunksToApply(row, changes), (name) => current?.chunk(name))
  return damage === undefined ? row : emptyRow(definition)
}

function emptyRow(definition: TrendDefinition): TrendRow {
  const decoded = decodeRow(definition, undefined)
  if (!decoded.ok) throw new TrackError('TRK_TREND_DAMAGED', decoded.reason)
  return decoded.row
}

/** What `split` put there. */
function changesOf(changes: unknown): readonly TrendChange[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- opaque to the store, which only hands it back
  return changes as readonly TrendChange[]
}
