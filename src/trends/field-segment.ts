/**
 * The values of one field as a segment of a row. Pure; lives on policy workers and on the store thread.
 *
 * Encoding of int: newest window, its value, then for each older one the distance to the window before and its value.
 * Sketches: the same with length and bytes in place of the value; length 0 says that the sketch stands in a chunk of its
 * own. seen, last and baseline: their own encoding.
 */
import { ByteReader } from './byte-reader.ts'
import type { ByteWriter } from './byte-writer.ts'
import { NO_TAIL, NOTHING_PENDING, type FieldState, type SketchCell } from './field-state.ts'
import type { FieldType } from './trend-definition.ts'
import { EMPTY_SERIES, type WindowSeries } from './window-series.ts'

/** The state that a segment of a row encodes, windows still of the size that it was written with; undefined if malformed. */
export function decodeSegment(
  type: FieldType,
  segment: Uint8Array,
  windowSeconds: number,
): FieldState | undefined {
  return decode(type, segment, { windowSeconds, mostWindows: Infinity })
}

/** The same with the newest window alone, the rest left as its tail. */
export function decodeNewest(
  type: FieldType,
  segment: Uint8Array,
  windowSeconds: number,
): FieldState | undefined {
  return decode(type, segment, { windowSeconds, mostWindows: 1 })
}

/** The state with its tail decoded; undefined if that is malformed. */
export function decodeTail(state: FieldState, windowSeconds: number): FieldState | undefined {
  if (state.kind === 'whole' || state.tail.length === 0) return state
  const reader = new ByteReader(state.tail)
  const limits = { windowSeconds, mostWindows: Infinity }
  const decoded: FieldState =
    state.kind === 'int'
      ? { kind: 'int', series: readWindows<number>(reader, state.series, limits, readInt), tail: NO_TAIL }
      : {
          kind: 'sketches',
          series: readWindows<SketchCell>(reader, state.series, limits, readCell),
          tail: NO_TAIL,
        }
  return reader.failed ? undefined : decoded
}

/** Writes a state as a segment. `bytesInline` gives what to write for a sketch: undefined if it stands apart. */
export function writeFieldSegment(
  writer: ByteWriter,
  state: FieldState,
  bytesInline: (cell: SketchCell, window: number) => Uint8Array | undefined,
): void {
  if (state.kind === 'whole') {
    writer.writeBytes(state.bytes)
    return
  }
  const { windows } = state.series
  let before = 0
  for (let index = 0; index < windows.length; index++) {
    const window = windows[index] ?? 0
    writer.writeVarint(index === 0 ? window : before - window)
    before = window
    if (state.kind === 'int') {
      writer.writeNumber(state.series.cells[index] ?? 0)
      continue
    }
    const cell = state.series.cells[index]
    const bytes = cell === undefined ? undefined : bytesInline(cell, window)
    if (bytes === undefined) writer.writeVarint(0)
    else writer.writeSized(bytes)
  }
  writer.writeBytes(state.tail)
}

interface DecodeLimits {
  readonly windowSeconds: number
  readonly mostWindows: number
}

function decode(type: FieldType, segment: Uint8Array, limits: DecodeLimits): FieldState | undefined {
  const reader = new ByteReader(segment)
  switch (type) {
    case 'int': {
      const series = readWindows<number>(reader, EMPTY_SERIES, limits, readInt)
      return reader.failed ? undefined : { kind: 'int', series, tail: segment.subarray(reader.offset) }
    }
    case 'hll':
    case 'countmin':
    case 'top': {
      const series = readWindows<SketchCell>(reader, EMPTY_SERIES, limits, readCell)
      return reader.failed ? undefined : { kind: 'sketches', series, tail: segment.subarray(reader.offset) }
    }
    case 'seen':
    case 'last':
    case 'baseline':
      return { kind: 'whole', bytes: segment }
  }
  return type satisfies never
}

/** The series with the windows that follow in the encoding. */
function readWindows<T>(
  reader: ByteReader,
  series: WindowSeries<T>,
  { windowSeconds, mostWindows }: DecodeLimits,
  readValue: (reader: ByteReader, startSeconds: number) => T,
): WindowSeries<T> {
  const windows = series.windows.slice()
  const cells = series.cells.slice()
  let window = windows.at(-1)
  while (reader.hasMore && windows.length < mostWindows) {
    window = window === undefined ? reader.readVarint() : window - reader.readVarint()
    windows.push(window)
    cells.push(readValue(reader, window * windowSeconds))
  }
  return { windows, cells }
}

function readInt(reader: ByteReader): number {
  return reader.readNumber()
}

function readCell(reader: ByteReader, startSeconds: number): SketchCell {
  const lengthBytes = reader.readVarint()
  return lengthBytes === 0
    ? { bytes: undefined, pending: [startSeconds], isChanged: false }
    : { bytes: reader.readBytes(lengthBytes), pending: NOTHING_PENDING, isChanged: false }
}
