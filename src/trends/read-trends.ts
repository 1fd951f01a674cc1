/**
 * Answers of trends to a policy: what twGet and its family return. Lives on policy workers. Nothing here changes a row;
 * the changes that the asking run has made and not committed are put on top of it for the time of the question.
 */
import { countMinCount } from './count-min.ts'
import { hllUnionCount } from './hyper-log-log.ts'
import { readLast, type LastValue } from './last-value.ts'
import { seenItem, seenItems, type SeenEntry } from './seen-items.ts'
import { topUnion, type TopEntry } from './top-items.ts'
import type { TrendChange } from './trend-change.ts'
import { windowAt, type TrendField } from './trend-definition.ts'
import { loadedBytes, type TrendRow } from './trend-row.ts'
import { readBaseline, type Baseline } from './weekly-baseline.ts'
import { cellsWithin, type WindowRange } from './window-series.ts'

/**
 * A question to one field of one row. Sketches that stand apart must have been loaded: row.missingChunks(field, range).
 */
export interface TrendQuery {
  readonly row: TrendRow
  readonly field: TrendField
  /** Unix seconds: the time of the report, or of the clock outside of one. */
  readonly nowSeconds: number
  /** Uncommitted changes of the asking run to this row. */
  readonly own: readonly TrendChange[]
}

/** The windows that a question over the whole range looks at: the current one and those before it. */
export function rangeOf({ row, nowSeconds }: Pick<TrendQuery, 'row' | 'nowSeconds'>): WindowRange {
  const newest = windowAt(row.definition, nowSeconds)
  return { oldest: newest - row.definition.windowCount + 1, newest }
}

/** The current window alone. */
export function currentRangeOf({ row, nowSeconds }: Pick<TrendQuery, 'row' | 'nowSeconds'>): WindowRange {
  const newest = windowAt(row.definition, nowSeconds)
  return { oldest: newest, newest }
}

/**
 * The number of an int, hll or countmin field over a range of windows: sum; distinct items of the union (a whole number);
 * count of one item, or of all without one. 0 for other types. A window later than `range.newest` does not count.
 *
 * @param itemHash - for countmin: itemHash() of the item
 */
export function readCount(query: TrendQuery, range: WindowRange, itemHash?: number): number {
  const row = preview(query)
  const state = row.state(query.field)
  if (state === undefined || state.kind === 'whole') return 0
  if (state.kind === 'int') {
    let sum = 0
    for (const value of cellsWithin(state.series, keptOf(row, range))) sum += value
    return sum
  }
  return countOf(query, sketchesWithin(query, row, range), itemHash)
}

/** The number of `readCount` for each window, the current one first; `limit`, or as many as the definition has windows. */
export function readWindowCounts(query: TrendQuery, itemHash?: number, limit = Infinity): readonly number[] {
  const row = preview(query)
  const { definition } = row
  const { oldest, newest } = keptOf(row, rangeOf(query))
  const length = Math.min(definition.windowCount, limit)
  const counts = Array.from({ length }, () => 0)
  const state = row.state(query.field)
  if (state === undefined || state.kind === 'whole') return counts
  for (const [index, window] of state.series.windows.entries()) {
    const cell = state.series.cells[index]
    if (window < oldest || window > newest || cell === undefined || newest - window >= length) continue
    counts[newest - window] =
      typeof cell === 'number' ? cell : countOf(query, [loadedBytes(cell, definition, query.field)], itemHash)
  }
  return counts
}

/** When an item of a seen field was seen first and last, and how often; undefined if never, or forgotten. */
export function readSeenItem(query: TrendQuery, item: Uint8Array): SeenEntry | undefined {
  const bytes = wholeBytes(query, 'seen')
  return bytes === undefined ? undefined : seenItem(bytes, item)
}

/** The items of a seen field, the one seen last first, at most `limit` of them. */
export function readSeenItems(query: TrendQuery, limit?: number): readonly SeenEntry[] {
  const bytes = wholeBytes(query, 'seen')
  return bytes === undefined ? [] : seenItems(bytes, limit)
}

/** The latest value of a last field and when it was set (Unix seconds). */
export function readLastValue(
  query: TrendQuery,
): { readonly value: LastValue; readonly time: number } | undefined {
  const bytes = wholeBytes(query, 'last')
  return bytes === undefined ? undefined : readLast(bytes)
}

/** What is usual in the hour of the week of the question; undefined without a sample. See also baselineScore. */
export function readUsual(query: TrendQuery): Baseline | undefined {
  const bytes = wholeBytes(query, 'baseline')
  const { utcOffsetMinutes } = query.row.definition
  return bytes === undefined
    ? undefined
    : readBaseline(bytes, { timeSeconds: query.nowSeconds, utcOffsetMinutes })
}

/** The items of a top field counted most over the whole range, with how much each count may be too high. */
export function readTop(query: TrendQuery, limit: number): readonly TopEntry[] {
  if (query.field.type !== 'top') return []
  return topUnion(sketchesWithin(query, preview(query), rangeOf(query)), limit)
}

function preview({ row, field, own }: TrendQuery): TrendRow {
  return own.length === 0 ? row : row.preview(field, own)
}

/** What sketches of a field count together. */
function countOf({ row, field }: TrendQuery, sketches: readonly Uint8Array[], itemHash?: number): number {
  const { type } = field
  switch (type) {
    case 'hll':
      return hllUnionCount(sketches, row.definition.hllBits)
    case 'countmin':
      return sketches.reduce((sum, sketch) => sum + countMinCount(sketch, itemHash), 0)
    case 'int':
    case 'seen':
    case 'last':
    case 'baseline':
    case 'top':
      return 0
  }
  return type satisfies never
}

function sketchesWithin({ field }: TrendQuery, row: TrendRow, range: WindowRange): readonly Uint8Array[] {
  const state = row.state(field)
  if (state?.kind !== 'sketches') return []
  return cellsWithin(state.series, keptOf(row, range)).map((cell) => loadedBytes(cell, row.definition, field))
}

/** A field that was not changed for long may still hold windows that its row has left behind. */
function keptOf(row: TrendRow, { oldest, newest }: WindowRange): WindowRange {
  return { oldest: Math.max(oldest, row.oldestWindow), newest }
}

function wholeBytes(query: TrendQuery, type: 'seen' | 'last' | 'baseline'): Uint8Array | undefined {
  if (query.field.type !== type) return undefined
  const row = preview(query)
  const state = row.state(query.field)
  return state?.kind === 'whole' && query.nowSeconds < row.expiresAtSeconds ? state.bytes : undefined
}
