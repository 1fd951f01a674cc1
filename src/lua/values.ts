/**
 * Converts values between JavaScript and one Lua state, as lua-value.ts says. Works on the engine's own value slots, which
 * is several times faster than its stack functions. Lives on the thread of its state; runs no Lua code.
 */
import { bytesToText, textToBytes } from '../login/byte-string.ts'
import { engine, lua } from './fengari.ts'
import {
  TYPE,
  type LuaThread,
  type TableObject,
  type TString,
  type TValue,
  type UserdataObject,
} from './fengari-types.ts'
import type { LuaFunction, LuaTable, LuaValue } from './lua-value.ts'
import { LuaRaise } from './lua-raise.ts'

/** A table in a table, and so on: deeper is a cycle, or as bad as one. */
const MAX_DEPTH = 64
/** Lua functions that JavaScript may hold; each stays for the life of the state. */
const MAX_FUNCTIONS = 100_000
/** Texts of keys whose byte strings are kept; when it is full it starts anew. */
const MAX_CACHED_KEYS = 4096

const TYPE_NAMES: Readonly<Record<number, string>> = {
  [TYPE.table]: 'table',
  [TYPE.function]: 'function',
  [TYPE.thread]: 'coroutine',
}

/** The light userdata that stands for JSON's null in Lua. */
export const JSON_NULL = Object.freeze({ text: 'null' })

export interface LuaValues {
  /**
   * Pushes one value.
   *
   * @throws LuaRaise when it is nested too deeply, or has no counterpart in Lua
   */
  push(L: LuaThread, value: LuaValue): void
  /**
   * The value at a stack index.
   *
   * @throws LuaRaise when it is nested too deeply, or has no counterpart in JavaScript
   */
  read(L: LuaThread, index: number): LuaValue
  /** The byte string of a text that is pushed again and again, such as a field's name: made once, hashed once. */
  constant(text: string): TString
  /** Gives the instances of a class the metatable on top of the stack, which is popped. */
  registerType(L: LuaThread, type: HostClass): void
  /** How many Lua functions JavaScript holds. */
  readonly functionCount: number
}

type HostClass = abstract new (...args: never[]) => object

export function createLuaValues(state: LuaThread): LuaValues {
  return new Values(state)
}

/** On host objects. A WeakMap would cost every garbage collection for as many addresses as it holds. */
const USERDATA = Symbol('userdata')

/** A host object, with the userdata that stands for it in the Lua state that saw it last. */
interface Holder {
  [USERDATA]?: { readonly values: Values; readonly userdata: UserdataObject }
}

class Values implements LuaValues {
  readonly #state: LuaThread
  readonly #constants = new Map<string, TString>()
  readonly #metatables = new Map<unknown, TableObject>()
  readonly #functions: TValue[] = []
  readonly #handles = new WeakMap<object, LuaFunction>()

  constructor(state: LuaThread) {
    this.#state = state
  }

  get functionCount(): number {
    return this.#functions.length
  }

  push(L: LuaThread, value: LuaValue): void {
    // Converted before the stack is touched, so that a refused value leaves nothing there.
    const slot = this.#toSlot(value, 0)
    L.stack[L.top] = slot
    L.top += 1
  }

  read(L: LuaThread, index: number): LuaValue {
    switch (lua.lua_type(L, index)) {
      case TYPE.none:
      case TYPE.nil:
        return undefined
      case TYPE.boolean:
        return lua.lua_toboolean(L, index)
      case TYPE.number:
        return Number(lua.lua_tonumberx(L, index))
      case TYPE.string:
        return bytesToText(lua.lua_tolstring(L, index) ?? new Uint8Array(0))
      default:
        return this.#readStacked(L, index)
    }
  }

  constant(text: string): TString {
    const known = this.#constants.get(text)
    if (known !== undefined) return known
    if (this.#constants.size >= MAX_CACHED_KEYS) this.#constants.clear()
    const made = engine.luaS_bless(this.#state, textToBytes(text))
    this.#constants.set(text, made)
    return made
  }

  registerType(L: LuaThread, type: HostClass): void {
    const metatable = lua.lua_topointer(L, -1)
    if (metatable instanceof engine.Table) this.#metatables.set(type, metatable)
    lua.lua_pop(L, 1)
  }

  #readStacked(L: LuaThread, index: number): LuaValue {
    lua.lua_pushvalue(L, index)
    const slot = L.stack[L.top - 1]
    lua.lua_pop(L, 1)
    return slot === undefined ? undefined : this.#fromSlot(slot, 0)
  }

  #fromSlot(slot: TValue, depth: number): LuaValue {
    const { value } = slot
    switch (slot.ttnov()) {
      case TYPE.nil:
        return undefined
      case TYPE.boolean:
        return value === true
      case TYPE.number:
        return Number(value)
      case TYPE.string:
        return bytesToText(bytesOf(slot))
      case TYPE.table:
        if (value instanceof engine.Table) return this.#fromTable(value, depth + 1)
        break
      case TYPE.function:
        return this.#handleOf(slot)
      case TYPE.userdata:
        if (value instanceof engine.Udata && typeof value.data === 'object' && value.data !== null)
          return value.data
        break
      case TYPE.lightUserdata:
        if (value === JSON_NULL) return null
        break
    }
    throw new LuaRaise(`a ${typeName(slot)} cannot be passed to the server`)
  }

  #fromTable(table: TableObject, depth: number): LuaValue {
    checkDepth(depth)
    const count = table.strong.size
    const array: LuaValue[] = []
    let entry = table.f
    // Keys that are all different and all within 1..count are exactly 1..count.
    for (; entry !== undefined && isIndex(entry.key.value, count); entry = entry.n) {
      array[Number(entry.key.value) - 1] = this.#fromSlot(entry.value, depth)
    }
    if (entry === undefined && count > 0) return array
    const map = new Map<string | number | boolean, LuaValue>()
    for (let at = table.f; at !== undefined; at = at.n) {
      map.set(keyOf(at.key), this.#fromSlot(at.value, depth))
    }
    return map
  }

  #handleOf(slot: TValue): LuaFunction {
    const identity = identityOf(slot.value)
    const known = this.#handles.get(identity)
    if (known !== undefined) return known
    if (this.#functions.length >= MAX_FUNCTIONS) {
      throw new LuaRaise(
        `more than ${MAX_FUNCTIONS} different functions were passed to the server; make them once, not in each run`,
      )
    }
    const handle: LuaFunction = Object.freeze({ kind: 'lua-function', reference: this.#functions.length })
    this.#functions.push(new engine.TValue(slot.type, slot.value))
    this.#handles.set(identity, handle)
    return handle
  }

  #toSlot(value: LuaValue, depth: number): TValue {
    switch (typeof value) {
      case 'undefined':
        return new engine.TValue(TYPE.nil, null)
      case 'boolean':
        return new engine.TValue(TYPE.boolean, value)
      case 'number':
        return new engine.TValue(TYPE.number, value)
      case 'string':
        return new engine.TValue(TYPE.longString, engine.luaS_bless(this.#state, textToBytes(value)))
      case 'object':
        return value === null ? new engine.TValue(TYPE.nil, null) : this.#objectToSlot(value, depth + 1)
      default:
        throw new LuaRaise(`a JavaScript ${typeof value} cannot be passed to Lua`)
    }
  }

  #objectToSlot(value: object, depth: number): TValue {
    const metatable = this.#metatableOf(value)
    if (metatable !== undefined) return new engine.TValue(TYPE.userdata, this.#userdataOf(value, metatable))
    if (isLuaFunction(value)) {
      const kept = this.#functions[value.reference]
      if (kept === undefined) throw new LuaRaise('a function of another Lua state cannot be passed to Lua')
      return new engine.TValue(kept.type, kept.value)
    }
    checkDepth(depth)
    const table = engine.luaH_new(this.#state)
    if (isArray(value)) {
      for (const [index, item] of value.entries()) this.#setIndex(table, index + 1, this.#toSlot(item, depth))
    } else if (isMap(value)) {
      for (const [key, item] of value) this.#setKey(table, this.#keySlot(key), this.#toSlot(item, depth))
    } else if (isRecord(value)) {
      for (const key of Object.keys(value))
        this.#setKey(table, this.#keySlot(key), this.#toSlot(value[key], depth))
    } else {
      throw new LuaRaise(`an instance of the class ${value.constructor.name} cannot be passed to Lua`)
    }
    return new engine.TValue(TYPE.table, table)
  }

  /** The same object is always the same userdata, so that Lua can compare it and use it as a key. */
  #userdataOf(value: object, metatable: TableObject): UserdataObject {
    const holder: Holder = value
    const known = holder[USERDATA]
    if (known !== undefined && known.values === this) return known.userdata
    const made = new engine.Udata(this.#state, 0)
    made.data = value
    made.metatable = metatable
    if (Object.isExtensible(value)) holder[USERDATA] = { values: this, userdata: made }
    return made
  }

  #metatableOf(value: object): TableObject | undefined {
    let prototype: unknown = Object.getPrototypeOf(value)
    while (typeof prototype === 'object' && prototype !== null && prototype !== Object.prototype) {
      const metatable = this.#metatables.get(prototype.constructor)
      if (metatable !== undefined) return metatable
      prototype = Object.getPrototypeOf(prototype)
    }
    return undefined
  }

  #keySlot(key: string | number | boolean): TValue {
    if (typeof key === 'string') return new engine.TValue(TYPE.longString, this.constant(key))
    if (Number.isNaN(key)) throw new LuaRaise('NaN cannot be a key of a Lua table')
    return new engine.TValue(typeof key === 'number' ? TYPE.number : TYPE.boolean, key)
  }

  #setIndex(table: TableObject, index: number, slot: TValue): void {
    if (slot.type !== TYPE.nil) engine.luaH_setint(table, index, slot)
  }

  #setKey(table: TableObject, key: TValue, slot: TValue): void {
    if (slot.type !== TYPE.nil) engine.luaH_setfrom(this.#state, table, key, slot)
  }
}

/** A closure is an object, a plain host function a JavaScript function. */
function identityOf(value: unknown): object {
  if ((typeof value === 'object' && value !== null) || typeof value === 'function') return value
  throw new LuaRaise('this function cannot be passed to the server')
}

function checkDepth(depth: number): void {
  if (depth > MAX_DEPTH) {
    throw new LuaRaise(`a table is nested more than ${MAX_DEPTH} levels deep, or contains itself`)
  }
}

function keyOf(key: TValue): string | number | boolean {
  switch (key.ttnov()) {
    case TYPE.string:
      return bytesToText(bytesOf(key))
    case TYPE.number:
      return Number(key.value)
    case TYPE.boolean:
      return key.value === true
    default:
      throw new LuaRaise(`a table with a ${typeName(key)} as key cannot be passed to the server`)
  }
}

function bytesOf(slot: TValue): Uint8Array {
  const { value } = slot
  return typeof value === 'object' &&
    value !== null &&
    'realstring' in value &&
    value.realstring instanceof Uint8Array
    ? value.realstring
    : new Uint8Array(0)
}

function isIndex(key: unknown, count: number): boolean {
  return typeof key === 'number' && Number.isInteger(key) && key >= 1 && key <= count
}

function typeName(slot: TValue): string {
  return TYPE_NAMES[slot.ttnov()] ?? 'userdata'
}

function isLuaFunction(value: object): value is LuaFunction {
  return (
    'kind' in value &&
    value.kind === 'lua-function' &&
    'reference' in value &&
    typeof value.reference === 'number'
  )
}

function isArray(value: object): value is readonly LuaValue[] {
  return Array.isArray(value)
}

function isMap(value: object): value is LuaTable {
  return value instanceof Map
}

function isRecord(value: object): value is { readonly [key: string]: LuaValue } {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
