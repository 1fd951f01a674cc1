/**
 * Single numbers that the store keeps under a name: format version, counters. Store thread.
 */
import { BinaryReader } from './binary-reader.ts'
import { BinaryWriter } from './binary-writer.ts'
import { seal, unseal } from './sealed-value.ts'
import type { WriteBatch } from './write-batch.ts'

interface Readable {
  get(key: Uint8Array): Uint8Array | undefined
}

/** The numbers under a key; undefined when there is none. */
export function readNumbers(from: Readable, key: Uint8Array): readonly number[] | undefined {
  const sealed = from.get(key)
  if (sealed === undefined) return undefined
  const reader = new BinaryReader(unseal(key, sealed))
  const numbers: number[] = []
  while (!reader.isAtEnd) numbers.push(reader.double())
  return numbers
}

export function putNumbers(batch: WriteBatch, key: Uint8Array, numbers: readonly number[]): void {
  const writer = new BinaryWriter()
  for (const number of numbers) writer.double(number)
  batch.put(key, seal(key, writer.view()))
}
