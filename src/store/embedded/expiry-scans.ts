/**
 * Where to begin a scan of the expiry index. LevelDB keeps removed keys for a while, and passing over all of them again for
 * every page would cost far more than the page: all rows of one window expire in the same millisecond, so a place is a whole
 * key. Pure state, two keys per trend database; store thread.
 *
 * A scan is under way from `begin`, when its page is read, to `end`, when its page is staged: every entry of the page is
 * removed then, or noted again later. What is noted in between may lie before the page's end, and the next scan must see it.
 */
import { Buffer } from 'node:buffer'

interface Scan {
  /** No entry is before this key; undefined as long as that is not known. */
  first: Uint8Array | undefined
  /** The first of those that were noted since the first scan under way began. */
  firstNoted: Uint8Array | undefined
  underWay: number
}

export class ExpiryScans {
  readonly #scans = new Map<string, Scan>()

  /** @returns the key from which on there may be entries; undefined for all. */
  begin(database: string): Uint8Array | undefined {
    const scan = this.#scans.get(database) ?? { first: undefined, firstNoted: undefined, underWay: 0 }
    this.#scans.set(database, scan)
    if (scan.underWay === 0) scan.firstNoted = undefined
    scan.underWay++
    return scan.first
  }

  /** All entries up to this one are about to be removed. */
  end(database: string, last: Uint8Array): void {
    const scan = this.#scans.get(database)
    if (scan === undefined) return
    scan.underWay--
    scan.first = scan.firstNoted === undefined ? last : firstOf(last, scan.firstNoted)
  }

  /** A scan found nothing, and nothing will be removed. */
  cancel(database: string): void {
    const scan = this.#scans.get(database)
    if (scan !== undefined) scan.underWay--
  }

  /** An entry is written. */
  note(database: string, key: Uint8Array): void {
    const scan = this.#scans.get(database)
    if (scan === undefined) return
    scan.firstNoted = scan.firstNoted === undefined ? key : firstOf(key, scan.firstNoted)
    if (scan.first !== undefined) scan.first = firstOf(key, scan.first)
  }
}

function firstOf(a: Uint8Array, b: Uint8Array): Uint8Array {
  return Buffer.compare(a, b) < 0 ? a : b
}
