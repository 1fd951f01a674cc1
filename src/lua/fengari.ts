/**
 * The border to fengari, the Lua engine: loads it once per thread with our changes applied, and gives it types. The only
 * file that casts what fengari exports. Everything that talks to the engine takes `lua` and `engine` from here.
 */
/* oxlint-disable typescript/no-unsafe-type-assertion -- fengari has no types; this is where it gets them */
import { createRequire } from 'node:module'
import { withPatchedSource } from './fengari-source.ts'
import type {
  LuaApi,
  LuaClosure,
  LuaThread,
  TableObject,
  TString,
  TValue,
  UserdataObject,
} from './fengari-types.ts'
import {
  patchApi,
  patchBuffers,
  patchConfiguration,
  patchCore,
  patchStrings,
  type Exports,
} from './fengari-patches.ts'

/** Objects of the engine that have no function in Lua's C API, for speed. */
export interface Engine {
  readonly TValue: new (type: number, value: unknown) => TValue
  readonly Table: new (L: never) => TableObject
  readonly LClosure: new (L: LuaThread, upvalueCount: number) => LuaClosure
  readonly Udata: new (L: LuaThread, sizeBytes: number) => UserdataObject
  readonly luaH_new: (L: LuaThread) => TableObject
  readonly luaH_setfrom: (L: LuaThread, table: TableObject, key: TValue, value: TValue) => void
  readonly luaH_setint: (table: TableObject, key: number, value: TValue) => void
  /** Takes the bytes over; they must not change afterwards. */
  readonly luaS_bless: (L: LuaThread, bytes: Uint8Array) => TString
}

const requireFengari = createRequire(import.meta.url)

function load(name: string): Exports {
  return requireFengari(`fengari/src/${name}.js`) as Exports
}

/**
 * The order matters: fengari's files copy one another's exports while they load, so each change has to be made before
 * the first file that copies it.
 */
function loadFengari(): { readonly lua: LuaApi; readonly engine: Engine } {
  // defs and luaconf need each other, and only this order works.
  load('defs')
  patchConfiguration(load('luaconf'))
  const strings = load('lstring')
  const lateErrors: Exports = {}
  patchStrings(strings, lateErrors)
  const api = load('lapi')
  const core = { object: load('lobject'), table: load('ltable'), vm: load('lvm'), state: load('lstate') }
  Object.assign(lateErrors, load('ldebug'))
  patchCore(core)
  patchApi(api, core)
  const luaExports = load('lua')
  const auxiliary = load('lauxlib')
  patchBuffers(auxiliary)
  // Its libraries for os, io and packages are loaded with the others, but never opened in a state.
  const libraries = load('lualib')
  return {
    lua: { ...luaExports, ...auxiliary, ...libraries } as unknown as LuaApi,
    engine: { ...core.object, ...core.table, luaS_bless: strings['luaS_bless'] } as unknown as Engine,
  }
}

export const { lua, engine } = withPatchedSource(loadFengari)
