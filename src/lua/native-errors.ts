/**
 * What becomes of JavaScript exceptions inside the Lua engine: a Lua error, so that the state stays whole. Some are
 * limits of JavaScript that Lua code can reach (stack, sizes); the rest are faults and are reported.
 */
import { messageOf } from '../errors.ts'
import { lua } from './fengari.ts'
import type { HostCode } from './fengari-types.ts'
import { pushText } from './stack.ts'

/** For lua_atnativeerror: turns the exception into the error message. */
export function nativeErrorHandler(onBug: (thrown: unknown, where: string) => void): HostCode {
  return (L) => {
    const thrown = lua.lua_touserdata(L, 1)
    const text = limitText(thrown)
    if (text === undefined) onBug(thrown, 'the Lua engine')
    lua.luaL_where(L, 1)
    pushText(L, text ?? `internal error: ${messageOf(thrown)}`)
    lua.lua_concat(L, 2)
    return 1
  }
}

function limitText(thrown: unknown): string | undefined {
  if (!(thrown instanceof RangeError)) return undefined
  if (thrown.message.includes('call stack')) return 'stack overflow'
  return /allocation failed|Invalid (?:typed )?array|Invalid string|ArrayBuffer/i.test(thrown.message)
    ? 'not enough memory'
    : undefined
}
