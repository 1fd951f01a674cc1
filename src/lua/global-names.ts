/**
 * What can be written on a line of the console: the names in a Lua state. Runs on its thread; calls no metamethods.
 */
import { bytesToText, textToBytes } from '../login/byte-string.ts'
import { lua } from './fengari.ts'
import { TYPE, type LuaThread } from './fengari-types.ts'

const IDENTIFIER = /^[A-Za-z_]\w*$/
/** Policies may keep tables with very many keys in global variables. */
const MAX_MEMBERS = 500

/** Global variables, and the members of global tables as `table.member`, sorted. */
export function globalNames(L: LuaThread): readonly string[] {
  lua.lua_pushglobaltable(L)
  const names: string[] = []
  for (const name of keysOfTop(L, Infinity)) {
    names.push(name)
    lua.lua_getfield(L, -1, textToBytes(name))
    const isOther = name !== '_G' && lua.lua_type(L, -1) === TYPE.table
    if (isOther) for (const member of keysOfTop(L, MAX_MEMBERS)) names.push(`${name}.${member}`)
    lua.lua_pop(L, 1)
  }
  lua.lua_pop(L, 1)
  return names.toSorted()
}

/** The keys of the table on top of the stack that can be written as names. */
function keysOfTop(L: LuaThread, limit: number): readonly string[] {
  const keys: string[] = []
  lua.lua_pushnil(L)
  while (lua.lua_next(L, -2) !== 0) {
    lua.lua_pop(L, 1)
    if (lua.lua_type(L, -1) !== TYPE.string) continue
    const key = bytesToText(lua.lua_tolstring(L, -1) ?? new Uint8Array(0))
    if (IDENTIFIER.test(key)) keys.push(key)
    if (keys.length >= limit) {
      lua.lua_pop(L, 1)
      break
    }
  }
  return keys
}
