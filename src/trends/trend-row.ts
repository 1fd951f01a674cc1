/**
 * What one trend database knows of one key: all of its fields and windows. Lives on the store thread, which applies the
 * changes of committed runs to it, and on policy workers, which only read it. Fields are decoded when they are first
 * needed. It has no clock: time comes with changes and questions, and only a change moves its windows on.
 */
import { TrackError } from '../errors.ts'
import { decodeNewest, decodeSegment, decodeTail } from './field-segment.ts'
import { changeField, resizeField, withLoaded, type FieldState, type SketchCell } from './field-state.ts'
import { isValidChange, type TrendChange } from './trend-change.ts'
import {
  isWindowed,
  longKeepSeconds,
  windowAt,
  type TrendDefinition,
  type TrendField,
} from './trend-definition.ts'
import type { WindowRange } from './window-series.ts'

/**
 * What became of a change. All but `chunk-missing`, which is a fault of the caller, are normal and worth a counter.
 *
 * - out-of-range: older than every window that the row keeps
 * - unknown-field: the definition has no such field of that type (any more)
 * - bad-value: a time or an amount is no usable number
 * - chunk-missing: the sketch must be loaded first (missingChunks); the row is unchanged
 */
export type ApplyOutcome = 'applied' | 'out-of-range' | 'unknown-field' | 'bad-value' | 'chunk-missing'

/** Names a sketch that is stored apart from its row. */
export interface RowChunkRef {
  readonly fieldId: number
  /** Unix seconds at which its window begins. */
  readonly startSeconds: number
}

/** One field: as it is stored, as it was decoded, or both. */
export interface RowSlot {
  /** Encoded; undefined once a change has made it stale. */
  readonly segment: Uint8Array | undefined
  /** Undefined until somebody asks. */
  readonly state: FieldState | undefined
  /** The segment names sketches that stand apart. */
  readonly hasChunks: boolean
}

/** The parts that a row is made of; see row-codec.ts. */
export interface RowParts {
  /** Unix seconds of the newest change, whole; -1 when there was none. */
  readonly newestSeconds: number
  readonly slots: Map<number, RowSlot>
  /** Sketches that the store holds apart from this row. */
  readonly storedChunks: readonly RowChunkRef[]
}

const NO_CHUNKS: readonly RowChunkRef[] = []
/** A row that is only read is noted as used at most so often. */
const USE_NOTED_SECONDS = 3600

export class TrendRow {
  readonly definition: TrendDefinition
  #newestSeconds: number
  readonly #slots: Map<number, RowSlot>
  readonly #storedChunks: readonly RowChunkRef[]

  /** Rows come from `decodeRow`; the parts must be those of one row, which takes them over. */
  constructor(definition: TrendDefinition, parts: RowParts) {
    this.definition = definition
    this.#newestSeconds = parts.newestSeconds
    this.#slots = parts.slots
    this.#storedChunks = parts.storedChunks
  }

  get parts(): RowParts {
    return { newestSeconds: this.#newestSeconds, slots: this.#slots, storedChunks: this.#storedChunks }
  }

  /** Sketches of it stand apart: a change may need one that was not loaded. */
  get hasStoredChunks(): boolean {
    return this.#storedChunks.length > 0
  }

  /** Nothing was ever applied to it. */
  get isNew(): boolean {
    return this.#newestSeconds < 0
  }

  /** The oldest window that the row keeps; -Infinity while it is new. */
  get oldestWindow(): number {
    if (this.#newestSeconds < 0) return -Infinity
    return windowAt(this.definition, this.#newestSeconds) - this.definition.windowCount + 1
  }

  /**
   * Unix seconds from which on the row holds nothing any more. It stays the same within one window, so an expiry index
   * needs to be touched once per window: the end of the range of the newest window, or much later where a `seen`, `last`
   * or `baseline` field has something (longKeepSeconds).
   */
  get expiresAtSeconds(): number {
    const { windowSeconds, windowCount } = this.definition
    const newestWindow = windowAt(this.definition, Math.max(0, this.#newestSeconds))
    for (const fieldId of this.#slots.keys()) {
      const field = this.definition.fieldsById.get(fieldId)
      if (field !== undefined && !isWindowed(field.type)) {
        return (newestWindow + 1) * windowSeconds + longKeepSeconds(this.definition)
      }
    }
    return (newestWindow + windowCount) * windowSeconds
  }

  /**
   * Whether a reading at this time should be noted with a `touch`, so that rows which are used stay when others must go.
   * Only now and then: each note is a row to write.
   */
  isUseDue(nowSeconds: number): boolean {
    return (
      !this.isNew &&
      nowSeconds - this.#newestSeconds >= Math.max(USE_NOTED_SECONDS, this.definition.windowSeconds)
    )
  }

  /** A change to a field that nobody looks at in this row: all that is seen of it is that the windows have moved on. */
  moveOn(change: TrendChange): void {
    const field = this.definition.fieldsById.get(change.fieldId)
    if (field !== undefined && isValidChange(change, field.type)) this.#touch(change.timeSeconds)
  }

  /** Applies one change. */
  apply(change: TrendChange): ApplyOutcome {
    if (change.op === 'reset') {
      if (!isValidChange(change, 'int')) return 'bad-value'
      this.#slots.clear()
      this.#touch(change.timeSeconds)
      return 'applied'
    }
    if (change.op === 'touch') {
      if (!isValidChange(change, 'int')) return 'bad-value'
      // A row of which nothing is left must not come back to life because somebody asks for it.
      if (!this.isNew) this.#touch(change.timeSeconds)
      return 'applied'
    }
    const field = this.definition.fieldsById.get(change.fieldId)
    if (field === undefined) return 'unknown-field'
    if (!isValidChange(change, field.type)) return 'bad-value'
    return this.#applyTo(field, change)
  }

  /** The decoded values of a field, undefined when it has none. */
  state(field: TrendField): FieldState | undefined {
    const slot = this.#slots.get(field.id)
    if (slot === undefined) return undefined
    const { windowSeconds } = this.definition
    const before = slot.state ?? decodeSegment(field.type, slot.segment ?? new Uint8Array(0), windowSeconds)
    const state = before === undefined ? undefined : decodeTail(before, windowSeconds)
    if (state === undefined) throw damaged(this.definition, field)
    if (state !== slot.state) this.#slots.set(field.id, { ...slot, state })
    return state
  }

  /**
   * A row that holds one field as it will be once the given changes (of this row, in their order) are applied. This row
   * is left as it is: other runs on the same thread must not see them.
   */
  preview(field: TrendField, own: readonly TrendChange[]): TrendRow {
    this.state(field)
    const slot = this.#slots.get(field.id)
    const row = new TrendRow(this.definition, {
      newestSeconds: this.#newestSeconds,
      slots: new Map(slot === undefined ? [] : [[field.id, slot]]),
      storedChunks: NO_CHUNKS,
    })
    for (const change of own) row.#applyToPreview(field, change)
    return row
  }

  /** Sketches of a field that must be loaded before these windows are read or changed. */
  missingChunks(field: TrendField, range?: WindowRange): readonly RowChunkRef[] {
    if (this.#storedChunks.length === 0) return NO_CHUNKS
    const state = this.state(field)
    if (state?.kind !== 'sketches') return NO_CHUNKS
    const missing: RowChunkRef[] = []
    for (const [index, window] of state.series.windows.entries()) {
      if (range !== undefined && (window < range.oldest || window > range.newest)) continue
      for (const startSeconds of state.series.cells[index]?.pending ?? [])
        missing.push({ fieldId: field.id, startSeconds })
    }
    return missing
  }

  /** Sketches of a field that must be loaded before the row is stored: those that another window size brought together. */
  chunksToRewrite(field: TrendField): readonly RowChunkRef[] {
    const state = this.#slots.get(field.id)?.state
    if (state?.kind !== 'sketches') return NO_CHUNKS
    return state.series.cells
      .filter((cell) => cell.isChanged)
      .flatMap((cell) => cell.pending.map((startSeconds) => ({ fieldId: field.id, startSeconds })))
  }

  /** Gives a row a sketch (without its seal) that `missingChunks` named. Another one changes nothing. */
  load({ fieldId, startSeconds }: RowChunkRef, bytes: Uint8Array): void {
    const field = this.definition.fieldsById.get(fieldId)
    const slot = this.#slots.get(fieldId)
    if (field === undefined || slot?.state?.kind !== 'sketches') return
    const { windows, cells } = slot.state.series
    const loaded = cells.map((cell) =>
      cell.pending.includes(startSeconds)
        ? withLoaded(this.definition, field.type, cell, { startSeconds, bytes })
        : cell,
    )
    this.#slots.set(fieldId, { ...slot, state: { ...slot.state, series: { windows, cells: loaded } } })
  }

  /** Brings a row that was written with another window size to that of its definition. */
  resizeFrom(windowSeconds: number): void {
    for (const [fieldId, slot] of this.#slots) {
      const field = this.definition.fieldsById.get(fieldId)
      if (field === undefined || slot.segment === undefined || !isWindowed(field.type)) continue
      const before = decodeSegment(field.type, slot.segment, windowSeconds)
      if (before === undefined) {
        this.#slots.delete(fieldId)
        continue
      }
      const state = resizeField(this.definition, field.type, before, windowSeconds)
      this.#slots.set(fieldId, { segment: undefined, state, hasChunks: false })
    }
  }

  #applyTo(field: TrendField, change: TrendChange): ApplyOutcome {
    if (change.op !== 'reset-field') return this.#change(field, change)
    this.#slots.delete(field.id)
    this.#touch(change.timeSeconds)
    return 'applied'
  }

  #change(field: TrendField, change: TrendChange): ApplyOutcome {
    const window = windowAt(this.definition, change.timeSeconds)
    if (isWindowed(field.type) && window < this.oldestWindow) return 'out-of-range'
    const oldest = Math.max(this.oldestWindow, window - this.definition.windowCount + 1)
    const before = this.#stateForChange(field, window)
    const state = changeField(this.definition, before, change, { window, oldest })
    if (state === undefined) return 'chunk-missing'
    this.#slots.set(field.id, { segment: undefined, state, hasChunks: false })
    this.#touch(change.timeSeconds)
    return 'applied'
  }

  /** As much of a field as a change in this window needs: the newest window alone if it goes there. */
  #stateForChange(field: TrendField, window: number): FieldState | undefined {
    const slot = this.#slots.get(field.id)
    if (slot === undefined) return undefined
    const { windowSeconds } = this.definition
    const newest =
      slot.state ??
      (slot.hasChunks
        ? undefined
        : decodeNewest(field.type, slot.segment ?? new Uint8Array(0), windowSeconds))
    if (newest === undefined) return this.state(field)
    return newest.kind === 'whole' || newest.series.windows[0] === window ? newest : this.state(field)
  }

  /** Changes of other fields only move the windows on. */
  #applyToPreview(field: TrendField, change: TrendChange): void {
    if (change.op === 'reset' || change.op === 'touch' || change.fieldId === field.id) {
      if (this.apply(change) === 'chunk-missing') throw incomplete(this.definition, field)
      return
    }
    this.moveOn(change)
  }

  #touch(timeSeconds: number): void {
    this.#newestSeconds = Math.max(this.#newestSeconds, Math.floor(timeSeconds))
  }
}

/** The bytes of a sketch that must have been loaded. */
export function loadedBytes(cell: SketchCell, definition: TrendDefinition, field: TrendField): Uint8Array {
  if (cell.bytes === undefined || cell.pending.length > 0) throw incomplete(definition, field)
  return cell.bytes
}

function damaged(definition: TrendDefinition, field: TrendField): TrackError {
  return new TrackError(
    'TRK_TREND_DAMAGED',
    `field ${field.name} of a row of trend database ${definition.name}`,
  )
}

function incomplete(definition: TrendDefinition, field: TrendField): TrackError {
  return new TrackError('TRK_TREND_INCOMPLETE', `field ${field.name} of trend database ${definition.name}`)
}
