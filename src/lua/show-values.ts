/**
 * Lua values as text for people: what a line of the console answers. Runs on the thread of the Lua state; calls no
 * metamethods but __tostring.
 */
import { bytesToText } from '../login/byte-string.ts'
import { lua } from './fengari.ts'
import { TYPE, type LuaThread } from './fengari-types.ts'
import { formatNumber } from './numbers.ts'

/** A table that is shorter stands on one line. */
const MAX_LINE_LENGTH = 100
/** Deeper tables are only named. */
const MAX_DEPTH = 16
/** Characters of one answer; what a table has beyond them is left out. */
const MAX_LENGTH = 1024 * 1024
const INDENT = '  '
const IDENTIFIER = /^[A-Za-z_]\w*$/
// oxlint-disable-next-line no-control-regex -- these are what must not reach a terminal
const ESCAPED = /[\u0000-\u001f\u007f\\"]/g

/** What one answer has so far. */
interface Showing {
  length: number
  /** Tables around the present one. */
  readonly path: unknown[]
}

/**
 * All values on the stack, as the answer of a line: strings and numbers as they are, tables laid out; undefined when there
 * is none, or nothing but nil. Raises a Lua error when a __tostring does.
 */
export function showResults(L: LuaThread): string | undefined {
  const count = lua.lua_gettop(L)
  const texts: string[] = []
  let hasValue = false
  const showing: Showing = { length: 0, path: [] }
  for (let index = 1; index <= count; index++) {
    const type = lua.lua_type(L, index)
    hasValue ||= type !== TYPE.nil
    texts.push(type === TYPE.string ? stringAt(L, index) : showValue(L, index, showing))
  }
  return hasValue ? texts.join('\t') : undefined
}

function showValue(L: LuaThread, index: number, showing: Showing): string {
  switch (lua.lua_type(L, index)) {
    case TYPE.nil:
      return 'nil'
    case TYPE.number:
      return formatNumber(Number(lua.lua_tonumberx(L, index)))
    case TYPE.string:
      return quoted(stringAt(L, index))
    case TYPE.table:
      return showTable(L, lua.lua_absindex(L, index), showing)
    default:
      return asLuaSays(L, index)
  }
}

function showTable(L: LuaThread, index: number, showing: Showing): string {
  if (lua.luaL_getmetafield(L, index, TOSTRING) !== TYPE.nil) {
    lua.lua_pop(L, 1)
    return asLuaSays(L, index)
  }
  const identity = lua.lua_topointer(L, index)
  const { path } = showing
  if (path.includes(identity)) return '{ … itself … }'
  if (path.length >= MAX_DEPTH || !lua.lua_checkstack(L, 8)) return '{ … }'
  path.push(identity)
  const members = [...arrayMembers(L, index, showing), ...keyedMembers(L, index, showing)]
  path.pop()
  return layOut(members, path.length)
}

/** The values at 1, 2, … up to the first that is missing. */
function arrayMembers(L: LuaThread, index: number, showing: Showing): readonly string[] {
  const members: string[] = []
  const length = lua.lua_rawlen(L, index)
  for (let key = 1; key <= length; key++) {
    if (isFull(showing)) return [...members, '…']
    lua.lua_rawgeti(L, index, key)
    members.push(counted(showValue(L, -1, showing), showing))
    lua.lua_pop(L, 1)
  }
  return members
}

/** All others, `key = value`, sorted. */
function keyedMembers(L: LuaThread, index: number, showing: Showing): readonly string[] {
  const members: string[] = []
  const length = lua.lua_rawlen(L, index)
  lua.lua_pushnil(L)
  while (lua.lua_next(L, index) !== 0) {
    if (isFull(showing)) {
      lua.lua_pop(L, 2)
      members.push('…')
      break
    }
    if (!isShownAlready(L, length)) {
      members.push(counted(`${keyText(L, showing)} = ${showValue(L, -1, showing)}`, showing))
    }
    lua.lua_pop(L, 1)
  }
  return members.toSorted()
}

/** Whether the key below the top is one of the array's. */
function isShownAlready(L: LuaThread, length: number): boolean {
  if (lua.lua_type(L, -2) !== TYPE.number) return false
  const key = Number(lua.lua_tonumberx(L, -2))
  return Number.isInteger(key) && key >= 1 && key <= length
}

function keyText(L: LuaThread, showing: Showing): string {
  if (lua.lua_type(L, -2) !== TYPE.string) return `[${showValue(L, -2, showing)}]`
  const key = stringAt(L, -2)
  return IDENTIFIER.test(key) ? key : `[${quoted(key)}]`
}

function layOut(members: readonly string[], depth: number): string {
  if (members.length === 0) return '{}'
  const oneLine = `{ ${members.join(', ')} }`
  if (oneLine.length + depth * INDENT.length <= MAX_LINE_LENGTH && !oneLine.includes('\n')) return oneLine
  const indent = INDENT.repeat(depth)
  return `{\n${members.map((member) => `${indent}${INDENT}${member},\n`).join('')}${indent}}`
}

function counted(text: string, showing: Showing): string {
  showing.length += text.length
  return text
}

function isFull(showing: Showing): boolean {
  return showing.length >= MAX_LENGTH
}

function stringAt(L: LuaThread, index: number): string {
  return bytesToText(lua.lua_tolstring(L, index) ?? new Uint8Array(0))
}

/** As tostring() has it. */
function asLuaSays(L: LuaThread, index: number): string {
  const text = bytesToText(lua.luaL_tolstring(L, index))
  lua.lua_pop(L, 1)
  return text
}

/** In Lua's notation. */
function quoted(text: string): string {
  return `"${text.replace(ESCAPED, escapeOf)}"`
}

function escapeOf(character: string): string {
  if (character === '\n') return '\\n'
  if (character === '\\' || character === '"') return `\\${character}`
  return `\\${character.charCodeAt(0).toString().padStart(3, '0')}`
}

const TOSTRING = new TextEncoder().encode('__tostring')
