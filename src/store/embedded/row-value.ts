/**
 * The value of a trend row: sealed; when the row expires (double, Unix ms), then the row's own bytes. Pure; written on the
 * store thread, read by it and by readers on policy workers.
 */
import { SEAL_BYTES, sealInPlace, unseal } from './sealed-value.ts'

const EXPIRY_BYTES = 8

export interface StoredRow {
  readonly expiresAtMs: number
  /** A view into the value. */
  readonly bytes: Uint8Array
}

export function encodeRow(rowKey: Uint8Array, expiresAtMs: number, bytes: Uint8Array): Uint8Array {
  const value = new Uint8Array(SEAL_BYTES + EXPIRY_BYTES + bytes.length)
  new DataView(value.buffer).setFloat64(SEAL_BYTES, expiresAtMs)
  value.set(bytes, SEAL_BYTES + EXPIRY_BYTES)
  sealInPlace(rowKey, value)
  return value
}

/** @throws TrackError TRK_STORE_DAMAGED when the value is not what was stored under this key. */
export function decodeRow(rowKey: Uint8Array, value: Uint8Array): StoredRow {
  const content = unseal(rowKey, value)
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength)
  return { expiresAtMs: view.getFloat64(0), bytes: content.subarray(EXPIRY_BYTES) }
}
