/**
 * Puts the functions and types of the table of Lua functions into one Lua state. Lives on the thread of that state.
 * Whatever a host function throws becomes a Lua error at the caller's line; what looks like a fault of ours is reported
 * as well.
 */
import { textToBytes } from '../login/byte-string.ts'
import { messageOf, TrackError } from '../errors.ts'
import { lua } from './fengari.ts'
import type { HostCode, LuaThread } from './fengari-types.ts'
import { LuaHostCall, type CalledFunction } from './host-call.ts'
import { Results, type HostFunction, type HostResult, type HostType } from './host-function.ts'
import { LuaRaise } from './lua-raise.ts'
import type { RunContext } from './run-context.ts'
import type { RefuseCall } from './note-mistakes.ts'
import { pushLibrary, pushText, raise } from './stack.ts'
import type { LuaValues } from './values.ts'
import type { Waiting } from './waiting.ts'

export interface BindingDeps {
  readonly values: LuaValues
  readonly waiting: Waiting
  /** `policy`: functions that only collect settings do nothing. */
  readonly mode: 'configuration' | 'policy'
  readonly currentRun: () => RunContext | undefined
  readonly onBug: (thrown: unknown, where: string) => void
  /** What becomes of a call that is refused; without it, a Lua error at the caller's line. */
  readonly refuse?: RefuseCall
}

export interface Bindings {
  readonly functions: readonly HostFunction[]
  readonly types: readonly HostType[]
}

/**
 * Installs globals (`newCA`), members of global tables (`http.request`) and types with their methods.
 *
 * @throws TypeError when a method's name does not begin with its type's
 */
export function installBindings(L: LuaThread, { functions, types }: Bindings, deps: BindingDeps): void {
  const names = new Map<unknown, string>(types.map(({ hostClass, name }) => [hostClass, name]))
  const typeNameOf = (type: unknown): string =>
    names.get(type) ?? (typeof type === 'function' ? type.name : 'JavaScript object')
  const codeOf = (entry: HostFunction): HostCode => {
    const isMethod = entry.name.includes(':')
    const shortName = isMethod ? entry.name.slice(entry.name.indexOf(':') + 1) : entry.name
    return hostCode(entry, { shortName, isMethod, values: deps.values, typeNameOf }, deps)
  }
  for (const entry of functions) {
    if (!entry.name.includes(':')) installFunction(L, entry.name, codeOf(entry))
  }
  for (const type of types) installType(L, type, { codeOf, deps })
}

function installFunction(L: LuaThread, name: string, code: HostCode): void {
  const dot = name.indexOf('.')
  if (dot === -1) lua.lua_pushglobaltable(L)
  else pushLibrary(L, name.slice(0, dot))
  lua.lua_pushcfunction(L, code)
  lua.lua_setfield(L, -2, textToBytes(name.slice(dot + 1)))
  lua.lua_pop(L, 1)
}

interface TypeContext {
  readonly codeOf: (entry: HostFunction) => HostCode
  readonly deps: BindingDeps
}

function installType(L: LuaThread, type: HostType, { codeOf, deps }: TypeContext): void {
  const { hostClass } = type
  const setCode = (name: string, code: HostCode): void => {
    lua.lua_pushcfunction(L, code)
    lua.lua_setfield(L, -2, textToBytes(name))
  }
  const textAt = (inner: LuaThread, index: number): string => {
    const object = lua.lua_touserdata(inner, index)
    if (object instanceof hostClass) return type.text?.(object) ?? type.name
    const value = deps.values.read(inner, index)
    if (typeof value === 'string' || typeof value === 'number') return String(value)
    return raise(inner, `attempt to concatenate a ${type.name} and a ${typeof value} value`)
  }
  lua.lua_createtable(L, 0, 0)
  lua.lua_createtable(L, 0, 0)
  for (const method of type.methods) {
    const [typeName, methodName] = method.name.split(':')
    if (typeName !== type.name || methodName === undefined) {
      throw new TypeError(`the method ${method.name} does not belong to the type ${type.name}`)
    }
    setCode(methodName, codeOf(method))
  }
  lua.lua_setfield(L, -2, textToBytes('__index'))
  setCode('__tostring', (inner) => {
    pushText(inner, textAt(inner, 1))
    return 1
  })
  setCode('__concat', (inner) => {
    pushText(inner, textAt(inner, 1) + textAt(inner, 2))
    return 1
  })
  setCode('__eq', (inner) => {
    const a = lua.lua_touserdata(inner, 1)
    const b = lua.lua_touserdata(inner, 2)
    const areObjects = typeof a === 'object' && typeof b === 'object' && a !== null && b !== null
    lua.lua_pushboolean(inner, a === b || (areObjects && type.equals?.(a, b) === true))
    return 1
  })
  pushText(L, type.name)
  lua.lua_setfield(L, -2, textToBytes('__name'))
  // getmetatable() gives the name, and setmetatable() cannot change what all instances share.
  pushText(L, type.name)
  lua.lua_setfield(L, -2, textToBytes('__metatable'))
  deps.values.registerType(L, hostClass)
}

function hostCode(entry: HostFunction, called: CalledFunction, deps: BindingDeps): HostCode {
  const isSetting = entry.scope === 'configuration' && deps.mode === 'policy'
  if (isSetting && entry.inPolicyState === undefined) return () => 0
  const { values, waiting, refuse = raise } = deps
  const finish = (L: LuaThread, result: HostResult): number => {
    if (result === undefined) return 0
    try {
      return pushResult(L, result, values)
    } catch (thrown) {
      return raiseThrown(L, thrown)
    }
  }
  const raiseThrown = (L: LuaThread, thrown: unknown): number => {
    if (thrown === L.errorJmp) throw thrown
    if (isBug(thrown)) {
      deps.onBug(thrown, entry.name)
      raise(L, `internal error in '${entry.name}': ${messageOf(thrown)}`)
    }
    return refuse(L, messageOf(thrown))
  }
  return (L) => {
    const run = deps.currentRun()
    if (isSetting && run !== undefined) return 0
    if (deps.mode === 'policy' && isCopyOfConsole(entry, run)) {
      pushText(L, '')
      return entry.scope === 'console' ? 1 : 0
    }
    const refusal = refusalOf(entry, run)
    if (refusal !== undefined) return refuse(L, refusal)
    const call = new LuaHostCall(called, L, run)
    let result: HostResult | Promise<HostResult>
    try {
      const code = isSetting ? entry.inPolicyState : run?.kind === 'console' ? entry.onConsole : undefined
      result = (code ?? entry.run)(call)
    } catch (thrown) {
      return raiseThrown(L, thrown)
    }
    if (!(result instanceof Promise)) return finish(L, result)
    call.close()
    return waiting.suspend(L, { name: entry.name, promise: result, settled: undefined }, (thread, settled) =>
      settled.ok ? finish(thread, settled.value) : raiseThrown(thread, settled.thrown),
    )
  }
}

/**
 * Whether a policy state is asked for what only the configuration's state does: a command of the console, or a function
 * that takes effect at once, on a line that has already run there.
 */
function isCopyOfConsole({ scope, isImmediate }: HostFunction, run: RunContext | undefined): boolean {
  if (scope === 'console') return run === undefined || run.kind === 'console'
  return isImmediate === true && run?.kind === 'console'
}

/** Why the function may not be called here; undefined when it may. */
function refusalOf(
  { name, scope, onConsole }: HostFunction,
  run: RunContext | undefined,
): string | undefined {
  switch (scope) {
    case 'anywhere':
      return undefined
    case 'console':
      return run?.kind === 'console'
        ? undefined
        : `'${name}' is a command of the console and can be called nowhere else`
    case 'registration':
    case 'configuration':
      if (run === undefined) return undefined
      if (run.kind === 'console') {
        return onConsole === undefined
          ? `'${name}' takes effect only in the configuration file: write it there, then call reloadConfig()`
          : undefined
      }
      // A file for the reference may call functions of the configuration in a run; there they do nothing as well.
      return scope === 'registration'
        ? `'${name}' can only be called while the configuration file is executed`
        : undefined
    default:
      return scope satisfies never
  }
}

function pushResult(L: LuaThread, result: HostResult, values: LuaValues): number {
  if (!(result instanceof Results)) {
    values.push(L, result ?? undefined)
    return 1
  }
  lua.lua_checkstack(L, result.values.length)
  for (const value of result.values) values.push(L, value)
  return result.values.length
}

/** Errors that only a fault in our own code throws; every other Error says something about the call or the world. */
function isBug(thrown: unknown): boolean {
  if (thrown instanceof TrackError || thrown instanceof LuaRaise) return false
  if (!(thrown instanceof Error)) return true
  return (
    ['TypeError', 'RangeError', 'ReferenceError', 'SyntaxError', 'AssertionError'].includes(thrown.name) &&
    !('code' in thrown)
  )
}
