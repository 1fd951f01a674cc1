/**
 * The report file that appends go to. Store thread. What a failed write left behind is cut off before anything else is
 * written, and that goes to another file: after a failed fsync nobody knows what of this one is on disk.
 */
import { Buffer } from 'node:buffer'
import { closeSync, fdatasync, fsync, fsyncSync, ftruncateSync, openSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { TrackError } from '../../../errors.ts'
import { RECORD_HEAD_BYTES, writeHead } from './record.ts'
import type { ReportBatch } from './report-batch.ts'
import type { ReportFile } from './report-file.ts'
import { FILE_HEAD } from './scan-records.ts'

const FIRST_BUFFER_BYTES = 64 * 1024
const syncData = promisify(fdatasync)
const syncAll = promisify(fsync)

export class GrowingFile {
  readonly file: ReportFile
  readonly #handle: number
  #buffer = Buffer.allocUnsafeSlow(FIRST_BUFFER_BYTES)
  #isBroken = false

  private constructor(file: ReportFile, handle: number) {
    this.file = file
    this.#handle = handle
  }

  /** Makes an empty file, on disk for good. */
  static async create(file: ReportFile): Promise<GrowingFile> {
    // One of this name is left of a try that failed, and has nothing in it that counts.
    rmSync(file.path, { force: true })
    const handle = openSync(file.path, 'wx+', 0o600)
    try {
      writeAll(handle, Buffer.from(FILE_HEAD, 'latin1'), 0)
      await syncAll(handle)
      await syncDirectory(dirname(file.path))
    } catch (error) {
      closeSync(handle)
      throw error
    }
    file.began(FILE_HEAD.length)
    return new GrowingFile(file, handle)
  }

  /** Goes on with a file of an earlier run. */
  static reopen(file: ReportFile): GrowingFile {
    return new GrowingFile(file, openSync(file.path, 'r+'))
  }

  /** Writes a batch behind what there is; synced, it is on disk when this resolves. Rejects with what the system said. */
  async append(batch: ReportBatch, isSynced: boolean): Promise<void> {
    if (this.#isBroken) throw new TrackError('TRK_STORE_FAILED', `${this.file.path}: a write failed before`)
    const { segments } = batch
    const at = this.file.sizeBytes
    const { bytes, places } = this.#encode(batch, at)
    try {
      writeAll(this.#handle, bytes, at)
      if (isSynced) await syncData(this.#handle)
    } catch (error) {
      this.#isBroken = true
      throw error
    }
    this.file.grown(segments, places, at + bytes.length)
  }

  /**
   * Cuts off what does not count, and lets go of the file. Rejects when that cannot be done yet: then it can be tried again,
   * and nothing may be written to another file before.
   */
  async end(): Promise<void> {
    if (this.#isBroken) ftruncateSync(this.#handle, this.file.sizeBytes)
    // Also where batches are not synced: only of the last file may the power take the end.
    await syncAll(this.#handle)
    closeSync(this.#handle)
  }

  #encode(
    { segments, sizeBytes: batchBytes }: ReportBatch,
    batchAt: number,
  ): { bytes: Buffer; places: number[] } {
    const neededBytes = batchBytes + segments.length * RECORD_HEAD_BYTES
    if (this.#buffer.length < neededBytes) this.#buffer = Buffer.allocUnsafeSlow(neededBytes * 2)
    const places: number[] = []
    let at = 0
    for (const { segment, sealed, roomBytes, oldestMs, newestMs } of segments) {
      const sizeBytes = sealed.length
      places.push(batchAt + at)
      writeHead(this.#buffer, at, { batchAt, roomBytes, sizeBytes, segment, oldestMs, newestMs })
      this.#buffer.set(sealed, at + RECORD_HEAD_BYTES)
      at += RECORD_HEAD_BYTES + roomBytes
      // The buffer was used before.
      this.#buffer.fill(0, at - (roomBytes - sizeBytes), at)
    }
    return { bytes: this.#buffer.subarray(0, at), places }
  }
}

/** So that files that were made or removed in it are so for good. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = openSync(directory, 'r')
  try {
    await syncAll(handle)
  } finally {
    closeSync(handle)
  }
}

/** Has what was written to a file on disk. */
export function syncFile(path: string): void {
  const handle = openSync(path, 'r+')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

export function writeAll(handle: number, bytes: Uint8Array, at: number): void {
  let written = 0
  while (written < bytes.length)
    written += writeSync(handle, bytes, written, bytes.length - written, at + written)
}
