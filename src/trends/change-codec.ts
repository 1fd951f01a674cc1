/**
 * The changes of one run as one byte string: what a policy worker sends to the store thread and what a journal may keep.
 * Pure; it knows nothing of definitions.
 *
 * Encoding: seal, then per row database (UTF-8), key, number of changes, then the changes: operation (top bit: same time
 * as the change before, anywhere in the message), time, field, operands.
 */
import type { ByteReader } from './byte-reader.ts'
import type { ByteWriter } from './byte-writer.ts'
import { openSealed, seal, sealedWriter } from './sealed-bytes.ts'
import type { RowChanges, TrendChange, TrendOperation } from './trend-change.ts'

const VERSION = 1
const SAME_TIME = 0x80
const OPERATIONS = [
  'int-add',
  'hll-add',
  'countmin-add',
  'seen-add',
  'last-set',
  'baseline-add',
  'top-add',
  'reset-field',
  'reset',
  'touch',
] as const satisfies readonly TrendOperation['op'][]
const CODES: ReadonlyMap<TrendOperation['op'], number> = new Map(OPERATIONS.map((op, code) => [op, code]))

export type DecodedChanges =
  | { readonly ok: true; readonly rows: readonly RowChanges[] }
  | { readonly ok: false; readonly reason: string }

/** No changes give no bytes. */
export function encodeChanges(rows: Iterable<RowChanges>): Uint8Array {
  const writer = sealedWriter(VERSION)
  const empty = writer.length
  let time = Number.NaN
  for (const { database, key, changes } of rows) {
    writer.writeText(database)
    writer.writeSized(key)
    writer.writeVarint(changes.length)
    for (const change of changes) {
      writeChange(writer, change, change.timeSeconds === time)
      time = change.timeSeconds
    }
  }
  return writer.length === empty ? new Uint8Array(0) : seal(writer)
}

/** The rows of `encodeChanges`. Keys and items are views of the bytes given. */
export function decodeChanges(bytes: Uint8Array): DecodedChanges {
  if (bytes.length === 0) return { ok: true, rows: [] }
  const reader = openSealed(bytes, VERSION)
  if (typeof reader === 'string') return { ok: false, reason: `trend changes cannot be read: ${reader}` }
  const rows: RowChanges[] = []
  let time = Number.NaN
  while (reader.hasMore) {
    const database = reader.readText()
    const key = reader.readSized()
    const changes: TrendChange[] = []
    for (let left = reader.readVarint(); left > 0 && reader.hasMore; left--) {
      const code = reader.readByte()
      if ((code & SAME_TIME) === 0) time = reader.readDouble()
      const change = readChange(reader, code & ~SAME_TIME, time)
      if (change === undefined)
        return { ok: false, reason: `trend changes cannot be read: operation ${code} is unknown` }
      changes.push(change)
    }
    rows.push({ database, key, changes })
  }
  return reader.failed
    ? { ok: false, reason: 'trend changes cannot be read: they end too early' }
    : { ok: true, rows }
}

function writeChange(writer: ByteWriter, change: TrendChange, isSameTime: boolean): void {
  writer.writeByte((CODES.get(change.op) ?? 0) | (isSameTime ? SAME_TIME : 0))
  if (!isSameTime) writer.writeDouble(change.timeSeconds)
  if (change.op === 'reset' || change.op === 'touch') return
  writer.writeUint24(change.fieldId)
  switch (change.op) {
    case 'int-add':
      writer.writeNumber(change.amount)
      return
    case 'hll-add':
      writer.writeUint48(change.hash)
      return
    case 'countmin-add':
      writer.writeUint48(change.hash)
      writer.writeNumber(change.amount)
      return
    case 'seen-add':
      writer.writeSized(change.item)
      writer.writeNumber(change.count)
      return
    case 'last-set':
      writer.writeSized(change.value)
      return
    case 'baseline-add':
      writer.writeNumber(change.sample)
      return
    case 'top-add':
      writer.writeSized(change.item)
      writer.writeNumber(change.amount)
      return
    case 'reset-field':
      return
    default:
      change satisfies never
  }
}

function readChange(reader: ByteReader, code: number, timeSeconds: number): TrendChange | undefined {
  const op = OPERATIONS[code]
  if (op === undefined) return undefined
  if (op === 'reset' || op === 'touch') return { op, fieldId: 0, timeSeconds }
  const fieldId = reader.readUint24()
  switch (op) {
    case 'int-add':
      return { op, fieldId, timeSeconds, amount: reader.readNumber() }
    case 'hll-add':
      return { op, fieldId, timeSeconds, hash: reader.readUint48() }
    case 'countmin-add':
      return { op, fieldId, timeSeconds, hash: reader.readUint48(), amount: reader.readNumber() }
    case 'seen-add':
      return { op, fieldId, timeSeconds, item: reader.readSized(), count: reader.readNumber() }
    case 'last-set':
      return { op, fieldId, timeSeconds, value: reader.readSized() }
    case 'baseline-add':
      return { op, fieldId, timeSeconds, sample: reader.readNumber() }
    case 'top-add':
      return { op, fieldId, timeSeconds, item: reader.readSized(), amount: reader.readNumber() }
    case 'reset-field':
      return { op, fieldId, timeSeconds }
  }
  return op satisfies never
}
