/**
 * Checks one of LevelDB's tables: every block against its checksum. Pure; the caller reads the file. LevelDB reads blocks
 * without this check as the binding opens it, and a changed key would simply not be found.
 *
 * Format (LevelDB's doc/table_format.md): data blocks, filter block, index of filters, index of data; a footer of 48 bytes
 * with the places of both indexes. A block is followed by its kind (0 plain, 1 Snappy) and a masked CRC-32C.
 */
import { Buffer } from 'node:buffer'
import { crc32c, unmaskCrc } from './crc32c.ts'
import { snappyDecode } from './snappy.ts'

const FOOTER_BYTES = 48
const TRAILER_BYTES = 5
const MAGIC = Uint8Array.of(0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb)
const SNAPPY = 1
/** An index is a few hundred KiB at most. */
const MAX_INDEX_BYTES = 64 * 1024 * 1024

interface Place {
  readonly offset: number
  readonly size: number
}

/** What is wrong with the table; undefined when nothing is. */
export function checkTable(file: Uint8Array): string | undefined {
  const steps = checkTableSteps(file)
  let step = steps.next()
  while (step.done !== true) step = steps.next()
  return step.value
}

/** The same block by block, for a thread that has other work in between. */
export function* checkTableSteps(file: Uint8Array): Generator<undefined, string | undefined> {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength)
  if (bytes.length < FOOTER_BYTES || !bytes.subarray(bytes.length - MAGIC.length).equals(MAGIC)) {
    return 'it does not end as a table does'
  }
  const footer = new PlaceReader(bytes.subarray(bytes.length - FOOTER_BYTES))
  const filters = footer.place()
  const index = footer.place()
  // Filled up with zeros: the only bytes of a table that no checksum covers.
  if (
    bytes
      .subarray(bytes.length - FOOTER_BYTES + footer.at, bytes.length - MAGIC.length)
      .some((byte) => byte !== 0)
  ) {
    return 'its footer is not what was written'
  }
  for (const at of [index, filters]) {
    const damage = yield* checkIndex(bytes, at)
    if (damage !== undefined) return damage
  }
  return index.offset + index.size + TRAILER_BYTES + FOOTER_BYTES === bytes.length
    ? undefined
    : 'its footer is not what was written'
}

function* checkIndex(bytes: Buffer, index: Place): Generator<undefined, string | undefined> {
  const damage = checkBlock(bytes, index)
  if (damage !== undefined) return damage
  const places = placesIn(contentOf(bytes, index))
  if (places === undefined) return `its index at byte ${index.offset} cannot be read`
  for (const place of places) {
    const bad = checkBlock(bytes, place)
    if (bad !== undefined) return bad
    yield undefined
  }
  return undefined
}

function checkBlock(bytes: Buffer, { offset, size }: Place): string | undefined {
  if (offset + size + TRAILER_BYTES > bytes.length) return `it ends before its block at byte ${offset} does`
  const stored = unmaskCrc(bytes.readUInt32LE(offset + size + 1))
  return crc32c(bytes, offset, offset + size + 1) === stored
    ? undefined
    : `its block at byte ${offset} is not what was written`
}

function contentOf(bytes: Buffer, { offset, size }: Place): Uint8Array | undefined {
  const raw = bytes.subarray(offset, offset + size)
  return bytes[offset + size] === SNAPPY ? snappyDecode(raw, MAX_INDEX_BYTES) : raw
}

/** Places that the entries of an index block name: shared, unshared and value length, rest of the key, value. */
function placesIn(block: Uint8Array | undefined): readonly Place[] | undefined {
  if (block === undefined || block.length < 4) return undefined
  const view = Buffer.from(block.buffer, block.byteOffset, block.byteLength)
  const end = block.length - 4 - 4 * view.readUInt32LE(block.length - 4)
  if (end < 0) return undefined
  const places: Place[] = []
  const reader = new PlaceReader(block)
  while (reader.at < end) {
    reader.varint()
    const keyRest = reader.varint()
    const valueSize = reader.varint()
    reader.at += keyRest
    const valueEnd = reader.at + valueSize
    places.push(reader.place())
    if (reader.at !== valueEnd) return undefined
  }
  return reader.at === end ? places : undefined
}

class PlaceReader {
  readonly #bytes: Uint8Array
  at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  varint(): number {
    let value = 0
    for (let factor = 1; factor <= 2 ** 49; factor *= 128) {
      const byte = this.#bytes[this.at++] ?? 0
      value += (byte & 0x7f) * factor
      if (byte < 0x80) break
    }
    return value
  }

  place(): Place {
    return { offset: this.varint(), size: this.varint() }
  }
}
