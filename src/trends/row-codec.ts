/**
 * Rows as bytes; with the large sketches apart in split-row.ts. Pure; lives on the store thread and on policy workers.
 *
 * Encoding of a row: version, size of a window (s), time of the newest change + 1 (s), then per field its id (24 bits), its
 * length × 2 (+ 1 if it names sketches which stand apart) and segment (field-state.ts). There is no checksum: whoever keeps
 * a row seals it together with its key, and a row is written so often that its bytes count. Rows of version 1, which had one
 * and 32-bit lengths, are read. Encoding of a chunk: seal, sketch. A row under another definition: fields that are not
 * defined any more are left out, windows of another size are fitted (window-series.ts), and the next encoding makes both
 * permanent.
 */
import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { decodeSegment, writeFieldSegment } from './field-segment.ts'
import type { FieldState, SketchCell } from './field-state.ts'
import { openSealed } from './sealed-bytes.ts'
import { isWindowed, type TrendDefinition } from './trend-definition.ts'
import { TrendRow, type RowChunkRef, type RowSlot } from './trend-row.ts'

const ROW_VERSION = 2
const SEALED_ROW_VERSION = 1
/** Of the length of a segment in a row of version 1. */
const HAS_CHUNKS = 0x80000000
/** Enough for most fields; the writer grows for the others. */
const SEGMENT_CAPACITY_BYTES = 64
/** Larger sketches stand apart, as soon as a row is stored in parts. */
export const LARGEST_INLINE_BYTES = 256

export type DecodedRow =
  { readonly ok: true; readonly row: TrendRow } | { readonly ok: false; readonly reason: string }

/** The bytes to write in place of a sketch; undefined if it stands apart. */
export type Inline = (cell: SketchCell, window: number) => Uint8Array | undefined

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

export function writeHeader(row: TrendRow): ByteWriter {
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

export function writeSegment(
  writer: ByteWriter,
  fieldId: number,
  segment: Uint8Array,
  hasChunks = false,
): void {
  writeSegmentHead(writer, fieldId, segment.length, hasChunks)
  writer.writeBytes(segment)
}

function writeSegmentHead(writer: ByteWriter, fieldId: number, length: number, hasChunks: boolean): void {
  writer.writeUint24(fieldId)
  writer.writeVarint(length * 2 + (hasChunks ? 1 : 0))
}

export function writeState(
  writer: ByteWriter,
  fieldId: number,
  { state, inline }: { readonly state: FieldState; readonly inline: Inline },
): void {
  let hasChunks = false
  const segment = new ByteWriter(SEGMENT_CAPACITY_BYTES)
  writeFieldSegment(segment, state, (cell, window) => {
    const bytes = inline(cell, window)
    if (bytes === undefined) hasChunks = true
    return bytes
  })
  writeSegmentHead(writer, fieldId, segment.length, hasChunks)
  writer.writeAll(segment)
}

/** Fields that still have a window in range; what is left of the others is dropped with them. */
export function liveSlots(row: TrendRow): readonly (readonly [fieldId: number, RowSlot])[] {
  const { oldestWindow, definition } = row
  const live: [number, RowSlot][] = []
  for (const entry of row.parts.slots) {
    const field = definition.fieldsById.get(entry[0])
    if (field !== undefined && (!isWindowed(field.type) || newestWindow(entry[1]) >= oldestWindow))
      live.push(entry)
  }
  return live
}

function newestWindow({ segment, state }: RowSlot): number {
  if (state === undefined) return segment === undefined ? -Infinity : new ByteReader(segment).readVarint()
  return state.kind === 'whole' ? Infinity : (state.series.windows[0] ?? -Infinity)
}

export function stateOf(row: TrendRow, fieldId: number, slot: RowSlot): FieldState {
  const field = row.definition.fieldsById.get(fieldId)
  const state = slot.state ?? (field === undefined ? undefined : row.state(field))
  return state ?? { kind: 'whole', bytes: slot.segment ?? new Uint8Array(0) }
}

/** The sketches that a segment names without holding them. */
function chunksOf(fieldId: number, segment: Uint8Array, windowSeconds: number): readonly RowChunkRef[] {
  const state = decodeSegment('hll', segment, windowSeconds)
  if (state?.kind !== 'sketches') return []
  return state.series.cells.flatMap((cell) => cell.pending).map((startSeconds) => ({ fieldId, startSeconds }))
}

export function damaged(
  definition: TrendDefinition,
  reason: string,
): { readonly ok: false; readonly reason: string } {
  return { ok: false, reason: `a row of trend database "${definition.name}" cannot be read: ${reason}` }
}
