/**
 * Memory for the keys and values of batches. A small byte array of its own costs a call of malloc and work of the garbage
 * collector, which were a fifth of the store thread; these share the larger pieces of Node's pool. Store thread.
 */
import { Buffer } from 'node:buffer'

/**
 * Bytes with any content, to be filled completely. Not for what is kept: it would keep its neighbours too. Nor for what is
 * transferred to another thread.
 */
export function pooledBytes(length: number): Uint8Array {
  return Buffer.allocUnsafe(length)
}
