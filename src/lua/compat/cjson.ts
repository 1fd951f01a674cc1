/**
 * The modules cjson and cjson.safe. Each instance has settings of its own, as with lua-cjson. Lives on the thread of its
 * Lua state.
 */
import { Buffer } from 'node:buffer'
import { bytesToText, textToBytes } from '../../login/byte-string.ts'
import { jsonErrorPlace } from '../../login/json-error-place.ts'
import { engine, lua } from '../fengari.ts'
import { REGISTRY_INDEX, TYPE, type HostCode, type LuaThread } from '../fengari-types.ts'
import { LuaRaise } from '../lua-raise.ts'
import { isNilArgument, nilAndMessage, pushText, raise, raiseArgument, setFunctions } from '../stack.ts'
import { JSON_NULL } from '../values.ts'
import { encodeJson, type EncodeSettings, type JsonMarks } from './json-encode.ts'

/** Nesting that the functions here can follow without running out of stack. */
const MAX_DEPTH = 1000
const MAX_NUMBER_DIGITS = 16

export function installCjson(L: LuaThread): void {
  const marks = createMarks(L)
  lua.lua_getfield(L, REGISTRY_INDEX, textToBytes('_LOADED'))
  pushInstance(L, marks, false)
  lua.lua_setfield(L, -2, textToBytes('cjson'))
  pushInstance(L, marks, true)
  lua.lua_setfield(L, -2, textToBytes('cjson.safe'))
  lua.lua_pop(L, 1)
}

function createMarks(L: LuaThread): JsonMarks {
  lua.lua_createtable(L, 0, 0)
  const arrayMetatable = lua.lua_topointer(L, -1)
  lua.lua_pop(L, 1)
  if (!(arrayMetatable instanceof engine.Table)) throw new TypeError('the Lua engine makes no tables')
  // JSON null prints as null; light userdata have one metatable for all.
  lua.lua_pushlightuserdata(L, JSON_NULL)
  lua.lua_createtable(L, 0, 0)
  setFunctions(L, {
    __tostring(inner) {
      pushText(inner, lua.lua_touserdata(inner, 1) === JSON_NULL ? 'null' : 'userdata')
      return 1
    },
  })
  lua.lua_setmetatable(L, -2)
  lua.lua_pop(L, 1)
  return { emptyArray: Object.freeze({ text: '[]' }), arrayMetatable }
}

function pushInstance(L: LuaThread, marks: JsonMarks, isSafe: boolean): void {
  const encoding: EncodeSettings = {
    maxDepth: MAX_DEPTH,
    sparseRatio: 2,
    sparseSafe: 10,
    sparseAsObject: false,
    emptyTableAsObject: true,
    allowInvalidNumbers: false,
    numberDigits: 14,
  }
  const decoding = { maxDepth: MAX_DEPTH }
  lua.lua_createtable(L, 0, 0)
  setFunctions(L, {
    encode: guarded(isSafe, (inner) => encode(inner, encoding, marks)),
    decode: guarded(isSafe, (inner) => decode(inner, decoding.maxDepth)),
    new(inner) {
      pushInstance(inner, marks, isSafe)
      return 1
    },
    ...settingFunctions(encoding, decoding),
  })
  pushText(L, 'cjson')
  lua.lua_setfield(L, -2, textToBytes('_NAME'))
  pushText(L, '2.1.0')
  lua.lua_setfield(L, -2, textToBytes('_VERSION'))
  lua.lua_pushlightuserdata(L, JSON_NULL)
  lua.lua_setfield(L, -2, textToBytes('null'))
  lua.lua_pushlightuserdata(L, marks.emptyArray)
  lua.lua_setfield(L, -2, textToBytes('empty_array'))
  L.stack[L.top++] = new engine.TValue(TYPE.table, marks.arrayMetatable)
  lua.lua_setfield(L, -2, textToBytes('empty_array_mt'))
}

/** Failures as Lua errors, or for cjson.safe as nil and a message. */
function guarded(isSafe: boolean, code: HostCode): HostCode {
  return (L) => {
    const top = lua.lua_gettop(L)
    let message: string
    try {
      return code(L)
    } catch (thrown) {
      if (!(thrown instanceof LuaRaise)) throw thrown
      message = thrown.message
    }
    lua.lua_settop(L, top)
    return isSafe ? nilAndMessage(L, message) : raise(L, message)
  }
}

function encode(L: LuaThread, settings: EncodeSettings, marks: JsonMarks): number {
  lua.luaL_checkany(L, 1)
  lua.lua_settop(L, 1)
  const slot = L.stack[L.top - 1]
  if (slot === undefined) return 0
  lua.lua_pushstring(L, Buffer.from(encodeJson(slot, settings, marks), 'latin1'))
  return 1
}

function decode(L: LuaThread, maxDepth: number): number {
  const text = bytesToText(lua.luaL_checkstring(L, 1))
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new LuaRaise(`Expected valid JSON${jsonErrorPlace(error)}`)
  }
  pushDecoded(L, value, { depth: 0, maxDepth })
  return 1
}

interface Depth {
  readonly depth: number
  readonly maxDepth: number
}

function pushDecoded(L: LuaThread, value: unknown, { depth, maxDepth }: Depth): void {
  switch (typeof value) {
    case 'string':
      pushText(L, value)
      return
    case 'number':
      lua.lua_pushnumber(L, value)
      return
    case 'boolean':
      lua.lua_pushboolean(L, value)
      return
    default:
  }
  if (typeof value !== 'object' || value === null) {
    lua.lua_pushlightuserdata(L, JSON_NULL)
    return
  }
  const inner = { depth: depth + 1, maxDepth }
  if (inner.depth > maxDepth) throw new LuaRaise(`Found too many nested data structures (${inner.depth})`)
  lua.lua_checkstack(L, 4)
  lua.lua_createtable(L, 0, 0)
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      pushDecoded(L, value[index], inner)
      lua.lua_rawseti(L, -2, index + 1)
    }
    return
  }
  for (const [key, member] of Object.entries(value)) {
    pushText(L, key)
    pushDecoded(L, member, inner)
    lua.lua_rawset(L, -3)
  }
}

/** Each sets what it is given, and answers what is set. */
function settingFunctions(
  encoding: EncodeSettings,
  decoding: { maxDepth: number },
): Readonly<Record<string, HostCode>> {
  const flag =
    (key: 'emptyTableAsObject' | 'allowInvalidNumbers'): HostCode =>
    (L) => {
      if (!isNilArgument(L, 1)) encoding[key] = lua.lua_toboolean(L, 1)
      lua.lua_pushboolean(L, encoding[key])
      return 1
    }
  const whole =
    (holder: { maxDepth: number }): HostCode =>
    (L) => {
      if (!isNilArgument(L, 1)) holder.maxDepth = integerArgument(L, 1, { min: 1, max: MAX_DEPTH })
      lua.lua_pushnumber(L, holder.maxDepth)
      return 1
    }
  const ignored: HostCode = (L) => {
    lua.lua_pushboolean(L, true)
    return 1
  }
  return {
    encode_empty_table_as_object: flag('emptyTableAsObject'),
    encode_invalid_numbers: flag('allowInvalidNumbers'),
    encode_max_depth: whole(encoding),
    decode_max_depth: whole(decoding),
    // JSON.parse never takes NaN or hexadecimal numbers, and no buffer is kept.
    decode_invalid_numbers: ignored,
    encode_keep_buffer: ignored,
    encode_number_precision(L) {
      if (!isNilArgument(L, 1))
        encoding.numberDigits = integerArgument(L, 1, { min: 1, max: MAX_NUMBER_DIGITS })
      lua.lua_pushnumber(L, encoding.numberDigits)
      return 1
    },
    encode_sparse_array(L) {
      if (!isNilArgument(L, 1)) encoding.sparseAsObject = lua.lua_toboolean(L, 1)
      if (!isNilArgument(L, 2)) encoding.sparseRatio = integerArgument(L, 2, { min: 0, max: 2 ** 31 })
      if (!isNilArgument(L, 3)) encoding.sparseSafe = integerArgument(L, 3, { min: 0, max: 2 ** 31 })
      lua.lua_pushboolean(L, encoding.sparseAsObject)
      lua.lua_pushnumber(L, encoding.sparseRatio)
      lua.lua_pushnumber(L, encoding.sparseSafe)
      return 3
    },
  }
}

function integerArgument(
  L: LuaThread,
  position: number,
  { min, max }: { readonly min: number; readonly max: number },
): number {
  const value = lua.luaL_checkinteger(L, position)
  return value >= min && value <= max
    ? value
    : raiseArgument(L, position, `expected integer between ${min} and ${max}`)
}
