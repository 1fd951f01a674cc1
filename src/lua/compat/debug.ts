/**
 * The debug library, cut down to what tells and does not harm: hooks would switch the limits off, and the registry and
 * metatables of host types would let a policy break the state. Lives on the thread of its Lua state.
 */
import { lua } from '../fengari.ts'
import type { LuaThread } from '../fengari-types.ts'
import { pushLibrary, removeFields } from '../stack.ts'

const REMOVED = [
  'debug',
  'gethook',
  'getmetatable',
  'getregistry',
  'getuservalue',
  'sethook',
  'setmetatable',
  'setuservalue',
  'upvalueid',
  'upvaluejoin',
] as const

export function installDebug(L: LuaThread): void {
  pushLibrary(L, 'debug')
  removeFields(L, REMOVED)
  lua.lua_pop(L, 1)
}
