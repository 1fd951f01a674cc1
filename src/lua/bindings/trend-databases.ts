/**
 * Trend databases in Lua: what a policy can remember (wforce's StringStatsDB and more). This file puts the parts
 * together; definitions, changes and reads are in the trend-*.ts files beside it. Lives in one Lua state.
 */
import type { HashSeed } from '../../trends/item-hash.ts'
import type { TrendDefinition, TrendField } from '../../trends/trend-definition.ts'
import type { TrendRegistry } from '../../trends/trend-registry.ts'
import type { TrendRow } from '../../trends/trend-row.ts'
import type { HostFunction, HostType } from '../host-function.ts'
import { StringStatsDb } from './string-stats-db.ts'
import { TrendArguments } from './trend-arguments.ts'
import { trendDefinitionFunctions, trendSettingMethods } from './trend-definitions.ts'
import { trendReadMethods } from './trend-reads.ts'
import { trendWriteMethods } from './trend-writes.ts'

export interface TrendDeps {
  readonly registry: TrendRegistry
  /** Key of the item hashes; the same for the life of the state directory. */
  readonly seed: () => HashSeed
  /**
   * The row as this worker sees it: committed, plus ended runs of this worker that are not committed yet; not this run's
   * own changes. Complete for questions to this field. Must not be changed.
   */
  readonly readRow: (
    definition: TrendDefinition,
    key: Uint8Array,
    field: TrendField,
  ) => TrendRow | Promise<TrendRow>
  /** Rows of a database, as of a moment ago. */
  readonly size: (definition: TrendDefinition) => number | Promise<number>
}

export function trendFunctions(deps: TrendDeps): readonly HostFunction[] {
  return trendDefinitionFunctions(deps)
}

export function trendDatabaseType(deps: TrendDeps): HostType {
  const args = new TrendArguments()
  return {
    name: 'StringStatsDB',
    hostClass: StringStatsDb,
    text: (database) => (database instanceof StringStatsDb ? `StringStatsDB ${database.name}` : ''),
    methods: [
      ...trendSettingMethods(deps),
      ...trendWriteMethods(deps, args),
      ...trendReadMethods(deps, args),
    ],
  }
}
