/**
 * Segments that are written together: what a batch of appends brings, ready for a report file and its index. Store thread.
 */
import { numberKey, PREFIX } from '../keys.ts'
import { seal } from '../sealed-value.ts'
import { isCompressed, isIndexed, readEntries, type SegmentEntry, storedForm } from '../segment.ts'

/**
 * Room behind a compressed segment: what is left when reports are erased may compress a little less well, since reports that
 * were alike compressed each other. In trials it was never more than 4 bytes.
 */
const SPARE_BYTES = 16

export interface StagedSegment {
  readonly segment: number
  /** Sealed content. */
  readonly sealed: Uint8Array
  /** What is kept free for it, no less than its size. */
  readonly roomBytes: number
  /** Times of receipt, Unix ms. */
  readonly oldestMs: number
  readonly newestMs: number
  /** Reports that history shall find. */
  readonly entries: readonly SegmentEntry[]
}

export class ReportBatch {
  readonly #segments: StagedSegment[] = []
  #sizeBytes = 0

  /** In ascending order. */
  get segments(): readonly StagedSegment[] {
    return this.#segments
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /**
   * @param content - as the main thread encoded it
   * @param isKept - whether history finds its reports
   */
  add(segment: number, content: Uint8Array, isKept: boolean): void {
    this.addStored(segment, storedForm(content, { isIndexed: isKept }), content)
  }

  /** @param stored - the form in which it is kept, and says itself whether history finds its reports */
  addStored(segment: number, stored: Uint8Array, content = stored): void {
    const sealed = seal(numberKey(PREFIX.segment, segment), stored)
    const entries = readEntries(content)
    const roomBytes = sealed.length + (isCompressed(stored) ? SPARE_BYTES : 0)
    const times = entries.map((entry) => entry.receivedAtMs)
    // All of its reports were erased: it may go at once.
    if (times.length === 0) times.push(0)
    this.#segments.push({
      segment,
      sealed,
      roomBytes,
      oldestMs: Math.min(...times),
      newestMs: Math.max(...times),
      entries: isIndexed(stored) ? entries : [],
    })
    this.#sizeBytes += roomBytes
  }
}
