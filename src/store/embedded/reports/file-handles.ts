/**
 * Open files for reading, a bounded number of them. Store thread. Reads are synchronous, as LevelDB's are: what is read is
 * a page or a segment, mostly from the system's cache.
 */
import { Buffer } from 'node:buffer'
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { LRUCache } from 'lru-cache'

const MAX_OPEN = 64

export class FileHandles {
  readonly #open = new LRUCache<string, number>({ max: MAX_OPEN, dispose: (handle) => closeSync(handle) })

  /** Bytes from a place on; fewer when the file ends before. Throws what the system says. */
  read(path: string, at: number, sizeBytes: number): Buffer {
    const bytes = Buffer.allocUnsafe(sizeBytes)
    const handle = this.#handle(path)
    let filled = 0
    while (filled < sizeBytes) {
      const count = readSync(handle, bytes, filled, sizeBytes - filled, at + filled)
      if (count === 0) break
      filled += count
    }
    return bytes.subarray(0, filled)
  }

  sizeBytes(path: string): number {
    return fstatSync(this.#handle(path)).size
  }

  /** The file is gone, or another one has its name. */
  forget(path: string): void {
    this.#open.delete(path)
  }

  close(): void {
    this.#open.clear()
  }

  #handle(path: string): number {
    const known = this.#open.get(path)
    if (known !== undefined) return known
    const handle = openSync(path, 'r')
    this.#open.set(path, handle)
    return handle
  }
}
