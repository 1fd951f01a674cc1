/**
 * A line of the console as a Lua call: an expression or statements, and the text that shows what it returned. Runs on the
 * thread of its Lua state.
 */
import { bytesToText, textToBytes } from '../login/byte-string.ts'
import { lua } from './fengari.ts'
import { MULTIPLE_RESULTS, type LuaThread } from './fengari-types.ts'
import { loadBytes } from './load-chunk.ts'
import { LuaRaise } from './lua-raise.ts'
import { showResults } from './show-values.ts'
import { pushText } from './stack.ts'

/** How messages call the line: `console:1: …`. */
const CHUNK_NAME = textToBytes('=console')

/**
 * Pushes what runs the line, and answers the number of its arguments.
 *
 * @throws LuaRaise when the line is neither an expression nor statements; it says where
 */
export function pushConsoleLine(L: LuaThread, line: string): number {
  lua.lua_pushcfunction(L, runAndShow)
  // As an expression first, so that `getReports{}` shows its table. The newline ends a comment.
  if (loadBytes(L, textToBytes(`return ${line}\n`), CHUNK_NAME)) return 1
  lua.lua_pop(L, 1)
  if (loadBytes(L, textToBytes(line), CHUNK_NAME)) return 1
  throw new LuaRaise(bytesToText(lua.luaL_tolstring(L, -1)))
}

/** With a continuation, so that the line may wait. Tables are shown here, while they are still Lua's. */
function runAndShow(L: LuaThread): number {
  lua.lua_callk(L, 0, MULTIPLE_RESULTS, 0, show)
  return show(L)
}

function show(L: LuaThread): number {
  const text = showResults(L)
  if (text === undefined) return 0
  pushText(L, text)
  return 1
}
