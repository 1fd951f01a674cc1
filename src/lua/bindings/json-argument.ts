/**
 * A Lua value as JSON text, for what is kept or sent as such. Pure.
 */
import type { JsonValue } from '../../delivery/alert-notification.ts'
import { isLuaArray, isLuaTable, type LuaValue } from '../lua-value.ts'
import { formatNumber } from '../numbers.ts'

const MAX_DEPTH = 16

export type JsonOutcome =
  | { readonly ok: true; readonly text: string }
  /** What stands in the way: `a function`. */
  | { readonly ok: false; readonly what: string }

/** A table whose keys are 1, 2, 3 … is an array, any other an object with its keys as text. */
export function jsonOf(value: LuaValue): JsonOutcome {
  let obstacle: string | undefined
  const converted = convert(value, 0)
  return obstacle === undefined
    ? { ok: true, text: JSON.stringify(converted) }
    : { ok: false, what: obstacle }

  function refuse(what: string): null {
    obstacle ??= what
    return null
  }

  function convert(part: LuaValue, depth: number): JsonValue {
    if (depth > MAX_DEPTH) return refuse(`more than ${MAX_DEPTH} tables in one another`)
    switch (typeof part) {
      case 'undefined':
        return null
      case 'boolean':
      case 'string':
        return part
      case 'number':
        return Number.isFinite(part) ? part : refuse(formatNumber(part))
      default:
        break
    }
    if (part === null) return null
    if (isLuaArray(part)) return part.map((item) => convert(item, depth + 1))
    if (!isLuaTable(part)) return refuse('a function or an object; use tostring()')
    return Object.fromEntries(
      Array.from(part, ([key, item]) => [
        typeof key === 'number' ? formatNumber(key) : String(key),
        convert(item, depth + 1),
      ]),
    )
  }
}
