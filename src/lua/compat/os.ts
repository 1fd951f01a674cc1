/**
 * The os library. Time comes from the state's clock; a policy cannot end the server or start programs. Lives on the
 * thread of its Lua state; file operations are done at once.
 */
import { randomBytes } from 'node:crypto'
import { closeSync, openSync, renameSync, rmSync, rmdirSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { textToBytes } from '../../login/byte-string.ts'
import { lua } from '../fengari.ts'
import { TYPE, type HostCode, type LuaThread } from '../fengari-types.ts'
import { extendLibrary, isNilArgument, pushText, raise, raiseArgument, textArgument } from '../stack.ts'
import { datePartsOf, formatDate, type DateParts } from './date-format.ts'
import { fileFailure } from './io-file.ts'

export interface OsOptions {
  /** Unix milliseconds. */
  readonly clock: () => number
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly changesFiles: boolean
}

/** JavaScript's dates end there: 100,000,000 days on either side of 1970. */
const MAX_UNIX_SECONDS = 8.64e12

export function installOs(L: LuaThread, { clock, environment, changesFiles }: OsOptions): void {
  const startMs = clock()
  extendLibrary(L, 'os', {
    time: (inner) =>
      pushNumber(inner, isNilArgument(inner, 1) ? Math.floor(clock() / 1000) : timeOfTable(inner)),
    clock: (inner) => pushNumber(inner, (clock() - startMs) / 1000),
    difftime: (inner) => pushNumber(inner, lua.luaL_checknumber(inner, 1) - lua.luaL_optnumber(inner, 2, 0)),
    date: (inner) => date(inner, clock),
    getenv(inner) {
      const value = environment[textArgument(inner, 1)]
      if (value === undefined) lua.lua_pushnil(inner)
      else pushText(inner, value)
      return 1
    },
    setlocale(inner) {
      const wanted = isNilArgument(inner, 1) ? 'C' : textArgument(inner, 1)
      if (['', 'C', 'POSIX'].includes(wanted)) pushText(inner, 'C')
      else lua.lua_pushnil(inner)
      return 1
    },
    remove: fileOperation((path) => {
      if (!changesFiles) return
      if (statSync(path).isDirectory()) rmdirSync(path)
      else rmSync(path)
    }),
    rename(inner) {
      const target = textArgument(inner, 2)
      return fileOperation((path) => {
        if (changesFiles) renameSync(path, target)
      })(inner)
    },
    tmpname: (inner) => tmpname(inner, changesFiles),
    exit: refused('os.exit', 'a policy cannot end the server; use shutdown()'),
    execute: refused('os.execute', 'a policy cannot start programs; send a webhook to something that does'),
  })
}

function pushNumber(L: LuaThread, value: number): number {
  lua.lua_pushnumber(L, value)
  return 1
}

function refused(name: string, reason: string): HostCode {
  return (L) => raise(L, `${name} is not available: ${reason}`)
}

function fileOperation(operation: (path: string) => void): HostCode {
  return (L) => {
    const path = textArgument(L, 1)
    try {
      operation(path)
    } catch (error) {
      return fileFailure(L, error, path)
    }
    lua.lua_pushboolean(L, true)
    return 1
  }
}

/** Makes the file, so that nobody else gets the same name. */
function tmpname(L: LuaThread, changesFiles: boolean): number {
  const path = join(tmpdir(), `lua_${randomBytes(9).toString('base64url')}`)
  try {
    if (changesFiles) closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    return fileFailure(L, error, path)
  }
  pushText(L, path)
  return 1
}

/** Unix seconds of a table in the server's time zone; values beyond their range carry over, as with C's mktime. */
function timeOfTable(L: LuaThread): number {
  lua.luaL_checktype(L, 1, TYPE.table)
  const field = (name: string, fallback?: number): number => {
    lua.lua_getfield(L, 1, textToBytes(name))
    const value = lua.lua_tonumberx(L, -1)
    lua.lua_pop(L, 1)
    if (value !== false) return Math.trunc(value)
    return fallback ?? raise(L, `field '${name}' missing in date table`)
  }
  const when = new Date(0)
  when.setFullYear(field('year'), field('month') - 1, field('day'))
  when.setHours(field('hour', 12), field('min', 0), field('sec', 0), 0)
  const seconds = when.getTime() / 1000
  return Number.isNaN(seconds) ? raise(L, 'time result cannot be represented') : seconds
}

/** os.date([format [, time]]) */
function date(L: LuaThread, clock: () => number): number {
  const wanted = isNilArgument(L, 1) ? '%c' : textArgument(L, 1)
  const seconds = isNilArgument(L, 2) ? Math.floor(clock() / 1000) : Math.floor(lua.luaL_checknumber(L, 2))
  if (!(Math.abs(seconds) <= MAX_UNIX_SECONDS)) return raiseArgument(L, 2, 'time out of range')
  const isUtc = wanted.startsWith('!')
  const format = isUtc ? wanted.slice(1) : wanted
  const parts = datePartsOf(seconds, isUtc)
  if (format.startsWith('*t')) return pushDateTable(L, parts)
  const text = formatDate(format, parts)
  if (text === undefined) return raiseArgument(L, 1, `invalid conversion specifier in '${format}'`)
  pushText(L, text)
  return 1
}

function pushDateTable(L: LuaThread, parts: DateParts): number {
  const fields = {
    year: parts.year,
    month: parts.month,
    day: parts.day,
    hour: parts.hour,
    min: parts.minute,
    sec: parts.second,
    wday: parts.weekday + 1,
    yday: parts.yearDay,
  }
  lua.lua_createtable(L, 0, 9)
  for (const [name, value] of Object.entries(fields)) {
    lua.lua_pushnumber(L, value)
    lua.lua_setfield(L, -2, textToBytes(name))
  }
  lua.lua_pushboolean(L, parts.isSummerTime)
  lua.lua_setfield(L, -2, textToBytes('isdst'))
  return 1
}
