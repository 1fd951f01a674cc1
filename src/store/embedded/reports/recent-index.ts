/**
 * The index of a report file that still grows: places by hash, in memory. Pure; store thread. Entries are chained by the
 * highest bits of their hashes, so that the buckets one after another are nearly sorted already when the file is full and
 * its index is written.
 */

const BUCKET_BITS = 12
const NONE = -1
const FIRST_ENTRIES = 1024

export class RecentIndex {
  readonly #heads = new Int32Array(2 ** BUCKET_BITS).fill(NONE)
  #older = new Int32Array(FIRST_ENTRIES)
  #hashes = new Uint32Array(FIRST_ENTRIES)
  #places = new Uint32Array(FIRST_ENTRIES)
  #length = 0

  get length(): number {
    return this.#length
  }

  /** Both are unsigned numbers of 32 bits; places come in ascending order. */
  add(hash: number, place: number): void {
    if (this.#length === this.#places.length) this.#grow()
    const entry = this.#length++
    const bucket = bucketOf(hash)
    this.#hashes[entry] = hash
    this.#places[entry] = place
    this.#older[entry] = this.#heads[bucket] ?? NONE
    this.#heads[bucket] = entry
  }

  /** Places of a hash, the newest first. */
  *find(hash: number): Generator<number> {
    for (const entry of this.#bucket(bucketOf(hash)))
      if (this.#hashes[entry] === hash) yield this.#places[entry] ?? 0
  }

  /** Everything by ascending hash, of one hash the newest first. */
  *sorted(): Generator<readonly [hash: number, place: number]> {
    for (let bucket = 0; bucket < this.#heads.length; bucket++) {
      const entries = [...this.#bucket(bucket)].toSorted(
        (a, b) => (this.#hashes[a] ?? 0) - (this.#hashes[b] ?? 0),
      )
      for (const entry of entries) yield [this.#hashes[entry] ?? 0, this.#places[entry] ?? 0]
    }
  }

  *#bucket(bucket: number): Generator<number> {
    for (let entry = this.#heads[bucket] ?? NONE; entry !== NONE; entry = this.#older[entry] ?? NONE)
      yield entry
  }

  #grow(): void {
    const entries = this.#places.length * 2
    const older = new Int32Array(entries)
    older.set(this.#older)
    this.#older = older
    this.#hashes = extended(this.#hashes, entries)
    this.#places = extended(this.#places, entries)
  }
}

function bucketOf(hash: number): number {
  return hash >>> (32 - BUCKET_BITS)
}

function extended(from: Uint32Array<ArrayBuffer>, entries: number): Uint32Array<ArrayBuffer> {
  const to = new Uint32Array(entries)
  to.set(from)
  return to
}
