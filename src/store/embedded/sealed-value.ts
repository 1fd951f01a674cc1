/**
 * The envelope of every value that must not come back wrong: checksum, format version, content. LevelDB checks its
 * blocks only where its options say so, and the binding does not pass those options on; the checksum covers the key too,
 * so that neither a changed value nor a value under a changed key is taken for real. Pure; used on every thread.
 */
import { crc32 } from 'node:zlib'
import { TrackError } from '../../errors.ts'
import { pooledBytes } from './pooled-bytes.ts'

const VERSION = 1
/** CRC-32 (4 bytes, big-endian) of key and everything after it, then the version. */
export const SEAL_BYTES = 5

/** The value to store under `key`. */
export function seal(key: Uint8Array, content: Uint8Array): Uint8Array {
  const sealed = pooledBytes(SEAL_BYTES + content.length)
  sealed.set(content, SEAL_BYTES)
  sealInPlace(key, sealed)
  return sealed
}

/** Writes the seal into a value whose content is already in its place, from `SEAL_BYTES` on. */
export function sealInPlace(key: Uint8Array, sealed: Uint8Array): void {
  sealed[4] = VERSION
  const sum = crc32(sealed.subarray(4), crc32(key))
  sealed[0] = sum >>> 24
  sealed[1] = sum >>> 16
  sealed[2] = sum >>> 8
  sealed[3] = sum
}

/**
 * The content, as a view into the value.
 *
 * @throws TrackError TRK_STORE_DAMAGED when the value is not what was stored under this key.
 */
export function unseal(key: Uint8Array, sealed: Uint8Array): Uint8Array {
  if (!isIntact(key, sealed)) {
    throw new TrackError('TRK_STORE_DAMAGED', 'a record does not have the checksum that it was stored with')
  }
  return sealed.subarray(SEAL_BYTES)
}

/** Whether this is a value that `seal` made for this key. */
export function isIntact(key: Uint8Array, sealed: Uint8Array): boolean {
  if (sealed.length < SEAL_BYTES || sealed[4] !== VERSION) return false
  const stored =
    (((sealed[0] ?? 0) << 24) | ((sealed[1] ?? 0) << 16) | ((sealed[2] ?? 0) << 8) | (sealed[3] ?? 0)) >>> 0
  return crc32(sealed.subarray(4), crc32(key)) === stored
}
