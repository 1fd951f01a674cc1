/**
 * Compiles Lua source: texts and files. Files are read at once, on the thread of the Lua state.
 */
import { readFileSync } from 'node:fs'
import { textToBytes } from '../login/byte-string.ts'
import { messageOf } from '../errors.ts'
import { lua } from './fengari.ts'
import type { LuaThread } from './fengari-types.ts'

const NEWLINE = 0x0a
const HASH = 0x23
const UTF8_BOM = [0xef, 0xbb, 0xbf] as const
/** Source only: compiled chunks could break the engine. */
const TEXT_ONLY = textToBytes('t')

/**
 * Pushes the compiled function, or the error message.
 *
 * @param chunkName - how messages name it, in Lua's notation: `@/path/of/file`, `=name`, or the source itself
 * @returns whether it compiled
 */
export function loadBytes(L: LuaThread, bytes: Uint8Array, chunkName: Uint8Array): boolean {
  const source: { bytes: Uint8Array | null } = { bytes }
  return lua.lua_load(L, takeBytes, source, chunkName, TEXT_ONLY) === 0
}

function takeBytes(_L: LuaThread, source: { bytes: Uint8Array | null }): Uint8Array | null {
  const { bytes } = source
  source.bytes = null
  return bytes
}

/** As `loadBytes` for what a file holds; a byte order mark and a first line that begins with # are accepted. */
export function loadSource(L: LuaThread, source: Uint8Array, path: string): boolean {
  return loadBytes(L, withoutMarks(source), textToBytes(`@${path}`))
}

/** As `loadSource`, reading the file. */
export function loadFile(L: LuaThread, path: string): boolean {
  let bytes: Uint8Array
  try {
    bytes = readFileSync(path)
  } catch (error) {
    lua.lua_pushstring(L, textToBytes(`cannot read the Lua file ${path}: ${messageOf(error)}`))
    return false
  }
  return loadSource(L, bytes, path)
}

/** Leaves the newline of a # line in place, so that line numbers stay right. */
function withoutMarks(bytes: Uint8Array): Uint8Array {
  const text = UTF8_BOM.every((byte, index) => bytes[index] === byte)
    ? bytes.subarray(UTF8_BOM.length)
    : bytes
  if (text[0] !== HASH) return text
  const end = text.indexOf(NEWLINE)
  return end === -1 ? new Uint8Array(0) : text.subarray(end)
}
