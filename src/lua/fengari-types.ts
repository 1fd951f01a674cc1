/**
 * The part of fengari that we use, as types. Names are the engine's own, which are those of Lua's C API
 * (https://www.lua.org/manual/5.3/manual.html#4): whoever knows that manual can read the code that uses them.
 * Pure types and constants.
 */

/** Lua's LUA_T… tags and statuses, and fengari's tags of number variants. */
export const TYPE = {
  none: -1,
  nil: 0,
  boolean: 1,
  lightUserdata: 2,
  number: 3,
  string: 4,
  table: 5,
  function: 6,
  userdata: 7,
  thread: 8,
  /** Variant tag of a string inside a TValue. */
  longString: 20,
  /** Variant tag of an integer inside a TValue; it may never reach Lua code. */
  integer: 19,
  /** Variant tags of functions inside a TValue: Lua closure, plain host function, host closure. */
  luaClosure: 6,
  hostFunction: 22,
  hostClosure: 38,
} as const

export const STATUS = { ok: 0, yield: 1 } as const
export const MULTIPLE_RESULTS = -1
export const HOOK_LINE_MASK = 4
export const HOOK_COUNT_MASK = 8
/** What a hook was called for. */
export const HOOK_EVENT = { line: 2, count: 3 } as const
export const REGISTRY_INDEX = -1_001_000

/** One value slot. `value` of a string is a TString, of a table a TableObject, of a userdata a UserdataObject. */
export interface TValue {
  type: number
  value: unknown
  ttnov(): number
  setnilvalue(): void
}

export interface TString {
  readonly realstring: Uint8Array
}

export interface TableEntry {
  readonly key: TValue
  readonly value: TValue
  readonly n: TableEntry | undefined
}

export interface TableObject {
  readonly f: TableEntry | undefined
  readonly strong: ReadonlyMap<unknown, TableEntry>
  metatable: TableObject | null
  /** Ours: what a table stands for. A WeakMap would cost every garbage collection for as many reports as it holds. */
  standsFor?: object
}

export interface UserdataObject {
  data: unknown
  metatable: TableObject | null
}

/** A compiled function. */
export interface LuaPrototype {
  readonly upvalues: readonly { readonly name: TString | null }[]
  /** The line of each instruction. */
  readonly lineinfo: readonly number[]
  /** The functions in it. */
  readonly p: readonly LuaPrototype[]
}

export interface LuaClosure {
  readonly p: LuaPrototype
  readonly upvals: TValue[]
}

/** A Lua thread: the state itself or one of its coroutines. */
export interface LuaThread {
  readonly stack: TValue[]
  top: number
  errfunc: number
  readonly errorJmp: unknown
  readonly nny: number
  readonly ci: { callstatus: number; readonly func: TValue }
}

/** A function written in TypeScript with Lua's calling convention: arguments on the stack, answers how many results. */
export type HostCode = (L: LuaThread) => number
export type Continuation = (L: LuaThread) => number

/** lua_Debug; filled by lua_getinfo. */
export interface DebugRecord {
  /** One of HOOK_EVENT, in a hook. */
  readonly event: number
  readonly currentline: number
  /** The chunk's name; the same array at every call of lua_getinfo for the same chunk. */
  readonly source: Uint8Array
  readonly short_src: Uint8Array
  readonly name: Uint8Array | null
  /** What kind of thing the name is: global, field, method, local. */
  readonly namewhat: Uint8Array | null
}

export interface LuaApi {
  readonly lua_Debug: new () => DebugRecord
  lua_absindex(L: LuaThread, index: number): number
  lua_atnativeerror(L: LuaThread, handler: HostCode): unknown
  lua_call(L: LuaThread, argumentCount: number, resultCount: number): void
  lua_callk(L: LuaThread, argumentCount: number, resultCount: number, context: 0, k: Continuation): void
  lua_checkstack(L: LuaThread, slots: number): boolean
  lua_close(L: LuaThread): void
  lua_concat(L: LuaThread, count: number): void
  lua_createtable(L: LuaThread, arraySize: number, recordSize: number): void
  lua_error(L: LuaThread): never
  lua_getfield(L: LuaThread, index: number, name: Uint8Array): number
  lua_getglobal(L: LuaThread, name: Uint8Array): number
  lua_geti(L: LuaThread, index: number, key: number): number
  lua_getinfo(L: LuaThread, what: Uint8Array, record: DebugRecord): number
  lua_getmetatable(L: LuaThread, index: number): boolean
  lua_getstack(L: LuaThread, level: number, record: DebugRecord): number
  lua_gettable(L: LuaThread, index: number): number
  lua_gettop(L: LuaThread): number
  lua_insert(L: LuaThread, index: number): void
  lua_isyieldable(L: LuaThread): boolean
  lua_load(
    L: LuaThread,
    reader: (L: LuaThread, data: { bytes: Uint8Array | null }) => Uint8Array | null,
    data: { bytes: Uint8Array | null },
    chunkName: Uint8Array,
    mode: Uint8Array,
  ): number
  lua_newthread(L: LuaThread): LuaThread
  lua_newuserdata(L: LuaThread, sizeBytes: number): object
  lua_next(L: LuaThread, index: number): number
  lua_pcall(L: LuaThread, argumentCount: number, resultCount: number, messageHandler: number): number
  lua_pop(L: LuaThread, count: number): void
  lua_pushboolean(L: LuaThread, value: boolean): void
  lua_pushcfunction(L: LuaThread, code: HostCode): void
  lua_pushglobaltable(L: LuaThread): void
  lua_pushlightuserdata(L: LuaThread, value: unknown): void
  lua_pushnil(L: LuaThread): void
  lua_pushnumber(L: LuaThread, value: number): void
  lua_pushstring(L: LuaThread, bytes: Uint8Array): Uint8Array
  lua_pushthread(L: LuaThread): boolean
  lua_pushvalue(L: LuaThread, index: number): void
  lua_rawequal(L: LuaThread, index1: number, index2: number): number
  lua_rawget(L: LuaThread, index: number): number
  lua_rawgeti(L: LuaThread, index: number, key: number): number
  lua_rawlen(L: LuaThread, index: number): number
  lua_rawset(L: LuaThread, index: number): void
  lua_rawseti(L: LuaThread, index: number, key: number): void
  lua_remove(L: LuaThread, index: number): void
  lua_replace(L: LuaThread, index: number): void
  lua_resume(L: LuaThread, from: LuaThread | null, argumentCount: number): number
  lua_rotate(L: LuaThread, index: number, count: number): void
  lua_setfield(L: LuaThread, index: number, name: Uint8Array): void
  lua_setglobal(L: LuaThread, name: Uint8Array): void
  lua_sethook(
    L: LuaThread,
    hook: ((L: LuaThread, record: DebugRecord) => void) | null,
    mask: number,
    count: number,
  ): void
  lua_seti(L: LuaThread, index: number, key: number): void
  lua_setmetatable(L: LuaThread, index: number): boolean
  lua_settable(L: LuaThread, index: number): void
  lua_settop(L: LuaThread, index: number): void
  lua_setupvalue(L: LuaThread, index: number, upvalue: number): Uint8Array | null
  lua_status(L: LuaThread): number
  lua_toboolean(L: LuaThread, index: number): boolean
  lua_tolstring(L: LuaThread, index: number): Uint8Array | null
  lua_tonumberx(L: LuaThread, index: number): number | false
  lua_topointer(L: LuaThread, index: number): unknown
  lua_tothread(L: LuaThread, index: number): LuaThread | null
  lua_touserdata(L: LuaThread, index: number): unknown
  lua_type(L: LuaThread, index: number): number
  lua_typename(L: LuaThread, type: number): Uint8Array
  lua_xmove(from: LuaThread, to: LuaThread, count: number): void
  lua_yieldk(L: LuaThread, resultCount: number, context: 0, k: Continuation | null): never
  luaL_argerror(L: LuaThread, position: number, message: Uint8Array): never
  luaL_checkany(L: LuaThread, position: number): void
  luaL_checkinteger(L: LuaThread, position: number): number
  luaL_checknumber(L: LuaThread, position: number): number
  luaL_checkstring(L: LuaThread, position: number): Uint8Array
  luaL_checktype(L: LuaThread, position: number, type: number): void
  luaL_getmetafield(L: LuaThread, index: number, name: Uint8Array): number
  luaL_newstate(): LuaThread
  luaL_optinteger(L: LuaThread, position: number, fallback: number): number
  luaL_optnumber(L: LuaThread, position: number, fallback: number): number
  luaL_requiref(L: LuaThread, name: Uint8Array, open: HostCode, isGlobal: boolean): void
  luaL_tolstring(L: LuaThread, index: number): Uint8Array
  luaL_traceback(L: LuaThread, of: LuaThread, message: Uint8Array | null, level: number): void
  luaL_where(L: LuaThread, level: number): void
  readonly luaopen_base: HostCode
  readonly luaopen_debug: HostCode
  readonly luaopen_math: HostCode
  readonly luaopen_string: HostCode
  readonly luaopen_table: HostCode
  readonly luaopen_utf8: HostCode
}
