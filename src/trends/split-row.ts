/**
 * Rows in parts: large sketches stand apart, so that a store need not write them with every change of the row. Pure; lives on
 * the store thread and on policy workers. Encoding of a chunk: seal, sketch; of the rest: row-codec.ts.
 */
import { TrackError } from '../errors.ts'
import type { SketchCell } from './field-state.ts'
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
import type { RowChunkRef, TrendRow } from './trend-row.ts'

const CHUNK_VERSION = 1

export interface StoredChunk extends RowChunkRef {
  readonly bytes: Uint8Array
}

/** What a store writes and removes, in one batch, to hold a row. */
export interface SplitRow {
  /** In memory that it shares with others: to be written soon, and not kept. */
  readonly main: Uint8Array
  /** Only those that differ from what is stored. */
  readonly chunks: readonly StoredChunk[]
  /** All that stand apart from now on. */
  readonly kept: readonly RowChunkRef[]
}

/**
 * The row in parts; the row itself stays as it is.
 *
 * @throws TrackError TRK_TREND_INCOMPLETE when sketches that must be rewritten (after a change of the window size) have
 * not been loaded; `missingChunks` names them.
 */
export function splitRow(row: TrendRow): SplitRow {
  const writer = writeHeader(row)
  const apart = new ChunkSplit(row)
  for (const [fieldId, slot] of liveSlots(row)) {
    if (slot.segment !== undefined) {
      writeSegment(writer, fieldId, slot.segment, slot.hasChunks)
      if (slot.hasChunks) apart.keepAll(fieldId)
    } else {
      const inline: Inline = (cell, window) => apart.inline(fieldId, cell, window)
      writeState(writer, fieldId, { state: stateOf(row, fieldId, slot), inline })
    }
  }
  return { main: writer.finishShared(), chunks: apart.chunks, kept: apart.kept }
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

function nameOf({ fieldId, startSeconds }: RowChunkRef): string {
  return `${fieldId}:${startSeconds}`
}
