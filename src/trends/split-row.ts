/**
 * Rows in parts: large sketches stand apart, so that a store need not write them with every change of the row. Pure; lives on
 * the store thread and on policy workers. Encoding of a chunk: seal, sketch; of the rest: row-codec.ts.
 */
import { TrackError } from '../errors.ts'
import type { FieldState, SketchCell } from './field-state.ts'
import {
  damaged,
  LARGEST_INLINE_BYTES,
  liveSlots,
  stateOf,
  writeHeader,
  writeSegment,
  writeState,
  type Inline,
} from './row-codec.ts'
import { openSealed, seal, SEAL_BYTES, sealedWriter } from './sealed-bytes.ts'
import type { RowChunkRef, RowSlot, TrendRow } from './trend-row.ts'

const CHUNK_VERSION = 1

export interface StoredChunk extends RowChunkRef {
  readonly bytes: Uint8Array
}

/** What a store writes and removes, in one batch, to hold a row. */
export interface SplitRow {
  readonly main: Uint8Array
  /** Only those that differ from what is stored. */
  readonly chunks: readonly StoredChunk[]
  readonly dropped: readonly RowChunkRef[]
}

/**
 * The row in parts. The row takes the parts for stored: if they are not written after all, it must be decoded anew.
 *
 * @throws TrackError TRK_TREND_INCOMPLETE when sketches that must be rewritten (after a change of the window size) have
 * not been loaded; `missingChunks` names them.
 */
export function splitRow(row: TrendRow): SplitRow {
  const writer = writeHeader(row)
  const apart = new ChunkSplit(row)
  const settled: SettledField[] = []
  for (const [fieldId, slot] of liveSlots(row)) {
    if (slot.segment !== undefined) {
      const start = writeSegment(writer, fieldId, slot.segment, slot.hasChunks)
      if (slot.hasChunks) apart.keepAll(fieldId)
      settled.push({ fieldId, start, end: writer.length, slot })
      continue
    }
    const state = stateOf(row, fieldId, slot)
    const inline: Inline = (cell, window) => apart.inline(fieldId, cell, window)
    const { hasChunks, start } = writeState(writer, fieldId, { state, inline })
    const after = hasChunks ? unchanged(state) : state
    settled.push({
      fieldId,
      start,
      end: writer.length,
      slot: { segment: undefined, state: after, hasChunks },
    })
  }
  const main = writer.finish()
  row.settle(slotsOf(main, settled), apart.kept)
  return { main, chunks: apart.chunks, dropped: apart.dropped() }
}

/** Where a field went, and what is known of it. */
interface SettledField {
  readonly fieldId: number
  readonly start: number
  readonly end: number
  readonly slot: RowSlot
}

/** Fields without chunks go back to their encoded form: the next change then needs their newest window alone. */
function slotsOf(main: Uint8Array, settled: readonly SettledField[]): Map<number, RowSlot> {
  const slots = new Map<number, RowSlot>()
  for (const { fieldId, start, end, slot } of settled) {
    const inMain = (): RowSlot => ({ segment: main.subarray(start, end), state: undefined, hasChunks: false })
    slots.set(fieldId, slot.hasChunks ? slot : inMain())
  }
  return slots
}

/** Which sketches of a row stand apart, as its fields are written one after another. */
class ChunkSplit {
  readonly kept: RowChunkRef[] = []
  readonly chunks: StoredChunk[] = []
  readonly #row: TrendRow
  readonly #stored: readonly RowChunkRef[]
  #storedNames: ReadonlySet<string> | undefined

  constructor(row: TrendRow) {
    this.#row = row
    this.#stored = row.parts.storedChunks
  }

  /** A field that has not changed keeps its chunks. */
  keepAll(fieldId: number): void {
    for (const ref of this.#stored) if (ref.fieldId === fieldId) this.kept.push(ref)
  }

  /** What to write of a sketch in the row itself; undefined when it stands apart. */
  inline(fieldId: number, cell: SketchCell, window: number): Uint8Array | undefined {
    const bytes = inlineBytes(this.#row, cell)
    if (bytes !== undefined && bytes.length <= LARGEST_INLINE_BYTES) return bytes
    const ref = { fieldId, startSeconds: window * this.#row.definition.windowSeconds }
    if (bytes !== undefined && (cell.isChanged || !this.#isStored(ref)))
      this.chunks.push({ ...ref, bytes: encodeChunk(bytes) })
    this.kept.push(ref)
    return undefined
  }

  dropped(): readonly RowChunkRef[] {
    if (this.#stored.length === 0) return this.#stored
    const kept = new Set(this.kept.map(nameOf))
    return this.#stored.filter((stored) => !kept.has(nameOf(stored)))
  }

  #isStored(ref: RowChunkRef): boolean {
    this.#storedNames ??= new Set(this.#stored.map(nameOf))
    return this.#storedNames.has(nameOf(ref))
  }
}

/** What can be written of a sketch here and now; undefined for one that stands apart and was not loaded. */
function inlineBytes(row: TrendRow, { bytes, pending, isChanged }: SketchCell): Uint8Array | undefined {
  if (bytes !== undefined && pending.length === 0) return bytes
  if (!isChanged) return undefined
  throw new TrackError('TRK_TREND_INCOMPLETE', `a row of trend database ${row.definition.name}`)
}

/** Gives a row the stored bytes of a chunk; the reason when they cannot be used. */
export function loadChunk(row: TrendRow, ref: RowChunkRef, bytes: Uint8Array): string | undefined {
  const reader = openSealed(bytes, CHUNK_VERSION)
  if (typeof reader === 'string') return damaged(row.definition, reader).reason
  row.load(ref, bytes.subarray(SEAL_BYTES))
  return undefined
}

function encodeChunk(sketch: Uint8Array): Uint8Array {
  const writer = sealedWriter(CHUNK_VERSION, sketch.length + SEAL_BYTES)
  writer.writeBytes(sketch)
  return seal(writer)
}

/** After it was stored, nothing of a state differs from what is stored. */
function unchanged(state: FieldState): FieldState {
  if (state.kind !== 'sketches' || !state.series.cells.some((cell) => cell.isChanged)) return state
  const { windows, cells } = state.series
  return { ...state, series: { windows, cells: cells.map((cell) => ({ ...cell, isChanged: false })) } }
}

function nameOf({ fieldId, startSeconds }: RowChunkRef): string {
  return `${fieldId}:${startSeconds}`
}
