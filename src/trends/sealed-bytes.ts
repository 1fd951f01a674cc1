/**
 * The envelope of everything that trends store or send: a version and a checksum before the content, so that a damaged
 * or foreign byte string is told from a good one before anything in it is believed. Pure.
 */
import { crc32 } from 'node:zlib'
import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'

/** Version, then the CRC-32 (ISO 3309) of everything behind it. */
export const SEAL_BYTES = 5

/** A writer that stands behind the place of the seal. */
export function sealedWriter(version: number, capacityBytes?: number): ByteWriter {
  const writer = new ByteWriter(capacityBytes)
  writer.writeByte(version)
  writer.writeUint32(0)
  return writer
}

/** Puts the checksum in and gives the bytes. */
export function seal(writer: ByteWriter): Uint8Array {
  writer.patchUint32(1, crc32(writer.written(SEAL_BYTES)))
  return writer.finish()
}

/** A reader that stands behind a good seal, or the reason why the bytes cannot be used. */
export function openSealed(bytes: Uint8Array, version: number): ByteReader | string {
  if (bytes.length < SEAL_BYTES) return `its ${bytes.length} bytes are too few`
  if (bytes[0] !== version) return `its version is ${bytes[0]}, known is ${version}`
  const reader = new ByteReader(bytes, 1)
  return reader.readUint32() === crc32(bytes.subarray(SEAL_BYTES)) ? reader : 'its checksum is wrong'
}
