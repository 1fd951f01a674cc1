/**
 * Where in a report file each segment lies, and what retention and queries ask about it without reading it. Pure; store
 * thread. Columns instead of objects: a gigabyte of history has some four hundred thousand segments.
 */
import { Buffer } from 'node:buffer'

/** Of the serialised form: segment behind the first (4 bytes) · place (4) · size (4) · oldest (8) · newest (8) · reports (1). */
const ROW_BYTES = 29
const FIRST_ROWS = 64

export interface SegmentRow {
  readonly segment: number
  /** Of its record in the file. */
  readonly at: number
  readonly sizeBytes: number
  /** Times of receipt, Unix ms. */
  readonly oldestMs: number
  readonly newestMs: number
  /** Reports that history finds: none of a segment that came while no history was kept, nor erased ones. */
  readonly reports: number
}

export class SegmentTable {
  #segments = new Float64Array(FIRST_ROWS)
  #places = new Uint32Array(FIRST_ROWS)
  #sizes = new Uint32Array(FIRST_ROWS)
  #oldest = new Float64Array(FIRST_ROWS)
  #newest = new Float64Array(FIRST_ROWS)
  #reports = new Uint8Array(FIRST_ROWS)
  #length = 0
  #keptReports = 0
  #keptBytes = 0

  get length(): number {
    return this.#length
  }

  /** Reports that history finds. */
  get keptReports(): number {
    return this.#keptReports
  }

  /** Of the records with such reports. */
  get keptBytes(): number {
    return this.#keptBytes
  }

  /** Segments come in ascending order. */
  add(row: SegmentRow): void {
    if (this.#length === this.#places.length) this.#grow()
    const index = this.#length++
    this.#segments[index] = row.segment
    this.#places[index] = row.at
    this.#sizes[index] = row.sizeBytes
    this.#oldest[index] = row.oldestMs
    this.#newest[index] = row.newestMs
    this.setReports(index, row.reports)
  }

  segmentAt(index: number): number {
    return this.#segments[index] ?? -1
  }

  placeAt(index: number): number {
    return this.#places[index] ?? 0
  }

  sizeBytesAt(index: number): number {
    return this.#sizes[index] ?? 0
  }

  oldestMsAt(index: number): number {
    return this.#oldest[index] ?? 0
  }

  newestMsAt(index: number): number {
    return this.#newest[index] ?? 0
  }

  reportsAt(index: number): number {
    return this.#reports[index] ?? 0
  }

  setReports(index: number, reports: number): void {
    const before = this.reportsAt(index)
    this.#reports[index] = reports
    this.#keptReports += reports - before
    if (before === 0 && reports > 0) this.#keptBytes += this.sizeBytesAt(index)
    else if (before > 0 && reports === 0) this.#keptBytes -= this.sizeBytesAt(index)
  }

  /** Index of the first segment that is not lower; `length` when all are. */
  lowerBound(segment: number): number {
    let low = 0
    let high = this.#length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.segmentAt(middle) < segment) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Index of a segment; -1 when it is not there. */
  find(segment: number): number {
    const index = this.lowerBound(segment)
    return this.segmentAt(index) === segment && index < this.#length ? index : -1
  }

  encode(): Buffer {
    const bytes = Buffer.allocUnsafe(this.#length * ROW_BYTES)
    const first = this.segmentAt(0)
    for (let index = 0, at = 0; index < this.#length; index++, at += ROW_BYTES) {
      bytes.writeUInt32LE(this.segmentAt(index) - first, at)
      bytes.writeUInt32LE(this.placeAt(index), at + 4)
      bytes.writeUInt32LE(this.sizeBytesAt(index), at + 8)
      bytes.writeDoubleLE(this.oldestMsAt(index), at + 12)
      bytes.writeDoubleLE(this.newestMsAt(index), at + 20)
      bytes[at + 28] = this.reportsAt(index)
    }
    return bytes
  }

  /** @param first - the first segment, which the serialised form does not hold */
  static decode(bytes: Buffer, first: number): SegmentTable {
    const table = new SegmentTable()
    for (let at = 0; at + ROW_BYTES <= bytes.length; at += ROW_BYTES) {
      table.add({
        segment: first + bytes.readUInt32LE(at),
        at: bytes.readUInt32LE(at + 4),
        sizeBytes: bytes.readUInt32LE(at + 8),
        oldestMs: bytes.readDoubleLE(at + 12),
        newestMs: bytes.readDoubleLE(at + 20),
        reports: bytes[at + 28] ?? 0,
      })
    }
    return table
  }

  static sizeBytes(rows: number): number {
    return rows * ROW_BYTES
  }

  #grow(): void {
    const rows = this.#places.length * 2
    this.#segments = extended(this.#segments, new Float64Array(rows))
    this.#places = extended(this.#places, new Uint32Array(rows))
    this.#sizes = extended(this.#sizes, new Uint32Array(rows))
    this.#oldest = extended(this.#oldest, new Float64Array(rows))
    this.#newest = extended(this.#newest, new Float64Array(rows))
    this.#reports = extended(this.#reports, new Uint8Array(rows))
  }
}

function extended<Column extends Float64Array | Uint32Array | Uint8Array>(from: Column, to: Column): Column {
  to.set(from)
  return to
}
