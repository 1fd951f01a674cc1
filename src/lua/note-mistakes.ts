/**
 * For looking a configuration through: a call that is refused is noted with its file and line, answers nothing, and the
 * file goes on, so that one look finds more than the first mistake. Lives on the thread of its Lua state.
 */
import { bytesToText, textToBytes } from '../login/byte-string.ts'
import { lua } from './fengari.ts'
import type { LuaThread } from './fengari-types.ts'
import { raise } from './stack.ts'

/** Takes a refused call: notes it and answers the number of results, 0, or raises where the Lua code expects an error. */
export type RefuseCall = (L: LuaThread, message: string) => number

/** Also lets a call of something that does not exist, such as a misspelt function, pass with a note. */
export function noteMistakes(L: LuaThread, onMistake: (message: string) => void): RefuseCall {
  const protectors = ['pcall', 'xpcall'].map((name) => {
    lua.lua_getglobal(L, textToBytes(name))
    const pointer = lua.lua_topointer(L, -1)
    lua.lua_pop(L, 1)
    return pointer
  })
  const refuse: RefuseCall = (inner, message) => {
    // Whoever calls with pcall has an answer to the error.
    if (isWithin(inner, protectors)) return raise(inner, message)
    lua.luaL_where(inner, 1)
    onMistake(bytesToText(lua.luaL_tolstring(inner, -1)) + message)
    return 0
  }
  // The metatable of nil itself.
  lua.lua_pushnil(L)
  lua.lua_createtable(L, 0, 1)
  lua.lua_pushcfunction(L, (inner) => refuse(inner, `attempt to call a nil value${calledName(inner)}`))
  lua.lua_setfield(L, -2, textToBytes('__call'))
  lua.lua_setmetatable(L, -2)
  lua.lua_pop(L, 1)
  return refuse
}

/** Whether one of these functions is among the callers. */
function isWithin(L: LuaThread, functions: readonly unknown[]): boolean {
  const record = new lua.lua_Debug()
  for (let level = 0; lua.lua_getstack(L, level, record) > 0; level++) {
    lua.lua_getinfo(L, textToBytes('f'), record)
    const pointer = lua.lua_topointer(L, -1)
    lua.lua_pop(L, 1)
    if (functions.includes(pointer)) return true
  }
  return false
}

/** As the engine itself names it: ` (global 'addAcl')`. */
function calledName(L: LuaThread): string {
  const record = new lua.lua_Debug()
  if (lua.lua_getstack(L, 0, record) === 0) return ''
  lua.lua_getinfo(L, textToBytes('n'), record)
  if (record.name === null || record.namewhat === null) return ''
  return ` (${bytesToText(record.namewhat)} '${bytesToText(record.name)}')`
}
