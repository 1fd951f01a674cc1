/**
 * Copies a damaged database so that LevelDB can be trusted with the copy: only what has its checksum goes into it. LevelDB's
 * repair takes any bytes for real, an older value for a newer one among them, and ends the process when the keys of a
 * table are out of their order. Store thread, before a database is opened.
 *
 * A sound file is copied. Of another one the entries that are intact are written into a log of the same number, each with its own
 * sequence number; repair makes tables of logs.
 */
import { Buffer } from 'node:buffer'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf, TrackError } from '../../errors.ts'
import { liveFiles } from './check-files.ts'
import { intactRecords, makeLogFile, readLogFile } from './log-file.ts'
import { checkTable, intactEntries, type TableEntry } from './table-file.ts'

/** What went into the copy and what did not. */
export interface SoundCopy {
  /** Tables and logs in the copy; without any there is nothing to repair. */
  readonly files: number
  /** Blocks of tables, each of some 4 KiB, writes in logs, and tables without an index that are not what was written. */
  readonly damagedParts: number
  /** Why not everything could be read; undefined when every file could. */
  readonly failure: string | undefined
}

interface SoundFile {
  readonly name: string
  readonly bytes: Uint8Array
  readonly damagedParts: number
}

/** Kind and sequence number at the end of a key in a table. */
const TAG_BYTES = 8
const REMOVED = 0
const VALUE = 1

/**
 * Copies the tables and logs of `from` into `to`, which is made.
 *
 * @throws what the file system says when the copy cannot be written, e.g. that there is no room.
 */
export function copySound(from: string, to: string): SoundCopy {
  mkdirSync(to, { mode: 0o700 })
  let files = 0
  let damagedParts = 0
  let failure: string | undefined
  for (const name of databaseFiles(from)) {
    let bytes
    try {
      bytes = readFileSync(join(from, name))
    } catch (error) {
      failure = messageOf(error)
      continue
    }
    const sound = name.endsWith('.log') ? soundLog(name, bytes) : soundTable(name, bytes)
    damagedParts += sound.damagedParts
    if (sound.bytes.length === 0) continue
    writeFileSync(join(to, sound.name), sound.bytes, { mode: 0o600 })
    files++
  }
  return { files, damagedParts, failure }
}

/** Those that belong to the database as far as its MANIFEST says so; a table that it has left may have what was removed since. */
function databaseFiles(directory: string): readonly string[] {
  const names = readdirSync(directory).filter((name) => /^\d+\.(ldb|sst|log)$/.test(name))
  try {
    const { tables, firstLog } = liveFiles(directory)
    return names.filter((name) => {
      const number = Number.parseInt(name, 10)
      return name.endsWith('.log') ? number >= firstLog : tables.has(number)
    })
  } catch (error) {
    if (error instanceof TrackError) return names
    throw error
  }
}

function soundLog(name: string, bytes: Uint8Array): SoundFile {
  const { damage, tornBytes } = readLogFile(bytes)
  if (damage === undefined && tornBytes === 0) return { name, bytes, damagedParts: 0 }
  const { records, damagedPlaces } = intactRecords(bytes)
  return { name, bytes: makeLogFile(records), damagedParts: damagedPlaces }
}

function soundTable(name: string, bytes: Uint8Array): SoundFile {
  if (checkTable(bytes) === undefined) return { name, bytes, damagedParts: 0 }
  const records: Uint8Array[] = []
  let damagedParts = 0
  for (const entry of intactEntries(bytes)) {
    const record = entry === undefined ? undefined : writeOf(entry)
    if (record === undefined) damagedParts++
    else records.push(record)
  }
  // A checksum of the index or the filter may be all that is wrong.
  return {
    name: `${Number.parseInt(name, 10)}`.padStart(6, '0') + '.log',
    bytes: makeLogFile(records),
    damagedParts: Math.max(1, damagedParts),
  }
}

/**
 * A write of one entry as a log has it (LevelDB's write_batch.cc): sequence number (8 bytes, little-endian), number of entries (4
 * bytes), kind, length of the key, key, and for a value its length and the value. Undefined when this is not an entry.
 */
function writeOf({ internalKey, value }: TableEntry): Uint8Array | undefined {
  const keyBytes = internalKey.length - TAG_BYTES
  const kind = internalKey[keyBytes]
  if (keyBytes < 0 || (kind !== REMOVED && kind !== VALUE)) return undefined
  const sequence = internalKey.subarray(keyBytes + 1)
  const key = internalKey.subarray(0, keyBytes)
  const head = [sequence, Uint8Array.of(0, 1, 0, 0, 0, kind), varint(keyBytes), key]
  return Buffer.concat(kind === VALUE ? [...head, varint(value.length), value] : head)
}

function varint(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80)
  bytes.push(rest)
  return Uint8Array.from(bytes)
}
