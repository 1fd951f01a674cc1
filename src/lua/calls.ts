/**
 * Calls of Lua functions from JavaScript: a coroutine for each, limits on processor time and on wall-clock time, and
 * the wait for promises. Belongs to one Lua state and lives on its thread.
 *
 * A call is running (its coroutine has the thread), waiting (it has yielded for a promise; a timer guards it) or ended.
 * A call that fails, or is given up while it waits, loses its coroutine; one that ends well leaves it for the next.
 */
import { bytesToText, textToBytes } from '../login/byte-string.ts'
import type { ErrorCode } from '../errors.ts'
import { lua } from './fengari.ts'
import {
  HOOK_COUNT_MASK,
  HOOK_EVENT,
  HOOK_LINE_MASK,
  STATUS,
  TYPE,
  type DebugRecord,
  type LuaThread,
} from './fengari-types.ts'
import { LuaRaise } from './lua-raise.ts'
import type { LuaValue } from './lua-value.ts'
import type { RunContext } from './run-context.ts'
import { pushText } from './stack.ts'
import type { LuaValues } from './values.ts'
import type { Settled, Waiting } from './waiting.ts'

/** What a call has ended with. Failures are values: a policy's error is an outcome of a report. */
export type CallOutcome =
  | { readonly ok: true; readonly values: readonly LuaValue[] }
  | { readonly ok: false; readonly error: CallError }

export interface CallError {
  readonly code: Extract<ErrorCode, 'TRK_LUA_ERROR' | 'TRK_LUA_CPU_LIMIT' | 'TRK_LUA_WALL_LIMIT'>
  /** Begins with file and line where they are known. */
  readonly message: string
  /** Lua's own, with the configuration's file and lines; empty when the state no longer knew. */
  readonly traceback: string
}

export interface CallLimits {
  /** Milliseconds that the call's Lua code may run; waiting does not count. */
  readonly cpuMs: number
  /** Milliseconds from the call's start to its end, waiting included. */
  readonly wallMs: number
}

export interface CallsDeps {
  readonly state: LuaThread
  readonly values: LuaValues
  readonly limits: CallLimits
  /** Given late: what waits must be able to ask for the limits. */
  readonly waiting: () => Waiting
  /** Told of every line that runs, with the name of its chunk; it makes everything slower by far. */
  readonly onLine?: ((chunkName: Uint8Array, line: number) => void) | undefined
}

const SOURCE = textToBytes('S')

/** Lua instructions between two looks at the clock: a millisecond or so, and a thousandth of the time spent on looking. */
const HOOK_INSTRUCTIONS = 10_000
const LOOK_EVERY_MS = 1
/**
 * After a limit was hit every further instruction raises the error again, so that a policy that catches it cannot go on.
 * More than one would not do: in `while true do pcall(endless) end` the count would always run out inside `endless`.
 */
const HOOK_INSTRUCTIONS_AFTER_LIMIT = 1
/** A call begins with the thread's processor time as it was up to so long ago; asking the system costs as much as a host call. */
const SAMPLE_MS = 1
const MAX_IDLE_COROUTINES = 32
/** A coroutine whose stack has grown beyond this many slots is not kept. */
const MAX_IDLE_STACK = 4096
const NOTHING: CallOutcome = Object.freeze({ ok: true, values: Object.freeze([]) })

interface Call {
  readonly thread: LuaThread
  readonly run: RunContext | undefined
  readonly limits: CallLimits
  readonly wallDeadlineMs: number
  /** Before the present stretch of running. */
  cpuUsedMs: number
  /** The thread's processor time when the present stretch began. */
  threadStartMs: number
  nextLookMs: number
  limitError: CallError | undefined
}

/** A call that waits: how to end it from outside. */
type GiveUp = (error: Omit<CallError, 'traceback'>) => void

export class Calls {
  readonly #deps: CallsDeps
  readonly #idle: LuaThread[] = []
  readonly #waitingCalls = new Map<Call, GiveUp>()
  #current: Call | undefined = undefined
  /** The thread's processor time, and when it was that. */
  readonly #sample = { threadMs: 0, takenAtMs: -Infinity }

  constructor(deps: CallsDeps) {
    this.#deps = deps
    // Coroutines take their hook over from the one that makes them, policies' own coroutines too.
    const mask = deps.onLine === undefined ? HOOK_COUNT_MASK : HOOK_COUNT_MASK | HOOK_LINE_MASK
    lua.lua_sethook(deps.state, (L, record) => this.#onEvent(L, record), mask, HOOK_INSTRUCTIONS)
  }

  get currentRun(): RunContext | undefined {
    return this.#current?.run
  }

  /** Calls that wait at this moment. */
  get waitingCount(): number {
    return this.#waitingCalls.size
  }

  /**
   * Calls a function in a coroutine of its own. Answers at once if the Lua code never waits, with a promise otherwise;
   * the promise is never rejected.
   *
   * @param prepare - pushes the function and its arguments, and answers how many arguments; it may throw LuaRaise
   * @param limits - of this call, where they are not those of the state
   */
  call(
    run: RunContext | undefined,
    prepare: (L: LuaThread) => number,
    limits: CallLimits = this.#deps.limits,
  ): CallOutcome | Promise<CallOutcome> {
    const thread = this.#idle.pop() ?? this.#newCoroutine()
    let argumentCount: number
    try {
      argumentCount = prepare(thread)
    } catch (thrown) {
      lua.lua_settop(thread, 0)
      this.#idle.push(thread)
      if (thrown instanceof LuaRaise) return failure('TRK_LUA_ERROR', thrown.message)
      throw thrown
    }
    const nowMs = performance.now()
    const wallDeadlineMs = nowMs + limits.wallMs
    const call: Call = {
      thread,
      run,
      limits,
      wallDeadlineMs,
      cpuUsedMs: 0,
      threadStartMs: this.#recentThreadMs(nowMs),
      nextLookMs: nowMs,
      limitError: undefined,
    }
    return this.#resume(call, argumentCount) ?? this.#wait(call)
  }

  /** Raises the limit's error when the running call has none left; called where a hook might come too late. */
  checkLimits(L: LuaThread): void {
    this.#onHook(L)
  }

  /** Ends all waiting calls. */
  giveUpAll(message: string): void {
    for (const giveUp of this.#waitingCalls.values()) giveUp({ code: 'TRK_LUA_ERROR', message })
  }

  #newCoroutine(): LuaThread {
    const { state } = this.#deps
    const thread = lua.lua_newthread(state)
    // JavaScript's garbage collector keeps it for us; it needs no place in Lua's registry.
    lua.lua_pop(state, 1)
    this.#deps.waiting().addRoot(thread)
    return thread
  }

  /** Of a moment ago: no more processor time than SAMPLE_MS can have been used since. */
  #recentThreadMs(nowMs: number): number {
    const sample = this.#sample
    if (nowMs - sample.takenAtMs > SAMPLE_MS) {
      sample.threadMs = threadMs()
      sample.takenAtMs = nowMs
    }
    return sample.threadMs
  }

  /** Runs the call's coroutine until it ends, or waits; undefined means that it waits. */
  #resume(call: Call, argumentCount: number): CallOutcome | undefined {
    const before = this.#current
    this.#current = call
    const status = lua.lua_resume(call.thread, null, argumentCount)
    this.#current = before
    if (call.limitError !== undefined) return { ok: false, error: call.limitError }
    switch (status) {
      case STATUS.ok:
        return this.#finished(call.thread)
      case STATUS.yield:
        call.cpuUsedMs += threadMs() - call.threadStartMs
        return undefined
      default:
        return this.#failed(call.thread)
    }
  }

  #finished(thread: LuaThread): CallOutcome {
    const count = lua.lua_gettop(thread)
    let outcome = NOTHING
    try {
      if (count > 0) outcome = { ok: true, values: this.#readAll(thread, count) }
    } catch (thrown) {
      if (!(thrown instanceof LuaRaise)) throw thrown
      outcome = failure('TRK_LUA_ERROR', `the function's result cannot be used: ${thrown.message}`)
    }
    lua.lua_settop(thread, 0)
    if (this.#idle.length < MAX_IDLE_COROUTINES && thread.stack.length <= MAX_IDLE_STACK) {
      letGo(thread)
      this.#idle.push(thread)
    }
    return outcome
  }

  #readAll(thread: LuaThread, count: number): readonly LuaValue[] {
    const values: LuaValue[] = []
    // The engine does not make the frame larger for many results.
    lua.lua_checkstack(thread, 0)
    for (let index = 1; index <= count; index++) values.push(this.#deps.values.read(thread, index))
    return values
  }

  #failed(thread: LuaThread): CallOutcome {
    const message = errorText(thread)
    return { ok: false, error: { code: 'TRK_LUA_ERROR', message, traceback: this.#traceback(thread, 0) } }
  }

  #wait(call: Call): Promise<CallOutcome> {
    return new Promise((resolve) => {
      const leftMs = Math.max(0, call.wallDeadlineMs - performance.now())
      const { wallMs } = call.limits
      let wait = this.#deps.waiting().takePending()
      const end = (outcome: CallOutcome): void => {
        clearTimeout(timer)
        this.#waitingCalls.delete(call)
        resolve(outcome)
      }
      const giveUp: GiveUp = (error) => {
        if (!this.#waitingCalls.has(call)) return
        end({ ok: false, error: { ...error, traceback: this.#traceback(call.thread, 1) } })
      }
      const timer = setTimeout(() => {
        const message = `the function took longer than ${wallMs} ms, and waited for '${wait?.name ?? '?'}' at the end`
        giveUp({ code: 'TRK_LUA_WALL_LIMIT', message })
      }, leftMs)
      const onSettled = (settled: Settled): void => {
        // Given up in the meantime.
        if (!this.#waitingCalls.has(call)) return
        if (wait !== undefined) wait.settled = settled
        call.nextLookMs = performance.now()
        call.threadStartMs = threadMs()
        const outcome = this.#resume(call, 0)
        if (outcome !== undefined) return end(outcome)
        wait = this.#deps.waiting().takePending()
        listen()
      }
      const listen = (): void => {
        if (wait === undefined)
          return end(failure('TRK_LUA_ERROR', 'the function yielded outside a coroutine'))
        wait.promise.then(
          (value) => onSettled({ ok: true, value }),
          (thrown: unknown) => onSettled({ ok: false, thrown }),
        )
      }
      this.#waitingCalls.set(call, giveUp)
      listen()
    })
  }

  #onEvent(L: LuaThread, record: DebugRecord): void {
    if (record.event !== HOOK_EVENT.line) return this.#onHook(L)
    lua.lua_getinfo(L, SOURCE, record)
    this.#deps.onLine?.(record.source, record.currentline)
  }

  /** Looks at the clock, between two instructions of the running coroutine. */
  #onHook(L: LuaThread): void {
    const call = this.#current
    if (call === undefined) return
    if (call.limitError === undefined) {
      const nowMs = performance.now()
      if (nowMs < call.nextLookMs) return
      call.nextLookMs = nowMs + LOOK_EVERY_MS
      const isCpu = call.cpuUsedMs + threadMs() - call.threadStartMs >= call.limits.cpuMs
      if (!isCpu && nowMs < call.wallDeadlineMs) return
      call.limitError = this.#limitError(L, call.limits, isCpu)
    }
    lua.lua_sethook(L, (thread) => this.#onHook(thread), HOOK_COUNT_MASK, HOOK_INSTRUCTIONS_AFTER_LIMIT)
    // Without the policy's own message handler (xpcall), in which hooks are off: it could run for ever.
    L.errfunc = 0
    pushText(L, call.limitError.message)
    lua.lua_error(L)
  }

  #limitError(L: LuaThread, { cpuMs, wallMs }: CallLimits, isCpu: boolean): CallError {
    // Level 0 is the Lua function that the hook interrupted, or the library function that asked.
    const where = positionAt(L, 0) || positionAt(L, 1)
    const text = isCpu
      ? `the function used more than ${cpuMs} ms of processor time and was stopped`
      : `the function took longer than ${wallMs} ms and was stopped`
    return {
      code: isCpu ? 'TRK_LUA_CPU_LIMIT' : 'TRK_LUA_WALL_LIMIT',
      message: where + text,
      traceback: this.#traceback(L, 0),
    }
  }

  /** Lua's traceback of a coroutine; it must not fail, whatever state the coroutine is in. */
  #traceback(thread: LuaThread, level: number): string {
    const { state } = this.#deps
    try {
      lua.luaL_traceback(state, thread, null, level)
      return bytesToText(lua.lua_tolstring(state, -1) ?? new Uint8Array(0))
    } catch {
      // The coroutine was left in the middle of a step; its error message says enough.
      return ''
    } finally {
      lua.lua_settop(state, 0)
    }
  }
}

/**
 * Processor time of this thread so far. Half a microsecond: worth it, since by the clock on the wall a busy machine, or one
 * that slept, would stop innocent policies.
 */
function threadMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

/** A coroutine that waits for its next call must not keep what the last one had in slots that nobody uses any more. */
function letGo({ stack, top }: LuaThread): void {
  for (let at = top; at < stack.length; at++) stack[at]?.setnilvalue()
}

/** `file:line: ` of a call level, empty for a function that is not written in Lua. */
function positionAt(L: LuaThread, level: number): string {
  lua.luaL_where(L, level)
  const where = bytesToText(lua.lua_tolstring(L, -1) ?? new Uint8Array(0))
  lua.lua_pop(L, 1)
  return where
}

export function failure(code: CallError['code'], message: string): CallOutcome {
  return { ok: false, error: { code, message, traceback: '' } }
}

/** A failed coroutine's error as text. Calls no metamethods: they could fail or run for ever. */
function errorText(thread: LuaThread): string {
  const type = lua.lua_type(thread, -1)
  if (type === TYPE.string || type === TYPE.number) {
    return bytesToText(lua.lua_tolstring(thread, -1) ?? new Uint8Array(0))
  }
  const name = bytesToText(lua.lua_typename(thread, type))
  return `the function failed with a ${name} as error value, not a text`
}
