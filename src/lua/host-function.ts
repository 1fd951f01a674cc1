/**
 * What a Lua function written in TypeScript looks like: its entry in the table of functions, and what it is given
 * when Lua calls it. The manual and the console's help are checked against these entries.
 * Used on the configuration thread and on policy workers.
 */
import type { LuaFunction, LuaValue } from './lua-value.ts'
import type { RunContext } from './run-context.ts'

/**
 * What a host function answers: nothing, one Lua value, several (`results(a, b)`), or a promise of these. A promise
 * suspends the calling coroutine until it settles; a rejection becomes a Lua error at the caller's line.
 */
export type HostResult = LuaValue | Results | void
/** Several results of one call. */
export class Results {
  readonly values: readonly LuaValue[]
  constructor(values: readonly LuaValue[]) {
    this.values = values
  }
}
export function results(...values: readonly LuaValue[]): Results {
  return new Results(values)
}

type HostCode = (call: HostCall) => HostResult | Promise<HostResult>

/** One entry of the table of Lua functions. */
export interface HostFunction {
  /** `newCA`, `http.request` for a member of a global table, or `ComboAddress:tostring` for a method. */
  readonly name: string
  /** The call as a user writes it: `addACL(netmask)`. */
  readonly usage: string
  /** One sentence for help and the manual's index. */
  readonly summary: string
  /**
   * `configuration`: does its work while settings are collected, and nothing in a policy state. `registration`: works
   * in every state while the configuration file runs, and not inside a run. `anywhere`: always. `console`: a command; works
   * on lines of the console alone.
   */
  readonly scope: 'configuration' | 'registration' | 'anywhere' | 'console'
  /**
   * It has an effect, or asks somebody outside, at once and not at the end of the run. The policy states run lines of the
   * console too, for the sake of variables: there it does nothing and answers nothing, so that it happens once.
   */
  readonly isImmediate?: true
  readonly run: HostCode
  /** What a function of the configuration does while the file runs in a policy state, instead of nothing. */
  readonly inPolicyState?: HostCode
  /** What it does on the console, for a function of the configuration that can take effect while the server runs. */
  readonly onConsole?: HostCode
}

/** Limits of a numeric argument; both ends are allowed values. */
export interface NumberRange {
  readonly min: number
  readonly max: number
}

/**
 * The arguments of one call from Lua. Positions count from 1; for a method, position 1 is the object. Each reader
 * raises a Lua error at the caller's file and line when the argument is of another type, saying position, name,
 * what was expected and what came. `nil` and a missing argument are the same.
 */
export interface HostCall {
  readonly argumentCount: number
  /** The run in progress; undefined while the configuration file itself is executed. */
  readonly run: RunContext | undefined
  /** A string, or a number's text. */
  string(position: number, name: string): string
  optionalString(position: number, name: string): string | undefined
  /** The bytes of a string, or of a number's text, undefined for anything else. They are Lua's: not to be changed. */
  bytesIf(position: number): Uint8Array | undefined
  /** A number, or a string that Lua would convert to one. */
  number(position: number, name: string, range?: NumberRange): number
  optionalNumber(position: number, name: string, range?: NumberRange): number | undefined
  /** As `number`, but whole. */
  integer(position: number, name: string, range: NumberRange): number
  boolean(position: number, name: string): boolean
  optionalBoolean(position: number, name: string): boolean | undefined
  /** A table that is an array. An empty table is an empty array. */
  array(position: number, name: string): readonly LuaValue[]
  arrayOfStrings(position: number, name: string): readonly string[]
  /** A table read by its keys, numeric keys as their text. */
  record(position: number, name: string): ReadonlyMap<string, LuaValue>
  optionalRecord(position: number, name: string): ReadonlyMap<string, LuaValue> | undefined
  /** An instance of a class that was registered as a host type, e.g. a ComboAddress. */
  object<T extends object>(position: number, name: string, type: abstract new (...args: never[]) => T): T
  /** As `object`, undefined for anything else. */
  objectIf<T extends object>(position: number, type: abstract new (...args: never[]) => T): T | undefined
  function(position: number, name: string): LuaFunction
  /** Any value, converted. */
  value(position: number): LuaValue
  /** What is at a position, for messages: `nil`, `a table`, `a Netmask`. */
  describe(position: number): string
  /** Raises a Lua error whose text begins with the caller's file and line. */
  fail(message: string): never
}

/** A TypeScript class whose instances Lua code can hold: a userdata with these methods. */
export interface HostType {
  /** What `type errors` and tostring() call it: `ComboAddress`. */
  readonly name: string
  readonly hostClass: abstract new (...args: never[]) => object
  /** Named `Type:method` in the table of functions. Position 1 of the call is the object. */
  readonly methods: readonly HostFunction[]
  /** For tostring(object) and string concatenation; the type's name if absent. */
  readonly text?: (object: object) => string
  /** For `==` between two of them; identity if absent. */
  readonly equals?: (a: object, b: object) => boolean
}
