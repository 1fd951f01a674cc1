/**
 * Reads a GeoIP database file into memory that all threads share, so that a process holds each file once. Runs on the
 * configuration thread, and on a thread of its own when the file was replaced; it looks only at the outside of the file (see database-check.ts).
 */
import { closeSync, fstatSync, openSync, readSync, type Stats } from 'node:fs'
import { messageOf, TrackError } from '../../errors.ts'
import { findMetadata } from './database-check.ts'

/** Well above the largest product there is (GeoIP2 Enterprise, about 400 MB), and below what one buffer may hold. */
const MAX_SIZE_BYTES = 2 ** 31

/** Tells one state of a file from a later one. */
export interface FileVersion {
  readonly sizeBytes: number
  /** Unix milliseconds. */
  readonly modifiedAtMs: number
  readonly inode: number
}

export interface LoadedGeoFile {
  readonly bytes: SharedArrayBuffer
  readonly version: FileVersion
}

export function fileVersion({ size, mtimeMs, ino }: Pick<Stats, 'size' | 'mtimeMs' | 'ino'>): FileVersion {
  return { sizeBytes: size, modifiedAtMs: mtimeMs, inode: ino }
}

/**
 * The whole file.
 *
 * @throws TrackError TRK_GEOIP_UNREADABLE with path and reason: missing, empty, too large, no MaxMind DB file.
 */
export function loadGeoDatabaseFile(path: string): LoadedGeoFile {
  let loaded: LoadedGeoFile
  try {
    loaded = readWhole(path)
  } catch (error) {
    if (error instanceof TrackError) throw error
    throw new TrackError('TRK_GEOIP_UNREADABLE', `${path}: ${messageOf(error)}`, { cause: error })
  }
  const bytes = Buffer.from(loaded.bytes)
  if (findMetadata(bytes) === undefined) throw unreadable(path, whatItIs(bytes))
  return loaded
}

function readWhole(path: string): LoadedGeoFile {
  const file = openSync(path, 'r')
  try {
    const stat = fstatSync(file)
    if (!stat.isFile()) throw unreadable(path, 'it is no file')
    if (stat.size === 0) throw unreadable(path, 'the file is empty; fetch it again')
    if (stat.size > MAX_SIZE_BYTES) throw unreadable(path, `it is larger than ${MAX_SIZE_BYTES} bytes`)
    const bytes = new SharedArrayBuffer(stat.size)
    const view = new Uint8Array(bytes)
    let lengthBytes = 0
    while (lengthBytes < view.length) {
      const count = readSync(file, view, lengthBytes, view.length - lengthBytes, lengthBytes)
      if (count === 0)
        throw unreadable(path, 'it became shorter while it was read; replace such files by renaming')
      lengthBytes += count
    }
    return { bytes, version: fileVersion(stat) }
  } finally {
    closeSync(file)
  }
}

function whatItIs(bytes: Buffer): string {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return 'it is compressed with gzip; unpack it first'
  return 'it is no MaxMind DB file, or was cut short; databases of the old format (.dat) cannot be read'
}

function unreadable(path: string, reason: string): TrackError {
  return new TrackError('TRK_GEOIP_UNREADABLE', `${path}: ${reason}`)
}
