/**
 * The JavaScript face of Lua values. Pure types; used wherever values cross between the two languages.
 */

/**
 * A function that lives in a Lua state. Opaque outside the state that made it; it keeps the function from being
 * collected until the state goes.
 */
export interface LuaFunction {
  readonly kind: 'lua-function'
  /** Key in the state's registry. */
  readonly reference: number
}

/**
 * A value on its way to or from Lua.
 *
 * - nil ⇄ undefined (null is accepted on the way in)
 * - strings are byte strings in Lua; see login/byte-string.ts for bytes that are not UTF-8
 * - a table whose keys are exactly 1..n (n ≥ 1) ⇄ array; any other table ⇄ Map from key to value, and an empty table
 *   is an empty Map. Plain objects (also without prototype) are accepted on the way in.
 * - an instance of a registered host type ⇄ userdata
 */
export type LuaValue =
  | undefined
  | null
  | boolean
  | number
  | string
  | LuaFunction
  | readonly LuaValue[]
  | LuaTable
  | { readonly [key: string]: LuaValue }
  | object

export type LuaTable = ReadonlyMap<string | number | boolean, LuaValue>

export function isLuaTable(value: LuaValue): value is LuaTable {
  return value instanceof Map
}

export function isLuaFunction(value: LuaValue): value is LuaFunction {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'lua-function'
}

export function isLuaArray(value: LuaValue): value is readonly LuaValue[] {
  return Array.isArray(value)
}
