/**
 * The report as Lua sees it: a table whose fields are converted when they are first read. Converting strings is most of
 * what a host call costs, and a policy reads a few of the fields. Lives on policy workers; this is the hot path, so it
 * works on the engine's own objects.
 */
import type { DeviceParser } from '../../enrich/device/device-parser.ts'
import { textToBytes } from '../../login/byte-string.ts'
import { ComboAddress } from '../../login/combo-address.ts'
import type { LoginReport } from '../../login/login-report.ts'
import { engine, lua } from '../fengari.ts'
import { TYPE, type HostCode, type LuaThread, type TableObject, type TValue } from '../fengari-types.ts'
import type { LuaState } from '../lua-state.ts'
import type { LuaValue } from '../lua-value.ts'
import { setFunctions } from '../stack.ts'

/** Every field that Lua finds in a LoginTuple. The manual is checked against it. */
export const LOGIN_TUPLE_FIELDS = [
  't',
  'remote',
  'login',
  'pwhash',
  'success',
  'policy_reject',
  'fail_type',
  'attrs',
  'attrs_mv',
  'protocol',
  'tls',
  'device_id',
  'device_attrs',
  'session_id',
] as const
type Field = (typeof LOGIN_TUPLE_FIELDS)[number]

/** Field to a bit of its own. */
const FIELD_BITS: ReadonlyMap<string, number> = new Map(
  LOGIN_TUPLE_FIELDS.map((field, index) => [field, 1 << index]),
)

/** Pushes a report as an argument of the report function; for LuaState.run. */
export type PushLoginTuple = (L: LuaThread, report: LoginReport) => number

/** Fields of which the table gets those at once that earlier reports' policy has read: a look-up through __index costs more. */
const CHEAP_FIELDS = [
  't',
  'remote',
  'login',
  'pwhash',
  'success',
  'policy_reject',
  'fail_type',
  'protocol',
  'tls',
  'device_id',
  'session_id',
] as const satisfies readonly Field[]

class Tuple {
  readonly report: LoginReport
  /** Bits of the fields that Lua has read or assigned: from then on the table itself says what they are, also if nil. */
  known = 0

  constructor(report: LoginReport) {
    this.report = report
  }
}

/** The LoginTuples of one Lua state. */
export function createLoginTuples(state: LuaState, devices: DeviceParser): PushLoginTuple {
  /** Bits of the fields that the policy has read so far. */
  let usual = 0
  const keyOf = createKeys()

  function valueOf(report: LoginReport, field: Field): LuaValue {
    return field === 'remote' ? remoteOf(report) : report[field]
  }

  /** The tuple of the table at stack index 1, which has no such field yet. */
  function tupleAt(L: LuaThread): Tuple | undefined {
    const table = lua.lua_topointer(L, 1)
    if (!(table instanceof engine.Table)) return undefined
    return table.standsFor instanceof Tuple ? table.standsFor : undefined
  }

  const readField: HostCode = (L) => {
    const tuple = tupleAt(L)
    const field = state.read(L, 2)
    if (tuple === undefined || !isField(field) || isKnown(tuple, field)) return 0
    usual |= bitOf(field)
    fill(L, tuple, field)
    return 1
  }

  /** Puts a field into the table itself, so that the next read does not come here, and onto the stack. */
  function fill(L: LuaThread, tuple: Tuple, field: Field): void {
    const table = lua.lua_topointer(L, 1)
    if (table instanceof engine.Table) set(L, table, { tuple, field })
    else state.push(L, undefined)
  }

  function set(
    L: LuaThread,
    table: TableObject,
    { tuple, field }: { readonly tuple: Tuple; readonly field: Field },
  ): void {
    const { report } = tuple
    tuple.known |= bitOf(field)
    if (field === 'device_attrs' && isToBeParsed(report))
      pushTexts(L, state, devices.parse(report.device_id, report.protocol))
    else state.push(L, valueOf(report, field))
    const value = L.stack[L.top - 1]
    if (value !== undefined && value.type !== TYPE.nil) engine.luaH_setfrom(L, table, keyOf(L, field), value)
  }

  const assignField: HostCode = (L) => {
    const field = state.read(L, 2)
    const tuple = tupleAt(L)
    if (tuple !== undefined && isField(field)) tuple.known |= bitOf(field)
    lua.lua_rawset(L, 1)
    return 0
  }

  /** pairs(lt) shows every field, so all of them are filled first. */
  const iterate: HostCode = (L) => {
    const tuple = tupleAt(L)
    if (tuple !== undefined) {
      for (const field of LOGIN_TUPLE_FIELDS) {
        if (isKnown(tuple, field)) continue
        fill(L, tuple, field)
        lua.lua_pop(L, 1)
      }
    }
    lua.lua_getglobal(L, NEXT)
    lua.lua_pushvalue(L, 1)
    lua.lua_pushnil(L)
    return 3
  }

  let metatable: TableObject | undefined
  return (L, report) => {
    metatable ??= createMetatable(L, { __index: readField, __newindex: assignField, __pairs: iterate })
    const table = engine.luaH_new(L)
    table.metatable = metatable
    const tuple = new Tuple(report)
    table.standsFor = tuple
    for (const field of CHEAP_FIELDS) {
      if ((usual & bitOf(field)) === 0) continue
      set(L, table, { tuple, field })
      lua.lua_pop(L, 1)
    }
    L.stack[L.top] = new engine.TValue(TYPE.table, table)
    L.top += 1
    return 1
  }
}

/** As state.push does it, but every text is made once: devices are few, and each says a dozen things of itself. */
function pushTexts(L: LuaThread, state: LuaState, texts: Readonly<Record<string, string>>): void {
  const slot = (text: string): TValue => new engine.TValue(TYPE.longString, state.constant(text))
  const table = engine.luaH_new(L)
  for (const name of Object.keys(texts)) engine.luaH_setfrom(L, table, slot(name), slot(texts[name] ?? ''))
  L.stack[L.top] = new engine.TValue(TYPE.table, table)
  L.top += 1
}

function createMetatable(L: LuaThread, methods: Readonly<Record<string, HostCode>>): TableObject {
  lua.lua_createtable(L, 0, 0)
  setFunctions(L, methods)
  const made = lua.lua_topointer(L, -1)
  lua.lua_pop(L, 1)
  if (!(made instanceof engine.Table)) throw new TypeError('the engine made no table')
  return made
}

/** The fields' names as Lua strings, made once for a state. */
function createKeys(): (L: LuaThread, field: Field) => TValue {
  const keys = new Map<Field, TValue>()
  return (L, field) => {
    const known = keys.get(field)
    if (known !== undefined) return known
    const made = new engine.TValue(TYPE.longString, engine.luaS_bless(L, textToBytes(field)))
    keys.set(field, made)
    return made
  }
}

const NEXT = textToBytes('next')

function isField(field: LuaValue): field is Field {
  return typeof field === 'string' && FIELD_BITS.has(field)
}

function bitOf(field: Field): number {
  return FIELD_BITS.get(field) ?? 0
}

function isKnown({ known }: Tuple, field: Field): boolean {
  return (known & bitOf(field)) !== 0
}

function remoteOf(report: LoginReport): ComboAddress {
  // Canonical since it was validated, so its family shows in one character.
  return new ComboAddress(report.remote, report.remote_port, report.remote.includes(':') ? 6 : 4)
}

/** Whether the device id is to say what the sender did not. */
function isToBeParsed({ device_attrs, device_id }: LoginReport): boolean {
  for (const _ in device_attrs) return false
  return device_id !== ''
}
