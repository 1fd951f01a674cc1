/**
 * Where to begin a scan of the expiry index. LevelDB keeps removed keys for a while, and passing over all of them again for
 * every page would cost far more than the page: all rows of one window expire in the same millisecond, so a place is a whole
 * key. Pure state, a few keys per trend database; store thread.
 *
 * A scan is under way from `begin`, when its page is read, to `end`, when its page is staged: every entry of the page is
 * removed then, or noted again later. It sees what was written before it began. What is noted while it is under way, or was
 * noted before and is not written yet, may lie before the page's end, and the next scan must see it.
 */
import { Buffer } from 'node:buffer'

interface Scan {
  /** No entry is before this key; undefined as long as that is not known. */
  first: Uint8Array | undefined
  /** The first of those that the scans under way may not have seen. */
  firstUnseen: Uint8Array | undefined
  /** The first of those that were noted since the last batch was written. */
  firstUnwritten: Uint8Array | undefined
  underWay: number
}

export class ExpiryScans {
  readonly #scans = new Map<string, Scan>()

  /** @returns the key from which on there may be entries; undefined for all. */
  begin(database: string): Uint8Array | undefined {
    const scan = this.#scanOf(database)
    if (scan.underWay === 0) scan.firstUnseen = scan.firstUnwritten
    scan.underWay++
    return scan.first
  }

  /** All entries up to this one are about to be removed. */
  end(database: string, last: Uint8Array): void {
    const scan = this.#scanOf(database)
    scan.underWay--
    scan.first = firstOf(last, scan.firstUnseen)
  }

  /** A scan found nothing or failed, and nothing will be removed. */
  cancel(database: string): void {
    this.#scanOf(database).underWay--
  }

  /** An entry is staged. */
  note(database: string, key: Uint8Array): void {
    const scan = this.#scanOf(database)
    scan.firstUnseen = firstOf(key, scan.firstUnseen)
    scan.firstUnwritten = firstOf(key, scan.firstUnwritten)
    if (scan.first !== undefined) scan.first = firstOf(key, scan.first)
  }

  /** All that was noted is on disk: a scan that begins from now on sees it. */
  written(): void {
    for (const scan of this.#scans.values()) scan.firstUnwritten = undefined
  }

  #scanOf(database: string): Scan {
    let scan = this.#scans.get(database)
    if (scan === undefined) {
      scan = { first: undefined, firstUnseen: undefined, firstUnwritten: undefined, underWay: 0 }
      this.#scans.set(database, scan)
    }
    return scan
  }
}

/** A copy where `a` is first: it lies in a pool of memory, which a key that stays would keep. */
function firstOf(a: Uint8Array, b: Uint8Array | undefined): Uint8Array {
  return b === undefined || Buffer.compare(a, b) < 0 ? Uint8Array.from(a) : b
}
