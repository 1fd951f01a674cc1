/**
 * The arguments of one call from Lua to a function written in TypeScript, with checks that say what is wrong. Lives on
 * the thread of its Lua state, for the time of the call.
 */
import { bytesToText, textToBytes } from '../login/byte-string.ts'
import { lua } from './fengari.ts'
import { TYPE, type LuaThread } from './fengari-types.ts'
import type { HostCall, NumberRange } from './host-function.ts'
import { LuaRaise } from './lua-raise.ts'
import { isLuaFunction, isLuaTable, type LuaFunction, type LuaTable, type LuaValue } from './lua-value.ts'
import { formatNumber } from './numbers.ts'
import type { RunContext } from './run-context.ts'
import type { LuaValues } from './values.ts'

/** What stays the same for all calls of one function. */
export interface CalledFunction {
  /** Name as errors call it: `addACL`, `http.request`, `tostring`. */
  readonly shortName: string
  readonly isMethod: boolean
  readonly values: LuaValues
  /** Name of a host type in Lua; a class's own name if it is not registered. */
  readonly typeNameOf: (type: unknown) => string
}

export class LuaHostCall implements HostCall {
  readonly argumentCount: number
  readonly run: RunContext | undefined
  readonly #called: CalledFunction
  readonly #thread: LuaThread
  #isOpen = true

  constructor(called: CalledFunction, thread: LuaThread, run: RunContext | undefined) {
    this.#called = called
    this.#thread = thread
    this.run = run
    this.argumentCount = lua.lua_gettop(thread)
  }

  /** The arguments are gone once the function has returned, also for a function that goes on as a promise. */
  close(): void {
    this.#isOpen = false
  }

  string(position: number, name: string): string {
    switch (this.#type(position)) {
      case TYPE.string:
        return bytesToText(lua.lua_tolstring(this.#thread, position) ?? new Uint8Array(0))
      case TYPE.number:
        return formatNumber(Number(lua.lua_tonumberx(this.#thread, position)))
      default:
        return this.#refuse(position, name, 'a string')
    }
  }

  optionalString(position: number, name: string): string | undefined {
    return this.#isNil(position) ? undefined : this.string(position, name)
  }

  bytesIf(position: number): Uint8Array | undefined {
    switch (this.#type(position)) {
      case TYPE.string:
        return lua.lua_tolstring(this.#thread, position) ?? new Uint8Array(0)
      case TYPE.number:
        return textToBytes(formatNumber(Number(lua.lua_tonumberx(this.#thread, position))))
      default:
        return undefined
    }
  }

  number(position: number, name: string, range?: NumberRange): number {
    this.#type(position)
    const value = lua.lua_tonumberx(this.#thread, position)
    if (value === false) return this.#refuse(position, name, 'a number')
    if (range !== undefined && !(value >= range.min && value <= range.max)) {
      return this.#refuse(position, name, `a number ${describeRange(range)}`, formatNumber(value))
    }
    return value
  }

  optionalNumber(position: number, name: string, range?: NumberRange): number | undefined {
    return this.#isNil(position) ? undefined : this.number(position, name, range)
  }

  integer(position: number, name: string, range: NumberRange): number {
    const value = this.number(position, name)
    if (!Number.isInteger(value) || value < range.min || value > range.max) {
      return this.#refuse(position, name, `a whole number ${describeRange(range)}`, formatNumber(value))
    }
    return value
  }

  boolean(position: number, name: string): boolean {
    if (this.#type(position) !== TYPE.boolean) return this.#refuse(position, name, 'true or false')
    return lua.lua_toboolean(this.#thread, position)
  }

  optionalBoolean(position: number, name: string): boolean | undefined {
    return this.#isNil(position) ? undefined : this.boolean(position, name)
  }

  array(position: number, name: string): readonly LuaValue[] {
    if (this.#type(position) !== TYPE.table) return this.#refuse(position, name, 'an array')
    const value = this.value(position)
    if (isArray(value)) return value
    if (value instanceof Map && value.size === 0) return []
    return this.#refuse(position, name, 'an array', 'a table with other keys than 1, 2, 3 …')
  }

  arrayOfStrings(position: number, name: string): readonly string[] {
    return this.array(position, name).map((item, index) => {
      if (typeof item === 'string') return item
      if (typeof item === 'number') return formatNumber(item)
      return this.#refuse(position, name, 'an array of strings', `one whose element ${index + 1} is none`)
    })
  }

  record(position: number, name: string): ReadonlyMap<string, LuaValue> {
    if (this.#type(position) !== TYPE.table) return this.#refuse(position, name, 'a table')
    const value = this.value(position)
    if (isLuaTable(value) && hasTextKeys(value)) return value
    const record = new Map<string, LuaValue>()
    if (Array.isArray(value)) {
      for (const [index, item] of value.entries()) record.set(String(index + 1), item)
    } else if (value instanceof Map) {
      for (const [key, item] of value)
        record.set(typeof key === 'number' ? formatNumber(key) : String(key), item)
    }
    return record
  }

  optionalRecord(position: number, name: string): ReadonlyMap<string, LuaValue> | undefined {
    return this.#isNil(position) ? undefined : this.record(position, name)
  }

  object<T extends object>(position: number, name: string, type: abstract new (...args: never[]) => T): T {
    this.#type(position)
    const value = lua.lua_touserdata(this.#thread, position)
    if (value instanceof type) return value
    const { isMethod, typeNameOf } = this.#called
    const hint = isMethod && position === 1 ? '; write a colon before the name of a method' : ''
    return this.#refuse(position, name, `a ${typeNameOf(type)}`, this.describe(position) + hint)
  }

  objectIf<T extends object>(position: number, type: abstract new (...args: never[]) => T): T | undefined {
    this.#type(position)
    const value = lua.lua_touserdata(this.#thread, position)
    return value instanceof type ? value : undefined
  }

  function(position: number, name: string): LuaFunction {
    if (this.#type(position) !== TYPE.function) return this.#refuse(position, name, 'a function')
    const value = this.value(position)
    return isLuaFunction(value) ? value : this.#refuse(position, name, 'a function')
  }

  value(position: number): LuaValue {
    this.#type(position)
    return this.#called.values.read(this.#thread, position)
  }

  describe(position: number): string {
    const type = this.#type(position)
    if (type === TYPE.userdata) {
      const value = lua.lua_touserdata(this.#thread, position)
      if (typeof value === 'object' && value !== null)
        return `a ${this.#called.typeNameOf(value.constructor)}`
    }
    if (type <= TYPE.nil) return 'nil'
    return `a ${bytesToText(lua.lua_typename(this.#thread, type))}`
  }

  fail(message: string): never {
    throw new LuaRaise(message)
  }

  /** Lua type at a position; every reader comes through here. */
  #type(position: number): number {
    if (!this.#isOpen) {
      throw new TypeError(
        `${this.#called.shortName} reads its arguments after it waited; they must be read before`,
      )
    }
    return position > this.argumentCount ? TYPE.none : lua.lua_type(this.#thread, position)
  }

  #isNil(position: number): boolean {
    return this.#type(position) <= TYPE.nil
  }

  #refuse(position: number, name: string, expected: string, got = this.describe(position)): never {
    const { shortName, isMethod } = this.#called
    // As Lua counts for methods: the object is not an argument.
    const shown = isMethod ? position - 1 : position
    const subject = shown === 0 ? `bad self of '${shortName}'` : `bad argument #${shown} to '${shortName}'`
    throw new LuaRaise(`${subject} (${name}: expected ${expected}, got ${got})`)
  }
}

function hasTextKeys(table: LuaTable): table is ReadonlyMap<string, LuaValue> {
  for (const key of table.keys()) if (typeof key !== 'string') return false
  return true
}

function describeRange({ min, max }: NumberRange): string {
  if (min === -Infinity) return `of at most ${formatNumber(max)}`
  if (max === Infinity || max === Number.MAX_SAFE_INTEGER) return `of at least ${formatNumber(min)}`
  return `from ${formatNumber(min)} to ${formatNumber(max)}`
}

function isArray(value: LuaValue): value is readonly LuaValue[] {
  return Array.isArray(value)
}
