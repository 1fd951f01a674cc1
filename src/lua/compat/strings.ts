/**
 * The string functions of Lua 5.1 and LuaJIT that the engine lacks or has with other rules. Lives on the thread of its
 * Lua state.
 */
import { textToBytes } from '../../login/byte-string.ts'
import { lua } from '../fengari.ts'
import { MAX_STRING_BYTES } from '../fengari-patches.ts'
import { TYPE, type HostCode, type LuaThread } from '../fengari-types.ts'
import { engineFunctionAt, extendLibrary, isNilArgument, pushLibrary, raise } from '../stack.ts'
import { stringFormat } from './format.ts'

const PERCENT = 0x25
const EMPTY = new Uint8Array(0)

export function installStrings(L: LuaThread): void {
  pushLibrary(L, 'string')
  lua.lua_getfield(L, -1, textToBytes('gmatch'))
  lua.lua_setfield(L, -2, textToBytes('gfind'))
  lua.lua_getfield(L, -1, textToBytes('gsub'))
  const gsub = engineFunctionAt(L, -1, 'string.gsub')
  lua.lua_pop(L, 2)
  extendLibrary(L, 'string', { format: stringFormat, rep: repeat, gsub: lenientGsub(gsub), dump })
}

/** string.rep(text, count [, separator]) */
function repeat(L: LuaThread): number {
  const unit = lua.luaL_checkstring(L, 1)
  const count = Math.max(0, lua.luaL_checkinteger(L, 2))
  const separator = isNilArgument(L, 3) ? EMPTY : lua.luaL_checkstring(L, 3)
  const stepBytes = unit.length + separator.length
  const sizeBytes = count === 0 ? 0 : stepBytes * count - separator.length
  if (sizeBytes > MAX_STRING_BYTES) {
    raise(L, `not enough memory (resulting string too large, more than ${MAX_STRING_BYTES} bytes)`)
  }
  const result = new Uint8Array(sizeBytes)
  result.set(unit.subarray(0, sizeBytes))
  result.set(separator.subarray(0, Math.max(0, sizeBytes - unit.length)), Math.min(sizeBytes, unit.length))
  // Doubles what is there already.
  for (let filled = Math.max(1, stepBytes); filled < sizeBytes; filled *= 2) {
    result.copyWithin(filled, 0, Math.min(filled, sizeBytes - filled))
  }
  lua.lua_pushstring(L, result)
  return 1
}

/** In Lua 5.1 a % before anything but a digit stands for what follows; the engine refuses that. */
function lenientGsub(gsub: HostCode): HostCode {
  return (L) => {
    if (lua.lua_type(L, 3) === TYPE.string) {
      const replacement = lua.luaL_checkstring(L, 3)
      if (replacement.includes(PERCENT)) {
        lua.lua_pushstring(L, withStrictEscapes(replacement))
        lua.lua_replace(L, 3)
      }
    }
    return gsub(L)
  }
}

function withStrictEscapes(replacement: Uint8Array): Uint8Array {
  const result: number[] = []
  for (let index = 0; index < replacement.length; index++) {
    const byte = replacement[index] ?? 0
    const next = replacement[index + 1] ?? 0
    if (byte === PERCENT && next !== PERCENT && !(next >= 0x30 && next <= 0x39)) continue
    result.push(byte)
    if (byte === PERCENT) {
      result.push(next)
      index += 1
    }
  }
  return Uint8Array.from(result)
}

function dump(L: LuaThread): number {
  return raise(L, 'unable to dump given function: this server loads Lua as source text only')
}
