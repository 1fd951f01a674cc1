/**
 * Where to begin a scan of the expiry index. LevelDB keeps removed keys for a while, and passing over all of them again for
 * every page would cost more than the page. Pure state, a few numbers per trend database; store thread.
 *
 * A scan is under way from `begin`, when its page is read, to `end`, when its page is staged: every entry of the page is
 * removed then, or noted again later. What is noted in between may lie before the page's end, and the next scan must see it.
 */

interface Scan {
  /** No entry is before this time. */
  earliestMs: number
  /** The earliest that was noted since the first scan under way began. */
  lowestNotedMs: number
  underWay: number
}

export class ExpiryScans {
  readonly #scans = new Map<string, Scan>()

  /** @returns from when on there may be entries. */
  begin(database: string): number {
    const scan = this.#scans.get(database) ?? { earliestMs: 0, lowestNotedMs: Infinity, underWay: 0 }
    this.#scans.set(database, scan)
    if (scan.underWay === 0) scan.lowestNotedMs = Infinity
    scan.underWay++
    return scan.earliestMs
  }

  /** All entries up to this time are about to be removed. */
  end(database: string, lastMs: number): void {
    const scan = this.#scans.get(database)
    if (scan === undefined) return
    scan.underWay--
    scan.earliestMs = Math.min(lastMs, scan.lowestNotedMs)
  }

  /** A scan found nothing, and nothing will be removed. */
  cancel(database: string): void {
    const scan = this.#scans.get(database)
    if (scan !== undefined) scan.underWay--
  }

  /** An entry is written. */
  note(database: string, atMs: number): void {
    const scan = this.#scans.get(database)
    if (scan === undefined) return
    // Keys hold whole milliseconds, rounded up.
    const keptMs = Math.max(0, Math.floor(atMs))
    scan.lowestNotedMs = Math.min(scan.lowestNotedMs, keptMs)
    scan.earliestMs = Math.min(scan.earliestMs, keptMs)
  }
}
