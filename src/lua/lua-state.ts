/**
 * One Lua state: the engine, the 5.1 compatibility layer, the server's functions, and calls into it. Lives on the thread
 * that made it (configuration thread or policy worker) and is used from no other.
 */
import { bytesToText, textToBytes } from '../login/byte-string.ts'
import { Calls, failure, type CallLimits, type CallOutcome } from './calls.ts'
import { installCompatibility } from './compat/install-compatibility.ts'
import { pushConsoleLine } from './console-line.ts'
import { lua } from './fengari.ts'
import type { LuaThread, TString } from './fengari-types.ts'
import { globalNames } from './global-names.ts'
import type { HostFunction, HostType } from './host-function.ts'
import { installBindings } from './host-bindings.ts'
import { loadBytes, loadSource } from './load-chunk.ts'
import { LuaRaise } from './lua-raise.ts'
import type { LuaFunction, LuaValue } from './lua-value.ts'
import { nativeErrorHandler } from './native-errors.ts'
import { noteMistakes } from './note-mistakes.ts'
import type { RunContext } from './run-context.ts'
import { createLuaValues } from './values.ts'
import { Waiting } from './waiting.ts'

export type { CallOutcome } from './calls.ts'

export interface LuaStateOptions {
  readonly functions: readonly HostFunction[]
  readonly types: readonly HostType[]
  /** In `policy` mode functions of scope `configuration` exist and do nothing. */
  readonly mode: 'configuration' | 'policy'
  /** Unix milliseconds; what os.time(), os.date() and os.clock() go by. */
  readonly clock: () => number
  /** Where `require` looks for modules written in Lua: NAME.lua and NAME/init.lua. */
  readonly moduleFolder: string
  /** Default: 2000 ms of processor time, 30,000 ms altogether. */
  readonly limits?: Partial<CallLimits>
  /** What print() and io.write() put out, as they would write it: print's text ends with a newline. */
  readonly print: (text: string) => void
  /** Environment variables that os.getenv() shows; none by default. */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** False: Lua code can read files, and what it writes or removes stays as it is. Default true. */
  readonly changesFiles?: boolean
  /**
   * Told of every call that is refused, with file and line; such a call answers nothing then, and the code goes on.
   * Without it a refused call is an error.
   */
  readonly onMistake?: (message: string) => void
  /** Told of every line that runs, with the name of its chunk such as `@/path/of/file`; for coverage alone. */
  readonly onLine?: (chunkName: Uint8Array, line: number) => void
  /** Told of faults in our own code that a Lua call ran into; the call gets an error anyway. */
  readonly onBug?: (thrown: unknown, where: string) => void
}

/**
 * Arguments of a call: values, or a function that pushes them itself and answers how many it pushed (at most 15, unless
 * it makes room with lua_checkstack). It may throw LuaRaise.
 */
export type CallArguments = readonly LuaValue[] | ((L: LuaThread) => number)

export interface LuaState {
  /**
   * Calls a function of this state. Answers at once if the Lua code never waits, else with a promise, which is never
   * rejected. While it waits, other calls may run; `run` is the context of this one all along.
   */
  run(run: RunContext | undefined, fn: LuaFunction, args: CallArguments): CallOutcome | Promise<CallOutcome>
  /**
   * Runs the configuration file. It is given as bytes, so that every state runs the same even if the file is edited in
   * between; messages name it by its path. A syntax error is an outcome.
   */
  runSource(source: Uint8Array, path: string): CallOutcome | Promise<CallOutcome>
  /**
   * Runs source text.
   *
   * @param chunkName - how messages call it: `console`
   */
  runText(text: string, chunkName: string, run?: RunContext): CallOutcome | Promise<CallOutcome>
  /**
   * Runs a line of the console, an expression or statements. The outcome's one value is the text that shows what the line
   * returned; none when it returned nothing.
   *
   * @param limits - of this line; those of the state if not given
   */
  runLine(line: string, run: RunContext, limits?: CallLimits): CallOutcome | Promise<CallOutcome>
  /** Pushes a value; for arguments that push themselves. */
  push(L: LuaThread, value: LuaValue): void
  /** The value at a stack index of a running host function. */
  read(L: LuaThread, index: number): LuaValue
  /** A byte string that is made once and kept, for texts that are pushed again and again. */
  constant(text: string): TString
  /** Names of global variables, and of what global tables have: `string.format`. Sorted. */
  globalNames(): readonly string[]
  /** Calls that wait at this moment. */
  readonly waitingCount: number
  /** Of the call that has the thread; undefined outside of one. */
  readonly currentRun: RunContext | undefined
  /** Ends waiting calls with an error. The state must not be used afterwards. */
  close(): void
}

const DEFAULT_LIMITS: CallLimits = { cpuMs: 2000, wallMs: 30_000 }

/** Makes a state with everything in it; it has run nothing yet. */
export function createLuaState(options: LuaStateOptions): LuaState {
  const state = lua.luaL_newstate()
  const onBug = options.onBug ?? (() => undefined)
  lua.lua_atnativeerror(state, nativeErrorHandler(onBug))
  const values = createLuaValues(state)
  const waiting: Waiting = new Waiting({ checkLimits: (L) => calls.checkLimits(L) })
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const calls: Calls = new Calls({ state, values, limits, waiting: () => waiting, onLine: options.onLine })
  const { clock, moduleFolder, print, environment = {}, changesFiles = true, onMistake } = options
  installCompatibility(state, { waiting, clock, moduleFolder, print, environment, changesFiles })
  installBindings(state, options, {
    values,
    waiting,
    mode: options.mode,
    currentRun: () => calls.currentRun,
    onBug,
    ...(onMistake === undefined ? {} : { refuse: noteMistakes(state, onMistake) }),
  })
  lua.lua_settop(state, 0)

  let isClosed = false
  const call = (
    run: RunContext | undefined,
    prepare: (L: LuaThread) => number,
    ownLimits?: CallLimits,
  ): ReturnType<LuaState['run']> =>
    isClosed ? failure('TRK_LUA_ERROR', 'the Lua state is closed') : calls.call(run, prepare, ownLimits)
  const pushArguments = (L: LuaThread, args: CallArguments): number => {
    if (typeof args === 'function') return args(L)
    lua.lua_checkstack(L, args.length)
    for (const value of args) values.push(L, value)
    return args.length
  }
  const runLoaded = (
    run: RunContext | undefined,
    load: (L: LuaThread) => boolean,
  ): ReturnType<LuaState['run']> =>
    call(run, (L) => {
      if (load(L)) return 0
      throw new LuaRaise(bytesToText(lua.luaL_tolstring(L, -1)))
    })
  return {
    run(run, fn, args) {
      return call(run, (L) => {
        values.push(L, fn)
        return pushArguments(L, args)
      })
    },
    runSource: (source, path) => runLoaded(undefined, (L) => loadSource(L, source, path)),
    runText: (text, chunkName, run) =>
      runLoaded(run, (L) => loadBytes(L, textToBytes(text), textToBytes(`=${chunkName}`))),
    runLine: (line, run, ownLimits) => call(run, (L) => pushConsoleLine(L, line), ownLimits),
    push: (L, value) => values.push(L, value),
    read: (L, index) => values.read(L, index),
    constant: (text) => values.constant(text),
    globalNames: () => (isClosed ? [] : globalNames(state)),
    get currentRun() {
      return calls.currentRun
    },
    get waitingCount() {
      return calls.waitingCount
    },
    close() {
      if (isClosed) return
      isClosed = true
      calls.giveUpAll('the Lua state was closed while the function waited')
      lua.lua_close(state)
    },
  }
}
