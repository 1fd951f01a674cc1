/**
 * Small steps on Lua's stack that every library file needs: texts, errors with a position, tables of functions. Runs on
 * whatever thread has the Lua state. Raises Lua errors only where it says so.
 */
import { bytesToText, textToBytes } from '../login/byte-string.ts'
import { lua } from './fengari.ts'
import { TYPE, type HostCode, type LuaThread } from './fengari-types.ts'

export function pushText(L: LuaThread, text: string): void {
  lua.lua_pushstring(L, textToBytes(text))
}

/** A string argument, or a number's text. Raises a Lua error for any other type. */
export function textArgument(L: LuaThread, position: number): string {
  return bytesToText(lua.luaL_checkstring(L, position))
}

/** The engine's own library function at a stack index, to be called from TypeScript; `name` is for the message. */
export function engineFunctionAt(L: LuaThread, index: number, name: string): HostCode {
  const code = lua.lua_topointer(L, index)
  if (!isHostCode(code)) throw new TypeError(`the Lua engine has no function ${name}`)
  return code
}

function isHostCode(value: unknown): value is HostCode {
  return typeof value === 'function'
}

export function isNilArgument(L: LuaThread, position: number): boolean {
  return lua.lua_type(L, position) <= 0
}

/** The length of a table argument; raises Lua's error for anything else. */
export function lengthOf(L: LuaThread, position: number): number {
  lua.luaL_checktype(L, position, TYPE.table)
  return lua.lua_rawlen(L, position)
}

/** Raises a Lua error whose text begins with the file and line of the Lua code that called the running function. */
export function raise(L: LuaThread, message: string): never {
  lua.luaL_where(L, 1)
  pushText(L, message)
  lua.lua_concat(L, 2)
  return lua.lua_error(L)
}

/** Raises Lua's own "bad argument" error. */
export function raiseArgument(L: LuaThread, position: number, message: string): never {
  return lua.luaL_argerror(L, position, textToBytes(message))
}

/** Answers Lua's usual nil and message. */
export function nilAndMessage(L: LuaThread, message: string): number {
  lua.lua_pushnil(L)
  pushText(L, message)
  return 2
}

/** Sets functions as fields of the table on top of the stack. */
export function setFunctions(L: LuaThread, functions: Readonly<Record<string, HostCode>>): void {
  for (const [name, code] of Object.entries(functions)) {
    lua.lua_pushcfunction(L, code)
    lua.lua_setfield(L, -2, textToBytes(name))
  }
}

/** Removes fields of the table on top of the stack. */
export function removeFields(L: LuaThread, names: readonly string[]): void {
  for (const name of names) {
    lua.lua_pushnil(L)
    lua.lua_setfield(L, -2, textToBytes(name))
  }
}

/** Pushes the global table of this name, which is made and registered as a loaded module if there is none. */
export function pushLibrary(L: LuaThread, name: string): void {
  const open: HostCode = (inner) => {
    lua.lua_createtable(inner, 0, 0)
    return 1
  }
  lua.luaL_requiref(L, textToBytes(name), open, true)
}

/** Adds functions to a library, which is made if it does not exist. */
export function extendLibrary(
  L: LuaThread,
  name: string,
  functions: Readonly<Record<string, HostCode>>,
): void {
  pushLibrary(L, name)
  setFunctions(L, functions)
  lua.lua_pop(L, 1)
}

/** Sets global functions. */
export function setGlobals(L: LuaThread, functions: Readonly<Record<string, HostCode>>): void {
  lua.lua_pushglobaltable(L)
  setFunctions(L, functions)
  lua.lua_pop(L, 1)
}
