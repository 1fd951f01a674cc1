/**
 * The values of one field of one row: how each type takes a change and adapts to another definition. States are never
 * changed in place. Pure; lives on policy workers and on the store thread. Their encoding is in field-segment.ts.
 */
import { countMinAdd, countMinMerge, countMinShape, emptyCountMin } from './count-min.ts'
import { emptyHll, hllAdd, hllMerge } from './hyper-log-log.ts'
import { setLast } from './last-value.ts'
import { emptySeen, seenAdd } from './seen-items.ts'
import { emptyTop, topAdd, topMerge } from './top-items.ts'
import type { TrendChange } from './trend-change.ts'
import type { FieldType, TrendDefinition } from './trend-definition.ts'
import { baselineAdd, emptyBaseline } from './weekly-baseline.ts'
import { EMPTY_SERIES, resizeWindows, updateWindow, type WindowSeries } from './window-series.ts'

/** The sketch of one window. */
export interface SketchCell {
  /** Undefined while every part of it is still to be loaded. */
  readonly bytes: Uint8Array | undefined
  /** Start times (Unix seconds) of the chunks that are still to be loaded and joined. */
  readonly pending: readonly number[]
  /** Differs from what is stored. */
  readonly isChanged: boolean
}

/**
 * `tail` is what is still encoded: the windows before those of the series. Most changes are to the newest window, and
 * leave the rest of a segment as it is.
 */
export type FieldState =
  | { readonly kind: 'int'; readonly series: WindowSeries<number>; readonly tail: Uint8Array }
  | { readonly kind: 'sketches'; readonly series: WindowSeries<SketchCell>; readonly tail: Uint8Array }
  | { readonly kind: 'whole'; readonly bytes: Uint8Array }

/** Where a change goes: the window of its time, and the oldest one that is kept. */
export interface ChangePlace {
  readonly window: number
  readonly oldest: number
}

/** The pending chunks of a cell that is complete, and the tail of a state that is. */
export const NOTHING_PENDING: readonly number[] = []
export const NO_TAIL = new Uint8Array(0)

/** The state after a valid change (isValidChange); undefined when the sketch it needs has not been loaded. */
export function changeField(
  definition: TrendDefinition,
  state: FieldState | undefined,
  change: TrendChange,
  place: ChangePlace,
): FieldState | undefined {
  switch (change.op) {
    case 'int-add': {
      const series = state?.kind === 'int' ? state.series : EMPTY_SERIES
      return {
        kind: 'int',
        series: updateWindow<number>(series, place.window, place.oldest, (sum = 0) =>
          boundedSum(sum, change.amount),
        ),
        tail: tailOf(state),
      }
    }
    case 'hll-add':
      return changeSketch(state, place, (sketch = emptyHll()) =>
        hllAdd(sketch, change.hash, definition.hllBits),
      )
    case 'countmin-add': {
      const shape = countMinShape(definition.countMinEps, definition.countMinGamma)
      return changeSketch(state, place, (sketch = emptyCountMin()) =>
        countMinAdd(sketch, change.hash, change.amount, shape),
      )
    }
    case 'top-add':
      return changeSketch(state, place, (sketch = emptyTop()) =>
        topAdd(sketch, change.item, change.amount, definition.topCapacity),
      )
    case 'seen-add': {
      const sighting = { item: change.item, last: change.timeSeconds, count: change.count }
      return {
        kind: 'whole',
        bytes: seenAdd(wholeOf(state) ?? emptySeen(), sighting, definition.maxItemsPerKey),
      }
    }
    case 'last-set':
      return { kind: 'whole', bytes: setLast(wholeOf(state), change.value, change.timeSeconds) }
    case 'baseline-add': {
      const clock = { timeSeconds: change.timeSeconds, utcOffsetMinutes: definition.utcOffsetMinutes }
      return { kind: 'whole', bytes: baselineAdd(wholeOf(state) ?? emptyBaseline(), change.sample, clock) }
    }
    case 'reset-field':
    case 'reset':
    case 'touch':
      return undefined
  }
  return change satisfies never
}

/** The state, which must have no tail, under the window size of a definition. */
export function resizeField(
  definition: TrendDefinition,
  type: FieldType,
  state: FieldState,
  beforeSeconds: number,
): FieldState {
  const afterSeconds = definition.windowSeconds
  if (state.kind === 'whole') return state
  if (state.kind === 'int') {
    const series = resizeWindows(state.series, beforeSeconds, afterSeconds, (a, b) => a + b)
    return { kind: 'int', series, tail: NO_TAIL }
  }
  const joined = resizeWindows(state.series, beforeSeconds, afterSeconds, (a, b) =>
    joinCells(definition, type, a, b),
  )
  const cells = joined.cells.map((cell) => ({ ...cell, isChanged: true }))
  return { kind: 'sketches', series: { windows: joined.windows, cells }, tail: NO_TAIL }
}

/** A cell with one of its pending chunks loaded. */
export function withLoaded(
  definition: TrendDefinition,
  type: FieldType,
  cell: SketchCell,
  chunk: { readonly startSeconds: number; readonly bytes: Uint8Array },
): SketchCell {
  const loaded: SketchCell = { bytes: chunk.bytes, pending: NOTHING_PENDING, isChanged: cell.isChanged }
  const rest = { ...cell, pending: cell.pending.filter((start) => start !== chunk.startSeconds) }
  return joinCells(definition, type, rest, loaded)
}

function joinCells(
  definition: TrendDefinition,
  type: FieldType,
  left: SketchCell,
  right: SketchCell,
): SketchCell {
  const pending = [...left.pending, ...right.pending]
  const isChanged = left.isChanged || right.isChanged
  if (left.bytes === undefined || right.bytes === undefined) {
    return { bytes: left.bytes ?? right.bytes, pending, isChanged }
  }
  return { bytes: mergeSketches(definition, type, left.bytes, right.bytes), pending, isChanged }
}

function mergeSketches(
  definition: TrendDefinition,
  type: FieldType,
  left: Uint8Array,
  right: Uint8Array,
): Uint8Array {
  switch (type) {
    case 'hll':
      return hllMerge(left, right, definition.hllBits)
    case 'countmin':
      // Two grown sketches of different shapes cannot be joined: the newer window's stays.
      return (
        countMinMerge(left, right, countMinShape(definition.countMinEps, definition.countMinGamma)) ?? left
      )
    case 'top':
      return topMerge(left, right, definition.topCapacity)
    case 'int':
    case 'seen':
    case 'last':
    case 'baseline':
      return left
  }
  return type satisfies never
}

function changeSketch(
  state: FieldState | undefined,
  { window, oldest }: ChangePlace,
  change: (sketch: Uint8Array | undefined) => Uint8Array,
): FieldState | undefined {
  const series = state?.kind === 'sketches' ? state.series : EMPTY_SERIES
  let isLoaded = true
  const changed = updateWindow<SketchCell>(series, window, oldest, (cell) => {
    if (cell !== undefined && cell.pending.length > 0) {
      isLoaded = false
      return cell
    }
    const bytes = change(cell?.bytes)
    if (cell !== undefined && bytes === cell.bytes) return cell
    return { bytes, pending: NOTHING_PENDING, isChanged: true }
  })
  return isLoaded ? { kind: 'sketches', series: changed, tail: tailOf(state) } : undefined
}

/** A sum beyond what a number can hold stays at the largest: two such sums of opposite signs would make it no number. */
function boundedSum(left: number, right: number): number {
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, left + right))
}

function wholeOf(state: FieldState | undefined): Uint8Array | undefined {
  return state?.kind === 'whole' ? state.bytes : undefined
}

function tailOf(state: FieldState | undefined): Uint8Array {
  return state === undefined || state.kind === 'whole' ? NO_TAIL : state.tail
}
