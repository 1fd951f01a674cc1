/**
 * Rows as bytes: in one piece, or with the large sketches apart so that a store need not write them with every change of
 * the row. Pure; lives on the store thread and on policy workers.
 *
 * Encoding of a row: version, size of a window (s), time of the newest change + 1 (s), then per field its id (24 bits), its
 * length × 2 (+ 1 if it names sketches which stand apart) and segment (field-state.ts). There is no checksum: whoever keeps
 * a row seals it together with its key, and a row is written so often that its bytes count. Rows of version 1, which had one
 * and 32-bit lengths, are read. Encoding of a chunk: seal, sketch. A row under another definition: fields that are not
 * defined any more are left out, windows of another size are fitted (window-series.ts), and the next encoding makes both
 * permanent.
 */
import { TrackError } from '../errors.ts'
import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { decodeSegment, writeFieldSegment } from './field-segment.ts'
import type { FieldState, SketchCell } from './field-state.ts'
import { openSealed, seal, SEAL_BYTES, sealedWriter } from './sealed-bytes.ts'
import { isWindowed, type TrendDefinition } from './trend-definition.ts'
import { TrendRow, type RowChunkRef, type RowSlot } from './trend-row.ts'

const ROW_VERSION = 2
const SEALED_ROW_VERSION = 1
const CHUNK_VERSION = 1
/** Of the length of a segment in a row of version 1. */
const HAS_CHUNKS = 0x80000000
/** Enough for most fields; the writer grows for the others. */
const SEGMENT_CAPACITY_BYTES = 64
/** Larger sketches stand apart, as soon as a row is stored in parts. */
const LARGEST_INLINE_BYTES = 256

export type DecodedRow =
  { readonly ok: true; readonly row: TrendRow } | { readonly ok: false; readonly reason: string }

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

/** The bytes to write in place of a sketch; undefined if it stands apart. */
type Inline = (cell: SketchCell, window: number) => Uint8Array | undefined

/** The row that bytes hold, an empty one for none; never throws. Its bytes must not change afterwards. */
export function decodeRow(definition: TrendDefinition, bytes: Uint8Array | undefined): DecodedRow {
  if (bytes === undefined) {
    return {
      ok: true,
      row: new TrendRow(definition, { newestSeconds: -1, slots: new Map(), storedChunks: [] }),
    }
  }
  const isSealed = bytes[0] === SEALED_ROW_VERSION
  const reader = isSealed ? openSealed(bytes, SEALED_ROW_VERSION) : openPlain(bytes)
  if (typeof reader === 'string') return damaged(definition, reader)
  const windowSeconds = reader.readVarint()
  const newestSeconds = reader.readVarint() - 1
  const slots = new Map<number, RowSlot>()
  const storedChunks: RowChunkRef[] = []
  while (reader.hasMore) {
    const fieldId = reader.readUint24()
    const { length, hasChunks } = isSealed ? readOldLength(reader) : readLength(reader)
    const segment = reader.readBytes(length)
    if (hasChunks) storedChunks.push(...chunksOf(fieldId, segment, windowSeconds))
    if (definition.fieldsById.has(fieldId)) slots.set(fieldId, { segment, state: undefined, hasChunks })
  }
  if (reader.failed || windowSeconds === 0) return damaged(definition, 'it ends too early')
  const row = new TrendRow(definition, { newestSeconds, slots, storedChunks })
  if (windowSeconds !== definition.windowSeconds) row.resizeFrom(windowSeconds)
  return { ok: true, row }
}

function openPlain(bytes: Uint8Array): ByteReader | string {
  if (bytes.length === 0) return 'its 0 bytes are too few'
  return bytes[0] === ROW_VERSION
    ? new ByteReader(bytes, 1)
    : `its version is ${bytes[0]}, known is ${ROW_VERSION}`
}

function readLength(reader: ByteReader): { readonly length: number; readonly hasChunks: boolean } {
  const coded = reader.readVarint()
  return { length: Math.floor(coded / 2), hasChunks: coded % 2 === 1 }
}

function readOldLength(reader: ByteReader): { readonly length: number; readonly hasChunks: boolean } {
  const coded = reader.readUint32()
  return { length: coded % HAS_CHUNKS, hasChunks: coded >= HAS_CHUNKS }
}

/** The row in one piece. Sketches that stand apart and were not loaded stay apart. */
export function encodeRow(row: TrendRow): Uint8Array {
  const writer = writeHeader(row)
  for (const [fieldId, slot] of liveSlots(row)) {
    if (slot.segment !== undefined && !slot.hasChunks) writeSegment(writer, fieldId, slot.segment)
    else writeState(writer, fieldId, { state: stateOf(row, fieldId, slot), inline: (cell) => cell.bytes })
  }
  return writer.finish()
}

/**
 * The row in parts. The row takes the parts for stored: if they are not written after all, it must be decoded anew.
 *
 * @throws TrackError TRK_TREND_INCOMPLETE when sketches that must be rewritten (after a change of the window size) have
 * not been loaded; `missingChunks` names them.
 */
export function splitRow(row: TrendRow): SplitRow {
  const writer = writeHeader(row)
  const { storedChunks } = row.parts
  const stored = new Set(storedChunks.map(nameOf))
  const kept: RowChunkRef[] = []
  const chunks: StoredChunk[] = []
  const slots = new Map<number, RowSlot>()
  const spans = new Map<number, readonly [start: number, end: number]>()
  for (const [fieldId, slot] of liveSlots(row)) {
    if (slot.segment !== undefined) {
      const start = writeSegment(writer, fieldId, slot.segment, slot.hasChunks)
      if (slot.hasChunks) kept.push(...storedChunks.filter((ref) => ref.fieldId === fieldId))
      else spans.set(fieldId, [start, writer.length])
      slots.set(fieldId, slot)
      continue
    }
    const state = stateOf(row, fieldId, slot)
    const { hasChunks, start } = writeState(writer, fieldId, {
      state,
      inline: (cell, window) => {
        const ref = { fieldId, startSeconds: window * row.definition.windowSeconds }
        const bytes = inlineBytes(row, cell)
        if (bytes !== undefined && bytes.length <= LARGEST_INLINE_BYTES) return bytes
        if (bytes !== undefined && (cell.isChanged || !stored.has(nameOf(ref)))) {
          chunks.push({ ...ref, bytes: encodeChunk(bytes) })
        }
        kept.push(ref)
        return undefined
      },
    })
    slots.set(fieldId, { segment: undefined, state: settled(state), hasChunks })
    if (!hasChunks) spans.set(fieldId, [start, writer.length])
  }
  const main = writer.finish()
  // Fields without chunks go back to their encoded form: the next change then needs their newest window alone.
  for (const [fieldId, [start, end]] of spans) {
    slots.set(fieldId, { segment: main.subarray(start, end), state: undefined, hasChunks: false })
  }
  row.settle(slots, kept)
  const keptNames = new Set(kept.map(nameOf))
  return { main, chunks, dropped: storedChunks.filter((ref) => !keptNames.has(nameOf(ref))) }
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

function writeHeader(row: TrendRow): ByteWriter {
  const writer = new ByteWriter(likelyBytes(row))
  writer.writeByte(ROW_VERSION)
  writer.writeVarint(row.definition.windowSeconds)
  writer.writeVarint(row.parts.newestSeconds + 1)
  return writer
}

/** A little more than the row will probably take, so that the writer need not grow. */
function likelyBytes(row: TrendRow): number {
  let sizeBytes = 32
  for (const { segment, state } of row.parts.slots.values()) {
    sizeBytes +=
      32 + (segment?.length ?? (state === undefined || state.kind === 'whole' ? 0 : state.tail.length))
    if (state?.kind === 'sketches') sizeBytes += LARGEST_INLINE_BYTES
  }
  return sizeBytes
}

/** @returns where the segment begins. */
function writeSegment(writer: ByteWriter, fieldId: number, segment: Uint8Array, hasChunks = false): number {
  writer.writeUint24(fieldId)
  writer.writeVarint(segment.length * 2 + (hasChunks ? 1 : 0))
  const start = writer.length
  writer.writeBytes(segment)
  return start
}

function writeState(
  writer: ByteWriter,
  fieldId: number,
  { state, inline }: { readonly state: FieldState; readonly inline: Inline },
): { readonly hasChunks: boolean; readonly start: number } {
  let hasChunks = false
  const segment = new ByteWriter(SEGMENT_CAPACITY_BYTES)
  writeFieldSegment(segment, state, (cell, window) => {
    const bytes = inline(cell, window)
    if (bytes === undefined) hasChunks = true
    return bytes
  })
  return { hasChunks, start: writeSegment(writer, fieldId, segment.finish(), hasChunks) }
}

/** Fields that still have a window in range; what is left of the others is dropped with them. */
function* liveSlots(row: TrendRow): Iterable<[number, RowSlot]> {
  for (const [fieldId, slot] of row.parts.slots) {
    const field = row.definition.fieldsById.get(fieldId)
    if (field === undefined) continue
    if (!isWindowed(field.type) || newestWindow(slot) >= row.oldestWindow) yield [fieldId, slot]
  }
}

function newestWindow({ segment, state }: RowSlot): number {
  if (state === undefined) return segment === undefined ? -Infinity : new ByteReader(segment).readVarint()
  return state.kind === 'whole' ? Infinity : (state.series.windows[0] ?? -Infinity)
}

function stateOf(row: TrendRow, fieldId: number, slot: RowSlot): FieldState {
  const field = row.definition.fieldsById.get(fieldId)
  const state = slot.state ?? (field === undefined ? undefined : row.state(field))
  return state ?? { kind: 'whole', bytes: slot.segment ?? new Uint8Array(0) }
}

/** After it was stored, nothing of a state differs from what is stored. */
function settled(state: FieldState): FieldState {
  if (state.kind !== 'sketches' || !state.series.cells.some((cell) => cell.isChanged)) return state
  const { windows, cells } = state.series
  return { ...state, series: { windows, cells: cells.map((cell) => ({ ...cell, isChanged: false })) } }
}

function nameOf({ fieldId, startSeconds }: RowChunkRef): string {
  return `${fieldId}:${startSeconds}`
}

/** The sketches that a segment names without holding them. */
function chunksOf(fieldId: number, segment: Uint8Array, windowSeconds: number): readonly RowChunkRef[] {
  const state = decodeSegment('hll', segment, windowSeconds)
  if (state?.kind !== 'sketches') return []
  return state.series.cells.flatMap((cell) => cell.pending).map((startSeconds) => ({ fieldId, startSeconds }))
}

function damaged(
  definition: TrendDefinition,
  reason: string,
): { readonly ok: false; readonly reason: string } {
  return { ok: false, reason: `a row of trend database "${definition.name}" cannot be read: ${reason}` }
}
