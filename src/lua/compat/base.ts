/**
 * Lua 5.1's basic functions where they differ from the engine's: loading of source, unpack, print, tonumber with a base,
 * collectgarbage. Lives on the thread of its Lua state.
 */
import { Buffer } from 'node:buffer'
import { bytesToText, textToBytes } from '../../login/byte-string.ts'
import { lua } from '../fengari.ts'
import { MULTIPLE_RESULTS, TYPE, type HostCode, type LuaThread } from '../fengari-types.ts'
import { loadBytes, loadFile } from '../load-chunk.ts'
import {
  engineFunctionAt,
  extendLibrary,
  isNilArgument,
  lengthOf,
  pushText,
  raise,
  raiseArgument,
  setGlobals,
  textArgument,
} from '../stack.ts'

export interface BaseOptions {
  readonly print: (text: string) => void
}

/** As many values as unpack may put on the stack. */
const MAX_UNPACKED = 60_000

export function installBase(L: LuaThread, options: BaseOptions): void {
  lua.lua_getglobal(L, textToBytes('tonumber'))
  const engineToNumber = engineFunctionAt(L, -1, 'tonumber')
  lua.lua_pop(L, 1)
  setGlobals(L, {
    print: printTo(options.print),
    tonumber: toNumber(engineToNumber),
    unpack,
    loadstring: load,
    load,
    loadfile: loadFileFunction,
    dofile: doFile,
    collectgarbage: collectGarbage,
    gcinfo: collectGarbageCount,
  })
  extendLibrary(L, 'table', { unpack })
  pushText(L, 'Lua 5.1')
  lua.lua_setglobal(L, textToBytes('_VERSION'))
  extendLibrary(L, 'jit', { off: () => 0, on: () => 0, flush: () => 0, status: jitStatus })
  lua.lua_getglobal(L, textToBytes('jit'))
  setField(L, 'version', 'LuaJIT 2.1 (compatible)')
  setField(L, 'os', process.platform === 'darwin' ? 'OSX' : 'Linux')
  setField(L, 'arch', process.arch)
  lua.lua_pushnumber(L, 20_100)
  lua.lua_setfield(L, -2, textToBytes('version_num'))
  lua.lua_pop(L, 1)
}

function setField(L: LuaThread, name: string, text: string): void {
  pushText(L, text)
  lua.lua_setfield(L, -2, textToBytes(name))
}

function printTo(print: (text: string) => void): HostCode {
  return (L) => {
    const texts: string[] = []
    for (let position = 1; position <= lua.lua_gettop(L); position++) {
      texts.push(bytesToText(lua.luaL_tolstring(L, position)))
      lua.lua_pop(L, 1)
    }
    print(`${texts.join('\t')}\n`)
    return 0
  }
}

function toNumber(withoutBase: HostCode): HostCode {
  return (L) => {
    if (isNilArgument(L, 2)) return withoutBase(L)
    const base = lua.luaL_checkinteger(L, 2)
    if (base === 10) {
      lua.lua_settop(L, 1)
      return withoutBase(L)
    }
    if (base < 2 || base > 36) return raiseArgument(L, 2, 'base out of range')
    const value = parseInBase(textArgument(L, 1), base)
    if (value === undefined) lua.lua_pushnil(L)
    else lua.lua_pushnumber(L, value)
    return 1
  }
}

function parseInBase(text: string, base: number): number | undefined {
  const [, sign, digits = ''] =
    /^[\t\n\v\f\r ]*([+-]?)(?:0[xX](?=[\da-zA-Z]))?([\da-zA-Z]+)[\t\n\v\f\r ]*$/.exec(text) ?? []
  // Only base 16 knows the prefix 0x; elsewhere x is a digit or an error.
  const counted = base === 16 ? digits : (/[\da-zA-Z]+/.exec(text)?.[0] ?? '')
  let value = 0
  for (const character of counted) {
    const digit = Number.parseInt(character, 36)
    if (Number.isNaN(digit) || digit >= base) return undefined
    value = value * base + digit
  }
  if (digits === '') return undefined
  return sign === '-' ? -value : value
}

function unpack(L: LuaThread): number {
  const first = lua.luaL_optinteger(L, 2, 1)
  const last = isNilArgument(L, 3) ? lengthOf(L, 1) : lua.luaL_checkinteger(L, 3)
  if (first > last) return 0
  const count = last - first + 1
  if (count > MAX_UNPACKED || !lua.lua_checkstack(L, count)) return raise(L, 'too many results to unpack')
  for (let index = first; index <= last; index++) lua.lua_geti(L, 1, index)
  return count
}

/** load(text or function, name, mode, environment) as LuaJIT has it; loadstring is the same. */
function load(L: LuaThread): number {
  const source = lua.lua_type(L, 1) === TYPE.function ? readAll(L) : lua.luaL_checkstring(L, 1)
  const name = isNilArgument(L, 2) ? source : lua.luaL_checkstring(L, 2)
  const hasEnvironment = lua.lua_type(L, 4) !== TYPE.none
  if (!loadBytes(L, source, name)) return nilBeforeMessage(L)
  if (hasEnvironment) {
    lua.lua_pushvalue(L, 4)
    lua.lua_setupvalue(L, -2, 1)
  }
  return 1
}

/** Calls the reader function until it has no more. */
function readAll(L: LuaThread): Uint8Array {
  const pieces: Uint8Array[] = []
  for (;;) {
    lua.lua_pushvalue(L, 1)
    lua.lua_call(L, 0, 1)
    const piece = lua.lua_tolstring(L, -1)
    if (piece === null && lua.lua_type(L, -1) !== TYPE.nil) raise(L, 'reader function must return a string')
    lua.lua_pop(L, 1)
    if (piece === null || piece.length === 0) return joined(pieces)
    pieces.push(piece)
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(pieces))
}

function nilBeforeMessage(L: LuaThread): number {
  lua.lua_pushnil(L)
  lua.lua_insert(L, -2)
  return 2
}

function loadFileFunction(L: LuaThread): number {
  const hasEnvironment = lua.lua_type(L, 3) !== TYPE.none
  if (!loadFile(L, textArgument(L, 1))) return nilBeforeMessage(L)
  if (hasEnvironment) {
    lua.lua_pushvalue(L, 3)
    lua.lua_setupvalue(L, -2, 1)
  }
  return 1
}

/** With a continuation, so that the file may wait. */
function doFile(L: LuaThread): number {
  const path = textArgument(L, 1)
  lua.lua_settop(L, 1)
  if (!loadFile(L, path)) return lua.lua_error(L)
  const allResults = (thread: LuaThread): number => lua.lua_gettop(thread) - 1
  lua.lua_callk(L, 0, MULTIPLE_RESULTS, 0, allResults)
  return allResults(L)
}

/** JavaScript collects garbage by itself; "count" is what the thread's heap holds, in KiB. */
function collectGarbage(L: LuaThread): number {
  const option = isNilArgument(L, 1) ? 'collect' : textArgument(L, 1)
  switch (option) {
    case 'count':
      return collectGarbageCount(L)
    case 'collect':
    case 'stop':
    case 'restart':
    case 'setpause':
    case 'setstepmul':
      lua.lua_pushnumber(L, 0)
      return 1
    case 'step':
      lua.lua_pushboolean(L, true)
      return 1
    default:
      return raiseArgument(L, 1, `invalid option '${option}'`)
  }
}

function collectGarbageCount(L: LuaThread): number {
  lua.lua_pushnumber(L, process.memoryUsage().heapUsed / 1024)
  return 1
}

function jitStatus(L: LuaThread): number {
  lua.lua_pushboolean(L, false)
  return 1
}
