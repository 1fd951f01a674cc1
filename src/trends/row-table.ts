/**
 * Trend rows in memory, changed at once when a run has ended well: for runs of a policy without a server. The code of rows
 * is the server's; only journal and disk are missing. Lives on the thread of the Lua state whose runs read it.
 */
import { TrackError } from '../errors.ts'
import { DatabaseRows } from './database-rows.ts'
import { RowNames } from './row-names.ts'
import type { RunChanges } from './run-changes.ts'
import type { TrendDefinition } from './trend-definition.ts'
import type { TrendRegistry } from './trend-registry.ts'
import type { TrendRow } from './trend-row.ts'

/** Of all databases together. */
export interface RowTableLimits {
  readonly maxRows: number
  /** Of the rows that are not in use, encoded. */
  readonly maxBytes: number
}

const DAY_SECONDS = 86_400
const NO_LIMITS: RowTableLimits = { maxRows: Infinity, maxBytes: Infinity }

export class RowTable {
  readonly #registry: TrendRegistry
  readonly #limits: RowTableLimits
  readonly #names = new RowNames()
  readonly #databases = new Map<string, DatabaseRows>()
  #sweptOnDay = -Infinity

  constructor(registry: TrendRegistry, limits: RowTableLimits = NO_LIMITS) {
    this.#registry = registry
    this.#limits = limits
  }

  /** The row of a key, empty when nothing was added to it; not to be changed by the caller. */
  read(definition: TrendDefinition, key: Uint8Array): TrendRow {
    return this.#rowsOf(definition).read(this.#names.of(definition.name, key))
  }

  size({ name }: TrendDefinition): number {
    return this.#databases.get(name)?.size ?? 0
  }

  /**
   * Takes over what an ended run has changed.
   *
   * @throws TrackError TRK_REPLAY_LIMIT when the rows take more than they may.
   */
  apply(changes: RunChanges): void {
    for (const { name, database, changes: made } of changes.rows()) {
      const definition = this.#registry.get(database)
      if (definition !== undefined) this.#rowsOf(definition).apply(name, made)
    }
    this.#checkLimits()
  }

  /** Lets rows go that have expired; looks once a day. */
  passTime(nowSeconds: number): void {
    const day = Math.floor(nowSeconds / DAY_SECONDS)
    if (day <= this.#sweptOnDay) return
    this.#sweptOnDay = day
    for (const rows of this.#databases.values()) rows.expire(nowSeconds)
  }

  #rowsOf(definition: TrendDefinition): DatabaseRows {
    let rows = this.#databases.get(definition.name)
    if (rows === undefined) {
      rows = new DatabaseRows(definition)
      this.#databases.set(definition.name, rows)
    }
    return rows
  }

  #checkLimits(): void {
    let rows = 0
    let sizeBytes = 0
    for (const database of this.#databases.values()) {
      rows += database.size
      sizeBytes += database.coldBytes
    }
    const { maxRows, maxBytes } = this.#limits
    if (rows > maxRows) throw tooLarge(`more than ${maxRows} rows`)
    if (sizeBytes > maxBytes) throw tooLarge(`rows of more than ${maxBytes / 1024 ** 2} MiB`)
  }
}

function tooLarge(what: string): TrackError {
  return new TrackError(
    'TRK_REPLAY_LIMIT',
    `the policy remembers ${what}; replay fewer reports, or bound its databases with twSetMaxSize or fewer windows`,
  )
}
