/**
 * setfenv and getfenv of Lua 5.1. In the engine a function's globals live in its upvalue _ENV; setting the environment
 * gives the function an upvalue of its own, so that functions made before keep theirs and functions that it makes later
 * inherit the new one, as in 5.1. Lives on the thread of its Lua state.
 */
import { bytesToText, textToBytes } from '../../login/byte-string.ts'
import { engine, lua } from '../fengari.ts'
import { TYPE, type LuaClosure, type LuaThread, type TValue } from '../fengari-types.ts'
import { isNilArgument, raise, raiseArgument, setGlobals } from '../stack.ts'

export function installEnvironments(L: LuaThread): void {
  setGlobals(L, { setfenv: setEnvironment, getfenv: getEnvironment })
}

/** setfenv(function or level, table) */
function setEnvironment(L: LuaThread): number {
  lua.luaL_checktype(L, 2, TYPE.table)
  if (lua.lua_type(L, 1) === TYPE.number && lua.luaL_checkinteger(L, 1) === 0) {
    return raise(
      L,
      "'setfenv' cannot change the environment of a whole thread; give it a function or a level",
    )
  }
  pushFunction(L, 1)
  const closure = closureAt(L, -1)
  if (closure === undefined) return raise(L, "'setfenv' cannot change environment of given object")
  const index = environmentIndex(closure)
  // A function that uses no globals has nothing to set.
  if (index !== -1) closure.upvals[index] = new engine.TValue(TYPE.table, lua.lua_topointer(L, 2))
  return 1
}

/** getfenv([function or level]) */
function getEnvironment(L: LuaThread): number {
  if (lua.lua_type(L, 1) === TYPE.number && lua.luaL_checkinteger(L, 1) === 0) {
    lua.lua_pushglobaltable(L)
    return 1
  }
  pushFunction(L, 1)
  const slot = environmentOf(closureAt(L, -1))
  if (slot === undefined) lua.lua_pushglobaltable(L)
  else L.stack[L.top++] = new engine.TValue(slot.type, slot.value)
  return 1
}

/** Pushes the function that the argument means: itself, or the one at a call level (default 1, the caller). */
function pushFunction(L: LuaThread, position: number): void {
  if (lua.lua_type(L, position) === TYPE.function) {
    lua.lua_pushvalue(L, position)
    return
  }
  const level = isNilArgument(L, position) ? 1 : lua.luaL_checkinteger(L, position)
  const record = new lua.lua_Debug()
  if (level < 0 || lua.lua_getstack(L, level, record) === 0) raiseArgument(L, position, 'invalid level')
  lua.lua_getinfo(L, textToBytes('f'), record)
}

function closureAt(L: LuaThread, index: number): LuaClosure | undefined {
  const value = lua.lua_topointer(L, index)
  return isLuaClosure(value) ? value : undefined
}

function isLuaClosure(value: unknown): value is LuaClosure {
  return typeof value === 'object' && value !== null && 'upvals' in value
}

function environmentOf(closure: LuaClosure | undefined): TValue | undefined {
  return closure?.upvals[environmentIndex(closure)]
}

function environmentIndex(closure: LuaClosure): number {
  return closure.p.upvalues.findIndex(({ name }) => name !== null && bytesToText(name.realstring) === '_ENV')
}
