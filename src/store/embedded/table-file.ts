/**
 * Reads one of LevelDB's tables: checks every block against its checksum, or takes what is in the blocks that are intact. Pure;
 * the caller reads the file. LevelDB reads blocks without this check as the binding opens it, and a changed key would
 * simply not be found.
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
/** An index is a few hundred KiB at most, another block as large as its largest value. */
const MAX_BLOCK_BYTES = 64 * 1024 * 1024

/** An entry of a block. */
export interface TableEntry {
  /** The user's key and 8 bytes: kind (0 removed, 1 value), then sequence number, little-endian. */
  readonly internalKey: Uint8Array
  readonly value: Uint8Array
}

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
  const footer = readFooter(bytes)
  if (typeof footer === 'string') return footer
  for (const at of [footer.index, footer.filters]) {
    const places = readIndex(bytes, at)
    if (typeof places === 'string') return places
    for (const place of places) {
      const damage = checkBlock(bytes, place)
      if (damage !== undefined) return damage
      yield undefined
    }
  }
  return footer.index.offset + footer.index.size + TRAILER_BYTES + FOOTER_BYTES === bytes.length
    ? undefined
    : 'its footer is not what was written'
}

/** The entries of every block in their order; undefined in place of a block that is not what was written. */
export function* intactEntries(file: Uint8Array): Generator<TableEntry | undefined> {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength)
  const footer = readFooter(bytes)
  const places = typeof footer === 'string' ? footer : readIndex(bytes, footer.index)
  if (typeof places === 'string') {
    // Where its blocks are is not known then.
    yield undefined
    return
  }
  for (const place of places) {
    const entries = checkBlock(bytes, place) === undefined ? entriesOf(contentOf(bytes, place)) : undefined
    if (entries === undefined) yield undefined
    else yield* entries
  }
}

/** The places of both indexes, or what is wrong. */
function readFooter(bytes: Buffer): { readonly filters: Place; readonly index: Place } | string {
  if (bytes.length < FOOTER_BYTES || !bytes.subarray(bytes.length - MAGIC.length).equals(MAGIC)) {
    return 'it does not end as a table does'
  }
  const footer = new BlockReader(bytes.subarray(bytes.length - FOOTER_BYTES))
  const filters = footer.place()
  const index = footer.place()
  // Filled up with zeros: the only bytes of a table that no checksum covers.
  const rest = bytes.subarray(bytes.length - FOOTER_BYTES + footer.at, bytes.length - MAGIC.length)
  return rest.some((byte) => byte !== 0) ? 'its footer is not what was written' : { filters, index }
}

/** The places that an index names, or what is wrong. */
function readIndex(bytes: Buffer, index: Place): readonly Place[] | string {
  const damage = checkBlock(bytes, index)
  if (damage !== undefined) return damage
  const unreadable = `its index at byte ${index.offset} cannot be read`
  const entries = entriesOf(contentOf(bytes, index))
  if (entries === undefined) return unreadable
  const places: Place[] = []
  for (const { value } of entries) {
    const reader = new BlockReader(value)
    places.push(reader.place())
    if (reader.at !== value.length) return unreadable
  }
  return places
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
  return bytes[offset + size] === SNAPPY ? snappyDecode(raw, MAX_BLOCK_BYTES) : raw
}

/**
 * The entries of a block, each as: length of what its key shares with the key before it, of the rest of the key and of the
 * value, rest of the key, value. Undefined when this is not a block.
 */
function entriesOf(block: Uint8Array | undefined): readonly TableEntry[] | undefined {
  if (block === undefined || block.length < 4) return undefined
  const view = Buffer.from(block.buffer, block.byteOffset, block.byteLength)
  const end = block.length - 4 - 4 * view.readUInt32LE(block.length - 4)
  if (end < 0) return undefined
  const entries: TableEntry[] = []
  const reader = new BlockReader(block)
  let key: Uint8Array = new Uint8Array(0)
  while (reader.at < end) {
    const shared = reader.varint()
    const restBytes = reader.varint()
    const valueBytes = reader.varint()
    if (shared > key.length || reader.at + restBytes + valueBytes > end) return undefined
    key = Buffer.concat([key.subarray(0, shared), reader.take(restBytes)])
    entries.push({ internalKey: key, value: reader.take(valueBytes) })
  }
  return entries
}

class BlockReader {
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

  take(count: number): Uint8Array {
    this.at += count
    return this.#bytes.subarray(this.at - count, this.at)
  }
}
