/**
 * Makes a fresh Lua state look like LuaJIT, i.e. Lua 5.1: opens the engine's harmless libraries and lays ours over them.
 * Lives on the thread of the state. The engine's own io, os, package and JavaScript libraries are never opened.
 */
import { textToBytes } from '../../login/byte-string.ts'
import { lua } from '../fengari.ts'
import type { LuaThread } from '../fengari-types.ts'
import type { Waiting } from '../waiting.ts'
import { installBase } from './base.ts'
import { installBit } from './bit.ts'
import { installCjson } from './cjson.ts'
import { installCoroutines } from './coroutines.ts'
import { installDebug } from './debug.ts'
import { installEnvironments } from './environments.ts'
import { installIo } from './io.ts'
import { installMath } from './math.ts'
import { installModules } from './modules.ts'
import { installOs } from './os.ts'
import { installStrings } from './strings.ts'
import { installTables } from './tables.ts'

export interface CompatibilityOptions {
  readonly waiting: Waiting
  /** Unix milliseconds. */
  readonly clock: () => number
  readonly moduleFolder: string
  /** Takes what Lua code writes to standard output. */
  readonly print: (text: string) => void
  readonly environment: Readonly<Record<string, string | undefined>>
  /** False: writing to a file, removing or renaming one does nothing and answers as if it had. */
  readonly changesFiles: boolean
}

export function installCompatibility(L: LuaThread, options: CompatibilityOptions): void {
  const engineLibraries = {
    _G: lua.luaopen_base,
    string: lua.luaopen_string,
    table: lua.luaopen_table,
    math: lua.luaopen_math,
    utf8: lua.luaopen_utf8,
    debug: lua.luaopen_debug,
  }
  for (const [name, open] of Object.entries(engineLibraries)) {
    lua.luaL_requiref(L, textToBytes(name), open, true)
    lua.lua_pop(L, 1)
  }
  installBase(L, options)
  installEnvironments(L)
  installStrings(L)
  installTables(L)
  installMath(L)
  installBit(L)
  installCoroutines(L, options.waiting)
  installOs(L, options)
  installIo(L, options)
  installDebug(L)
  installModules(L, options)
  installCjson(L)
}
