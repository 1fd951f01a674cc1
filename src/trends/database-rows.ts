/**
 * The rows of one trend database in memory. Lives on the thread of the Lua state whose runs read it.
 *
 * Rows in use stay decoded, in two halves: when the newer is full, it becomes the older one, and what the older one held is
 * encoded, which takes a tenth of the memory. Rows go as the server lets them go: when they have expired, and when there are
 * more than there may be, those first that expire first.
 */
import { TrackError } from '../errors.ts'
import { decodeRow, encodeRow } from './row-codec.ts'
import type { TrendChange } from './trend-change.ts'
import type { TrendDefinition } from './trend-definition.ts'
import type { TrendRow } from './trend-row.ts'

/** Decoded, a row takes some kilobytes. */
const ROWS_PER_HALF = 16_384
/** Rows that are too many are let go when they are so many more: finding those that expire first means sorting all. */
const SURPLUS_SHARE = 0.01

interface ColdRow {
  readonly bytes: Uint8Array
  readonly expiresAtSeconds: number
}

export class DatabaseRows {
  readonly #definition: TrendDefinition
  readonly #rowsPerHalf: number
  #newer = new Map<string, TrendRow>()
  #older = new Map<string, TrendRow>()
  readonly #cold = new Map<string, ColdRow>()
  #coldBytes = 0
  /** The last row that was asked for and is not there: most often it is changed next. */
  #empty: { readonly name: string; readonly row: TrendRow } | undefined

  constructor(definition: TrendDefinition, rowsPerHalf = ROWS_PER_HALF) {
    this.#definition = definition
    this.#rowsPerHalf = rowsPerHalf
  }

  get size(): number {
    return this.#newer.size + this.#older.size + this.#cold.size
  }

  /** What the encoded rows take. */
  get coldBytes(): number {
    return this.#coldBytes
  }

  read(name: string): TrendRow {
    return this.#find(name) ?? this.#emptyRow(name)
  }

  apply(name: string, changes: readonly TrendChange[]): void {
    const known = this.#find(name)
    const row = known ?? this.#emptyRow(name)
    for (const change of changes) row.apply(change)
    if (known !== undefined || row.isNew) return
    this.#empty = undefined
    this.#keep(name, row)
    const surplus = this.size - this.#definition.maxKeys
    if (surplus > this.#definition.maxKeys * SURPLUS_SHARE) this.#evict(surplus)
  }

  expire(nowSeconds: number): void {
    for (const [name, expiresAtSeconds] of this.#expiries())
      if (expiresAtSeconds <= nowSeconds) this.#delete(name)
  }

  #find(name: string): TrendRow | undefined {
    const newer = this.#newer.get(name)
    if (newer !== undefined) return newer
    const older = this.#older.get(name)
    if (older !== undefined) {
      this.#older.delete(name)
      this.#keep(name, older)
      return older
    }
    const cold = this.#cold.get(name)
    if (cold === undefined) return undefined
    this.#delete(name)
    const row = decoded(this.#definition, cold.bytes)
    this.#keep(name, row)
    return row
  }

  #keep(name: string, row: TrendRow): void {
    if (this.#newer.size >= this.#rowsPerHalf) {
      for (const [oldName, old] of this.#older) this.#freeze(oldName, old)
      this.#older = this.#newer
      this.#newer = new Map()
    }
    this.#newer.set(name, row)
  }

  #freeze(name: string, row: TrendRow): void {
    const bytes = encodeRow(row)
    this.#cold.set(name, { bytes, expiresAtSeconds: row.expiresAtSeconds })
    this.#coldBytes += bytes.length
  }

  #delete(name: string): void {
    this.#newer.delete(name)
    this.#older.delete(name)
    this.#coldBytes -= this.#cold.get(name)?.bytes.length ?? 0
    this.#cold.delete(name)
  }

  #evict(surplus: number): void {
    const first = this.#expiries().toSorted(([, a], [, b]) => a - b)
    for (const [name] of first.slice(0, surplus)) this.#delete(name)
  }

  #expiries(): readonly (readonly [name: string, expiresAtSeconds: number])[] {
    return [...this.#cold, ...this.#older, ...this.#newer].map(([name, row]) => [name, row.expiresAtSeconds])
  }

  #emptyRow(name: string): TrendRow {
    if (this.#empty?.name === name) return this.#empty.row
    const row = decoded(this.#definition, undefined)
    this.#empty = { name, row }
    return row
  }
}

function decoded(definition: TrendDefinition, bytes: Uint8Array | undefined): TrendRow {
  const outcome = decodeRow(definition, bytes)
  if (!outcome.ok) throw new TrackError('TRK_TREND_DAMAGED', outcome.reason)
  return outcome.row
}
