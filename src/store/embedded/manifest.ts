/**
 * What LevelDB's MANIFEST says: which tables and which log belong to the database. Files that it does not name are
 * left-overs of a crash, which LevelDB removes, and are not checked. Pure.
 *
 * Format: a log file whose records are edits, each a sequence of tagged fields (LevelDB's version_edit.cc).
 */
import { readLogFile } from './log-file.ts'

export interface LiveFiles {
  /** Size in bytes by table number. */
  readonly tables: ReadonlyMap<number, number>
  /** Logs with a number from here on are needed. */
  readonly firstLog: number
}

const TAG = {
  comparator: 1,
  logNumber: 2,
  nextFile: 3,
  lastSequence: 4,
  compactPointer: 5,
  deletedFile: 6,
  newFile: 7,
  previousLog: 9,
} as const

/** The live files, or why they cannot be known. */
export function readManifest(file: Uint8Array): LiveFiles | { readonly damage: string } {
  const { records, damage } = readLogFile(file)
  if (damage !== undefined) return { damage }
  if (records.length === 0) return { damage: 'it is empty' }
  const tables = new Map<number, number>()
  let firstLog = 0
  for (const record of records) {
    const reader = new EditReader(record)
    while (reader.hasMore) {
      const tag = reader.varint()
      if (tag === TAG.comparator) reader.skipBytes()
      else if (tag === TAG.logNumber) firstLog = reader.varint()
      else if (tag === TAG.nextFile || tag === TAG.lastSequence || tag === TAG.previousLog) reader.varint()
      else if (tag === TAG.compactPointer) reader.skipLevelAndKey()
      else if (tag === TAG.deletedFile) tables.delete(reader.fileNumber())
      else if (tag === TAG.newFile) {
        const number = reader.fileNumber()
        tables.set(number, reader.varint())
        reader.skipBytes()
        reader.skipBytes()
      } else return { damage: `it has a field of kind ${tag}, which is unknown` }
    }
    if (reader.isBroken) return { damage: 'a record of it ends too early' }
  }
  return { tables, firstLog }
}

class EditReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get hasMore(): boolean {
    return this.#at < this.#bytes.length
  }

  get isBroken(): boolean {
    return this.#at > this.#bytes.length
  }

  /** Past the end it gives 0 and `isBroken`. */
  varint(): number {
    let value = 0
    for (let factor = 1; ; factor *= 128) {
      const byte = this.#bytes[this.#at++] ?? 0
      value += (byte & 0x7f) * factor
      if (byte < 0x80 || factor > 2 ** 56) return value
    }
  }

  skipBytes(): void {
    const length = this.varint()
    this.#at += length
  }

  skipLevelAndKey(): void {
    this.varint()
    this.skipBytes()
  }

  fileNumber(): number {
    this.varint()
    return this.varint()
  }
}
