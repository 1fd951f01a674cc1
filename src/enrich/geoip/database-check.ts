/**
 * Whether the parts of a MaxMind DB file fit together: metadata, search tree and data. Done when a file is opened, so
 * that a damaged one is refused with a reason instead of answering wrongly later. Pure; configuration thread and
 * policy workers. It does not look at every record of a large file (see record-check.ts for the rest).
 *
 * Format: https://maxmind.github.io/MaxMind-DB/
 */
import { checkRecord, type ValueSection } from './record-check.ts'

const MARKER = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1')
/** The format allows metadata of at most this size, marker included. */
const MAX_METADATA_BYTES = 128 * 1024
const SEPARATOR_BYTES = 16
/** Tree nodes whose records are looked at: all of a small file, an even sample of a large one. */
const SAMPLED_NODES = 2048

/** The numbers that say where things are; all counted in the file's own units. */
export interface TreeShape {
  readonly nodeCount: number
  /** Bits per record of a node, two of which make a node: 24, 28 or 32. */
  readonly recordBits: number
  readonly treeSizeBytes: number
}

/** The offset of the metadata, after its marker; undefined when there is none. */
export function findMetadata(bytes: Buffer): number | undefined {
  const from = Math.max(0, bytes.length - MAX_METADATA_BYTES)
  const marker = bytes.subarray(from).lastIndexOf(MARKER)
  return marker === -1 ? undefined : from + marker + MARKER.length
}

/** The section that the metadata's own pointers count in. */
export function metadataSection(bytes: Buffer, start: number): ValueSection {
  return { bytes, start, end: bytes.length }
}

/** The section of the records: between the tree and the metadata. */
export function dataSection(bytes: Buffer, tree: TreeShape, metadataStart: number): ValueSection {
  return { bytes, start: tree.treeSizeBytes + SEPARATOR_BYTES, end: metadataStart - MARKER.length }
}

/**
 * What is wrong with a file, undefined when nothing was found: the tree must fit into the file, and a sample of its
 * nodes lead to nodes or to well-formed records.
 */
export function checkDatabase(tree: TreeShape, data: ValueSection): string | undefined {
  if (data.start > data.end) return `a search tree of ${tree.nodeCount} nodes does not fit into the file`
  if (data.bytes.subarray(tree.treeSizeBytes, data.start).some((byte) => byte !== 0)) {
    return 'the data does not begin where the search tree should end'
  }
  const checked = new Set<number>()
  const step = Math.max(1, tree.nodeCount / SAMPLED_NODES)
  for (let position = 0; position < tree.nodeCount; position += step) {
    for (const target of nodeRecords(data.bytes, tree, Math.floor(position))) {
      if (target <= tree.nodeCount || checked.has(target)) continue
      checked.add(target)
      // A record counts from the end of the tree, and the separator lies before the first value.
      const offset = target - tree.nodeCount + tree.treeSizeBytes
      const fault = checkRecord(data, offset)
      if (fault !== undefined) return fault
    }
  }
  return undefined
}

/** Where a node leads for a 0 and for a 1: another node, `nodeCount` for nothing, or beyond it a record. */
function nodeRecords(
  bytes: Buffer,
  { recordBits }: TreeShape,
  node: number,
): readonly [left: number, right: number] {
  const offset = (node * recordBits) / 4
  if (recordBits === 24) return [bytes.readUIntBE(offset, 3), bytes.readUIntBE(offset + 3, 3)]
  if (recordBits === 32) return [bytes.readUInt32BE(offset), bytes.readUInt32BE(offset + 4)]
  const middle = bytes.readUInt8(offset + 3)
  const left = (middle >> 4) * 2 ** 24 + bytes.readUIntBE(offset, 3)
  return [left, (middle & 0x0f) * 2 ** 24 + bytes.readUIntBE(offset + 4, 3)]
}
