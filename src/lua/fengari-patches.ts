/**
 * What we change in fengari while it loads: numbers are doubles everywhere, strings are hashed without collisions, no
 * string can take all memory, and a caught error does not switch the limits off. Used by fengari.ts alone.
 */
/* oxlint-disable typescript/no-unsafe-type-assertion, typescript/no-unnecessary-type-parameters -- fengari has no types; this is where it gets them */
import { Buffer } from 'node:buffer'
import { textToBytes } from '../login/byte-string.ts'
import { formatNumber, parseNumber } from './numbers.ts'
import { TYPE, type LuaThread, type TableObject, type TString, type TValue } from './fengari-types.ts'

/** One file's exports, which may be replaced. */
export type Exports = Record<string, unknown>
type AnyFunction = (...args: never[]) => unknown

/** The longest string that Lua code can make; V8 does not count these bytes against a worker's memory limit. */
export const MAX_STRING_BYTES = 64 * 1024 * 1024
/** As LuaJIT's: endless recursion ends while it is still cheap. */
const MAX_STACK_SLOTS = 65_500
/** Type tag of a float in a TValue. */
const FLOAT = TYPE.number
const SHORT_BYTES = 32
const CHUNK_ID_BYTES = 60
/** Beyond this a double no longer counts in ones. */
const MAX_EXACT = 2 ** 53

/** A function of a file, with the type that the caller says it has. */
function functionOf<F extends AnyFunction>(from: Exports, name: string): F {
  const found = from[name]
  if (typeof found !== 'function') throw new TypeError(`this version of fengari has no ${name}`)
  return found as F
}

/** Texts of numbers, and which numbers count as integers (bit operators and library arguments). */
export function patchConfiguration(luaconf: Exports): void {
  luaconf['LUA_COMPAT_FLOATSTRING'] = true
  luaconf['LUAI_MAXSTACK'] = MAX_STACK_SLOTS
  luaconf['lua_number2str'] = formatNumber
  luaconf['lua_integer2str'] = formatNumber
  luaconf['lua_numbertointeger'] = (value: number): number | false =>
    Number.isInteger(value) && Math.abs(value) <= MAX_EXACT ? value : false
}

/**
 * The engine's own hash writes bytes as hexadecimal without padding: "\x01\x23" and "\x12\x03" are the same key to it,
 * and it compares strings by that text too. Ours keeps one character per byte, which also sorts as bytes do.
 */
export function patchStrings(lstring: Exports, errors: Exports): void {
  interface HashedString extends TString {
    hash: string | null
  }
  const bless = functionOf<(L: unknown, bytes: Uint8Array) => TString>(lstring, 'luaS_bless')
  lstring['luaS_hash'] = hashOf
  lstring['luaS_hashlongstr'] = (text: HashedString): string => (text.hash ??= hashOf(text.realstring))
  lstring['luaS_bless'] = (L: unknown, bytes: Uint8Array): TString => {
    if (bytes.length > MAX_STRING_BYTES) {
      functionOf<(L: unknown, message: Uint8Array) => never>(errors, 'luaG_runerror')(
        L,
        textToBytes(TOO_LONG),
      )
    }
    return bless(L, bytes)
  }
}

const TOO_LONG = `not enough memory (a string may have ${MAX_STRING_BYTES} bytes)`

function hashOf(bytes: Uint8Array): string {
  if (bytes.length > SHORT_BYTES) {
    return `|${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')}`
  }
  let hash = '|'
  for (const byte of bytes) hash += String.fromCharCode(byte)
  return hash
}

interface Core {
  readonly object: Exports
  readonly table: Exports
  readonly vm: Exports
  readonly state: Exports
}

/** The VM's own sources of integers: lengths, numerals, keys; and whole file names in messages. */
export function patchCore({ object, table }: Core): void {
  const prototype = (object['TValue'] as { prototype: Exports }).prototype
  const setFloat = prototype['setfltvalue']
  prototype['setivalue'] = setFloat
  object['luaO_str2num'] = (bytes: Uint8Array, result: { setfltvalue(value: number): void }): number => {
    const value = parseNumber(bytes)
    if (value === undefined) return 0
    result.setfltvalue(value)
    return bytes.length + 1
  }
  const chunkId = functionOf<(source: Uint8Array, length: number) => Uint8Array>(object, 'luaO_chunkid')
  object['luaO_chunkid'] = (source: Uint8Array): Uint8Array =>
    source[0] === 0x40 || source[0] === 0x3d ? source.slice(1) : chunkId(source, CHUNK_ID_BYTES)
  const next = functionOf<(L: LuaThread, of: TableObject, keyAt: number) => boolean>(table, 'luaH_next')
  table['luaH_next'] = (L: LuaThread, of: TableObject, keyAt: number): boolean => {
    const found = next(L, of, keyAt)
    const key = L.stack[keyAt]
    if (key?.type === TYPE.integer) key.type = FLOAT
    return found
  }
}

/** What library functions get and give: integers become doubles on the way in and are cut as LuaJIT cuts them. */
export function patchApi(lapi: Exports, { object, table, state }: Core): void {
  const toNumber = functionOf<(L: LuaThread, index: number) => number | false>(lapi, 'lua_tonumberx')
  const pushNumber = functionOf<(L: LuaThread, value: number) => void>(lapi, 'lua_pushnumber')
  const toInteger = (L: LuaThread, index: number): number | false => {
    const value = toNumber(L, index)
    if (value === false) return false
    if (Number.isNaN(value)) return 0
    return Math.trunc(Math.max(-MAX_EXACT, Math.min(MAX_EXACT, value))) + 0
  }
  lapi['lua_pushinteger'] = pushNumber
  lapi['lua_tointegerx'] = toInteger
  lapi['lua_tointeger'] = (L: LuaThread, index: number): number => toInteger(L, index) || 0
  patchIndexing(lapi, object, table)

  // The engine forgets to note that hooks were allowed, so after the first caught error they never run again.
  const callProtected = functionOf<(L: LuaThread, ...rest: never[]) => number>(lapi, 'lua_pcallk')
  const hooksAllowed = state['CIST_OAH'] as number
  lapi['lua_pcallk'] = (L: LuaThread, ...rest: never[]): number => {
    L.ci.callstatus |= hooksAllowed
    return callProtected(L, ...rest)
  }
}

function patchIndexing(lapi: Exports, object: Exports, table: Exports): void {
  const absoluteIndex = functionOf<(L: LuaThread, index: number) => number>(lapi, 'lua_absindex')
  const pushNumber = functionOf<(L: LuaThread, value: number) => void>(lapi, 'lua_pushnumber')
  const pointer = functionOf<(L: LuaThread, index: number) => unknown>(lapi, 'lua_topointer')
  const getTable = functionOf<(L: LuaThread, index: number) => number>(lapi, 'lua_gettable')
  const setTable = functionOf<(L: LuaThread, index: number) => void>(lapi, 'lua_settable')
  const insert = functionOf<(L: LuaThread, index: number) => void>(lapi, 'lua_insert')
  const pop = functionOf<(L: LuaThread, count: number) => void>(lapi, 'lua_pop')
  const setFrom = functionOf<(L: LuaThread, of: TableObject, key: TValue, value: TValue | undefined) => void>(
    table,
    'luaH_setfrom',
  )
  const Table = table['Table'] as new () => TableObject
  const Value = object['TValue'] as new (type: number, value: unknown) => TValue
  lapi['lua_geti'] = (L: LuaThread, index: number, key: number): number => {
    const at = absoluteIndex(L, index)
    pushNumber(L, key)
    return getTable(L, at)
  }
  lapi['lua_seti'] = (L: LuaThread, index: number, key: number): void => {
    const target = pointer(L, index)
    if (target instanceof Table && target.metatable === null) {
      setFrom(L, target, new Value(FLOAT, key), L.stack[L.top - 1])
      pop(L, 1)
      return
    }
    const at = absoluteIndex(L, index)
    pushNumber(L, key)
    insert(L, -2)
    setTable(L, at)
  }
}

interface StringBuffer {
  n: number
  b: Uint8Array<ArrayBuffer>
}

/**
 * Growing buffers of string functions (gsub, table.concat) stop at the same length as strings. Adding one character makes
 * no view of the buffer: gsub does it for each.
 */
export function patchBuffers(lauxlib: Exports): void {
  const raise = functionOf<(L: unknown, message: Uint8Array) => never>(lauxlib, 'luaL_error')
  const makeRoom = functionOf<(buffer: StringBuffer, sizeBytes: number) => unknown>(
    lauxlib,
    'luaL_prepbuffsize',
  )
  lauxlib['luaL_addchar'] = (buffer: StringBuffer, byte: number): void => {
    if (buffer.n >= buffer.b.length) makeRoom(buffer, 1)
    buffer.b[buffer.n] = byte
    buffer.n += 1
  }
  lauxlib['luaL_Buffer'] = class implements StringBuffer {
    readonly L: unknown = null
    n = 0
    #bytes = new Uint8Array(0)
    get b(): Uint8Array<ArrayBuffer> {
      return this.#bytes
    }
    set b(bytes: Uint8Array<ArrayBuffer>) {
      // The engine doubles a buffer when it is full.
      if (bytes.length > 2 * MAX_STRING_BYTES) raise(this.L, textToBytes(TOO_LONG))
      this.#bytes = bytes
    }
  }
}
