/**
 * Values that were written lately, by name, in one piece of memory: each behind the last one, round and round, over the
 * oldest. Pure state; store thread.
 *
 * An array or a text for each value costs the garbage collector more than reading values from the database costs: what is
 * replaced with every change lives just long enough to become old.
 *
 *     record: length of the value (4 bytes, big-endian) · value
 */
import { Buffer } from 'node:buffer'

const HEAD_BYTES = 4
/** Of one time round: their names take memory beside the values, some 3 MB at most with those of the time before. */
const MOST_NAMES = 16_384

export class RecentValues {
  readonly #bytes: Buffer
  /**
   * Where the record of a name begins, counted from the very first one on: those of this time round, and of the one before, of
   * which the first are overwritten by now. So names go all at once, and nobody has to look for those whose values are gone.
   */
  #newer = new Map<string, number>()
  #older = new Map<string, number>()
  #next = 0

  /** @param sizeBytes - of all records; a value that does not fit is not kept */
  constructor(sizeBytes: number) {
    this.#bytes = Buffer.allocUnsafeSlow(sizeBytes)
  }

  has(name: string): boolean {
    return this.#placeOf(name) !== undefined
  }

  /** The value as it was set last, if it is still there: a view, valid until the next `set`. */
  get(name: string): Uint8Array | undefined {
    const place = this.#placeOf(name)
    if (place === undefined) return undefined
    const start = (place % this.#bytes.length) + HEAD_BYTES
    return this.#bytes.subarray(start, start + this.#bytes.readUInt32BE(start - HEAD_BYTES))
  }

  /** Takes a copy. */
  set(name: string, value: Uint8Array): void {
    const recordBytes = HEAD_BYTES + value.length
    if (recordBytes > this.#bytes.length) return this.delete(name)
    const behind = this.#next % this.#bytes.length
    const room = this.#bytes.length - behind
    // A record is in one piece.
    const isRound = recordBytes > room || (behind > 0 && this.#newer.size >= MOST_NAMES)
    const place = isRound ? this.#next + room : this.#next
    const start = place % this.#bytes.length
    if (start === 0) {
      this.#older = this.#newer
      this.#newer = new Map()
    }
    this.#bytes.writeUInt32BE(value.length, start)
    this.#bytes.set(value, start + HEAD_BYTES)
    this.#next = place + recordBytes
    this.#newer.set(name, place)
  }

  delete(name: string): void {
    this.#newer.delete(name)
    this.#older.delete(name)
  }

  #placeOf(name: string): number | undefined {
    const place = this.#newer.get(name) ?? this.#older.get(name)
    // Records that begin before here are overwritten, at least in part.
    return place === undefined || place < this.#next - this.#bytes.length ? undefined : place
  }
}
