/**
 * require, package and module for modules written in Lua. Lives on the thread of its Lua state; files are read at once.
 * Nothing else can be loaded: no shared libraries, no JavaScript.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { bytesToText, textToBytes } from '../../login/byte-string.ts'
import { lua } from '../fengari.ts'
import { REGISTRY_INDEX, TYPE, type LuaThread } from '../fengari-types.ts'
import { loadFile } from '../load-chunk.ts'
import { pushLibrary, pushText, raise, setFunctions, setGlobals, textArgument } from '../stack.ts'

export interface ModuleOptions {
  readonly moduleFolder: string
}

/** Where the engine keeps loaded modules, in its registry. */
const LOADED = textToBytes('_LOADED')

export function installModules(L: LuaThread, { moduleFolder }: ModuleOptions): void {
  pushLibrary(L, 'package')
  lua.lua_getfield(L, REGISTRY_INDEX, LOADED)
  lua.lua_setfield(L, -2, textToBytes('loaded'))
  lua.lua_createtable(L, 0, 0)
  lua.lua_setfield(L, -2, textToBytes('preload'))
  const strings = {
    path: `${join(moduleFolder, '?.lua')};${join(moduleFolder, '?', 'init.lua')}`,
    cpath: '',
    config: '/\n;\n?\n!\n-\n',
  }
  for (const [name, text] of Object.entries(strings)) {
    pushText(L, text)
    lua.lua_setfield(L, -2, textToBytes(name))
  }
  setFunctions(L, { seeall: seeAll })
  lua.lua_pop(L, 1)
  const loading = new Set<string>()
  setGlobals(L, { require: (inner) => requireModule(inner, loading), module: defineModule })
}

/** require(name): the module's value, loaded at the first time. With a continuation, so that the module may wait. */
function requireModule(L: LuaThread, loading: Set<string>): number {
  const name = textArgument(L, 1)
  lua.lua_settop(L, 1)
  lua.lua_getfield(L, REGISTRY_INDEX, LOADED)
  if (lua.lua_getfield(L, 2, textToBytes(name)) > TYPE.nil && lua.lua_toboolean(L, -1)) return 1
  if (loading.has(name)) raise(L, `loop or previous error loading module '${name}'`)
  lua.lua_settop(L, 2)
  pushLoader(L, name)
  loading.add(name)
  pushText(L, name)
  const finish = (thread: LuaThread): number => {
    loading.delete(name)
    return keepResult(thread, name)
  }
  lua.lua_callk(L, 1, 1, 0, finish)
  return finish(L)
}

/** What the module returned, else what it put into package.loaded, else true. */
function keepResult(L: LuaThread, name: string): number {
  if (lua.lua_type(L, -1) !== TYPE.nil) lua.lua_setfield(L, 2, textToBytes(name))
  if (lua.lua_getfield(L, 2, textToBytes(name)) > TYPE.nil) return 1
  lua.lua_pushboolean(L, true)
  lua.lua_pushvalue(L, -1)
  lua.lua_setfield(L, 2, textToBytes(name))
  return 1
}

/** Pushes the function that loads the module; raises a Lua error that says where it was looked for. */
function pushLoader(L: LuaThread, name: string): void {
  lua.lua_getglobal(L, textToBytes('package'))
  if (lua.lua_getfield(L, -1, textToBytes('preload')) === TYPE.table) {
    if (lua.lua_getfield(L, -1, textToBytes(name)) === TYPE.function) {
      lua.lua_replace(L, 3)
      lua.lua_settop(L, 3)
      return
    }
    lua.lua_pop(L, 1)
  }
  lua.lua_pop(L, 1)
  lua.lua_getfield(L, -1, textToBytes('path'))
  const templates = bytesToText(lua.lua_tolstring(L, -1) ?? new Uint8Array(0)).split(';')
  lua.lua_settop(L, 2)
  const file = name.replaceAll('.', '/')
  const candidates = templates
    .filter((template) => template !== '')
    .map((template) => template.replaceAll('?', file))
  const found = candidates.find((candidate) => existsSync(candidate))
  if (found === undefined) {
    const tried = [
      `no field package.preload['${name}']`,
      ...candidates.map((candidate) => `no file '${candidate}'`),
    ]
    raise(L, `module '${name}' not found:\n\t${tried.join('\n\t')}`)
  }
  if (loadFile(L, found)) return
  raise(
    L,
    `error loading module '${name}' from file '${found}':\n\t${bytesToText(lua.luaL_tolstring(L, -1))}`,
  )
}

/** module(name, …) of Lua 5.1: a table for the module, which becomes the environment of the calling file. */
function defineModule(L: LuaThread): number {
  const name = textArgument(L, 1)
  const optionCount = lua.lua_gettop(L) - 1
  lua.lua_getfield(L, REGISTRY_INDEX, LOADED)
  if (lua.lua_getfield(L, -1, textToBytes(name)) !== TYPE.table) {
    lua.lua_pop(L, 1)
    lua.lua_createtable(L, 0, 0)
    lua.lua_pushvalue(L, -1)
    lua.lua_setglobal(L, textToBytes(name))
    lua.lua_pushvalue(L, -1)
    lua.lua_setfield(L, -3, textToBytes(name))
  }
  const table = lua.lua_gettop(L)
  lua.lua_pushvalue(L, table)
  lua.lua_setfield(L, table, textToBytes('_M'))
  pushText(L, name)
  lua.lua_setfield(L, table, textToBytes('_NAME'))
  pushText(L, name.slice(0, name.lastIndexOf('.') + 1))
  lua.lua_setfield(L, table, textToBytes('_PACKAGE'))
  for (let option = 2; option <= optionCount + 1; option++) {
    lua.lua_pushvalue(L, option)
    lua.lua_pushvalue(L, table)
    lua.lua_call(L, 1, 0)
  }
  setCallerEnvironment(L, table)
  return 0
}

function setCallerEnvironment(L: LuaThread, table: number): void {
  const record = new lua.lua_Debug()
  if (lua.lua_getstack(L, 1, record) === 0) raise(L, "'module' not called from a Lua function")
  lua.lua_getglobal(L, textToBytes('setfenv'))
  lua.lua_getinfo(L, textToBytes('f'), record)
  lua.lua_pushvalue(L, table)
  lua.lua_call(L, 2, 0)
}

/** package.seeall(module): globals are visible in the module. */
function seeAll(L: LuaThread): number {
  lua.luaL_checktype(L, 1, TYPE.table)
  if (!lua.lua_getmetatable(L, 1)) {
    lua.lua_createtable(L, 0, 0)
    lua.lua_pushvalue(L, -1)
    lua.lua_setmetatable(L, 1)
  }
  lua.lua_pushglobaltable(L)
  lua.lua_setfield(L, -2, textToBytes('__index'))
  return 0
}
