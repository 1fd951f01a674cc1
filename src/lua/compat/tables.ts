/**
 * The table functions of Lua 5.1 that the engine lacks, or has with stricter rules. Lives on the thread of its Lua state.
 */
import { lua } from '../fengari.ts'
import { TYPE, type LuaThread } from '../fengari-types.ts'
import { extendLibrary, isNilArgument, lengthOf, raise } from '../stack.ts'

export function installTables(L: LuaThread): void {
  extendLibrary(L, 'table', { getn, maxn, foreach: forEach, foreachi: forEachIndex, insert, remove })
}

function getn(L: LuaThread): number {
  lua.lua_pushnumber(L, lengthOf(L, 1))
  return 1
}

/** The largest positive numeric key. */
function maxn(L: LuaThread): number {
  lua.luaL_checktype(L, 1, TYPE.table)
  let largest = 0
  lua.lua_pushnil(L)
  while (lua.lua_next(L, 1) !== 0) {
    lua.lua_pop(L, 1)
    if (lua.lua_type(L, -1) === TYPE.number) largest = Math.max(largest, Number(lua.lua_tonumberx(L, -1)))
  }
  lua.lua_pushnumber(L, largest)
  return 1
}

/** table.foreach(table, function(key, value)): stops at the first result that is not nil, and returns it. */
function forEach(L: LuaThread): number {
  lua.luaL_checktype(L, 1, TYPE.table)
  lua.luaL_checktype(L, 2, TYPE.function)
  lua.lua_settop(L, 2)
  lua.lua_pushnil(L)
  while (lua.lua_next(L, 1) !== 0) {
    lua.lua_pushvalue(L, 2)
    lua.lua_pushvalue(L, 3)
    lua.lua_pushvalue(L, 4)
    lua.lua_call(L, 2, 1)
    if (lua.lua_type(L, -1) !== TYPE.nil) return 1
    lua.lua_settop(L, 3)
  }
  return 0
}

function forEachIndex(L: LuaThread): number {
  const count = lengthOf(L, 1)
  lua.luaL_checktype(L, 2, TYPE.function)
  for (let index = 1; index <= count; index++) {
    lua.lua_settop(L, 2)
    lua.lua_pushvalue(L, 2)
    lua.lua_pushnumber(L, index)
    lua.lua_rawgeti(L, 1, index)
    lua.lua_call(L, 2, 1)
    if (lua.lua_type(L, -1) !== TYPE.nil) return 1
  }
  return 0
}

/** table.insert(table, [position,] value); 5.1 takes positions beyond the end. */
function insert(L: LuaThread): number {
  const end = lengthOf(L, 1) + 1
  switch (lua.lua_gettop(L)) {
    case 2:
      lua.lua_seti(L, 1, end)
      return 0
    case 3:
      break
    default:
      return raise(L, "wrong number of arguments to 'insert'")
  }
  const position = lua.luaL_checkinteger(L, 2)
  for (let index = end; index > position; index--) {
    lua.lua_geti(L, 1, index - 1)
    lua.lua_seti(L, 1, index)
  }
  lua.lua_settop(L, 3)
  lua.lua_seti(L, 1, position)
  return 0
}

/** table.remove(table [, position]); 5.1 answers nothing for a position outside the array. */
function remove(L: LuaThread): number {
  const end = lengthOf(L, 1)
  const position = isNilArgument(L, 2) ? end : lua.luaL_checkinteger(L, 2)
  if (position < 1 || position > end) return 0
  lua.lua_geti(L, 1, position)
  for (let index = position; index < end; index++) {
    lua.lua_geti(L, 1, index + 1)
    lua.lua_seti(L, 1, index)
  }
  lua.lua_pushnil(L)
  lua.lua_seti(L, 1, end)
  return 1
}
