/**
 * Writes Lua values as JSON the way lua-cjson does (https://kyne.au/~mark/software/lua-cjson-manual.html). Texts here
 * hold one byte per character (Latin-1), so that strings pass unchanged. Pure, on the engine's value slots.
 */
import { Buffer } from 'node:buffer'
import { engine } from '../fengari.ts'
import { MAX_STRING_BYTES } from '../fengari-patches.ts'
import { TYPE, type TableObject, type TValue } from '../fengari-types.ts'
import { LuaRaise } from '../lua-raise.ts'
import { formatGeneral } from '../numbers.ts'
import { JSON_NULL } from '../values.ts'

export interface EncodeSettings {
  maxDepth: number
  /** Arrays with more holes than this become objects, or an error. */
  sparseRatio: number
  /** Arrays up to this index may have any number of holes. */
  sparseSafe: number
  sparseAsObject: boolean
  emptyTableAsObject: boolean
  allowInvalidNumbers: boolean
  numberDigits: number
}

export interface JsonMarks {
  /** Light userdata for []. */
  readonly emptyArray: object
  /** Metatable of tables that are arrays even when they are empty. */
  readonly arrayMetatable: TableObject
}

/** Of an array with holes, whose length says nothing about the memory that it takes. */
const MAX_ARRAY_LENGTH = 10_000_000

/** The JSON text, one byte per character. @throws LuaRaise for what JSON cannot hold */
export function encodeJson(slot: TValue, settings: EncodeSettings, marks: JsonMarks): string {
  let sizeBytes = 0
  return encodeValue(slot, 0)

  /** Stops early: the whole text is only put together at the end. */
  function counted(text: string): string {
    sizeBytes += text.length
    if (sizeBytes > MAX_STRING_BYTES) throw new LuaRaise('not enough memory for the JSON text')
    return text
  }

  function encodeValue({ type, value }: TValue, depth: number): string {
    switch (type & 0x0f) {
      case TYPE.nil:
        return 'null'
      case TYPE.boolean:
        return value === true ? 'true' : 'false'
      case TYPE.number:
        return counted(encodeNumber(Number(value)))
      case TYPE.string:
        return counted(encodeString(value))
      case TYPE.table:
        if (value instanceof engine.Table) return encodeTable(value, depth + 1)
        break
      case TYPE.lightUserdata:
        if (value === JSON_NULL) return 'null'
        if (value === marks.emptyArray) return '[]'
        break
    }
    throw new LuaRaise(`Cannot serialise ${typeName(type)}: type not supported`)
  }

  function encodeNumber(value: number): string {
    if (Number.isFinite(value)) return formatGeneral(value, settings.numberDigits, false)
    if (!settings.allowInvalidNumbers) throw new LuaRaise('Cannot serialise number: must not be NaN or Inf')
    return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf'
  }

  function encodeTable(table: TableObject, depth: number): string {
    if (depth > settings.maxDepth) throw new LuaRaise(`Cannot serialise, excessive depth (${depth})`)
    if (table.f === undefined) {
      return settings.emptyTableAsObject && table.metatable !== marks.arrayMetatable ? '{}' : '[]'
    }
    const length = arrayLength(table)
    return length === undefined ? encodeObject(table, depth) : encodeArray(table, length, depth)
  }

  /** The largest index; undefined for a table that is no array. */
  function arrayLength(table: TableObject): number | undefined {
    let largest = 0
    for (let entry = table.f; entry !== undefined; entry = entry.n) {
      const key = entry.key.value
      if (typeof key !== 'number' || !Number.isInteger(key) || key < 1) return undefined
      largest = Math.max(largest, key)
    }
    const { sparseRatio, sparseSafe, sparseAsObject } = settings
    const isTooSparse = sparseRatio > 0 && largest > table.strong.size * sparseRatio && largest > sparseSafe
    if (isTooSparse && !sparseAsObject) throw new LuaRaise('Cannot serialise table: excessively sparse array')
    return isTooSparse ? undefined : largest
  }

  function encodeArray(table: TableObject, length: number, depth: number): string {
    if (length > MAX_ARRAY_LENGTH)
      throw new LuaRaise(`Cannot serialise table: array index ${length} is too large`)
    const items = Array.from({ length }, () => 'null')
    for (let entry = table.f; entry !== undefined; entry = entry.n) {
      items[Number(entry.key.value) - 1] = encodeValue(entry.value, depth)
    }
    return `[${items.join(',')}]`
  }

  function encodeObject(table: TableObject, depth: number): string {
    const members: string[] = []
    for (let entry = table.f; entry !== undefined; entry = entry.n) {
      members.push(`${encodeKey(entry.key)}:${encodeValue(entry.value, depth)}`)
    }
    return `{${members.join(',')}}`
  }

  function encodeKey({ type, value }: TValue): string {
    switch (type & 0x0f) {
      case TYPE.string:
        return counted(encodeString(value))
      case TYPE.number:
        return `"${encodeNumber(Number(value))}"`
      default:
        throw new LuaRaise('Cannot serialise table: table key must be a number or string')
    }
  }
}

/** As lua-cjson: also / and DEL are escaped, and bytes beyond ASCII are not. */
function encodeString(value: unknown): string {
  const bytes =
    typeof value === 'object' && value !== null && 'realstring' in value ? value.realstring : undefined
  if (!(bytes instanceof Uint8Array)) throw new LuaRaise('Cannot serialise string')
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
  // oxlint-disable-next-line no-control-regex -- control characters are what JSON wants escaped
  return `"${text.replaceAll(/["\\/\x00-\x1f\x7f]/g, escapeOf)}"`
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '/': '\\/',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
}

function escapeOf(character: string): string {
  return ESCAPES[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

function typeName(type: number): string {
  switch (type & 0x0f) {
    case TYPE.function:
      return 'function'
    case TYPE.thread:
      return 'thread'
    default:
      return 'userdata'
  }
}
