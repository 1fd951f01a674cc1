/**
 * How Lua code waits for a promise: the host function yields its coroutine, every coroutine around it yields too, and
 * once the promise has settled they are resumed from the outside in. Belongs to one Lua state and lives on its thread.
 * It starts no timers: calls.ts waits, and sets `settled` before it resumes.
 */
import { lua } from './fengari.ts'
import { STATUS, type LuaThread } from './fengari-types.ts'
import type { HostResult } from './host-function.ts'
import { raise } from './stack.ts'

/** One promise that a coroutine waits for. */
export interface Wait {
  /** The host function that waits, for messages. */
  readonly name: string
  readonly promise: Promise<HostResult>
  settled: Settled | undefined
}

export type Settled =
  { readonly ok: true; readonly value: HostResult } | { readonly ok: false; readonly thrown: unknown }

/** Puts what a wait ended with on the stack, or raises it. */
type Finish = (L: LuaThread, settled: Settled) => number

/** What to do with the values of an inner coroutine that yielded, returned (`ok`) or failed; they are on top of `L`. */
export type AfterResume = (L: LuaThread, ok: boolean, valueCount: number) => number

interface InnerResume {
  readonly inner: LuaThread
  readonly after: AfterResume
}

export interface WaitingOptions {
  /** Called before an inner coroutine goes on; raises a Lua error when the call's limits are used up. */
  readonly checkLimits: (L: LuaThread) => void
}

export class Waiting {
  readonly #checkLimits: (L: LuaThread) => void
  /** Coroutines that calls run in: to Lua code they are the main program. */
  readonly #roots = new WeakSet<LuaThread>()
  /** Inner coroutines that were left in the middle of a wait. */
  readonly #suspended = new WeakSet<LuaThread>()
  /** The coroutines that are resuming others at this moment, outermost first. */
  readonly #resumers: LuaThread[] = []
  #pending: Wait | undefined = undefined

  constructor(options: WaitingOptions) {
    this.#checkLimits = options.checkLimits
  }

  addRoot(thread: LuaThread): void {
    this.#roots.add(thread)
  }

  isRoot(thread: LuaThread): boolean {
    return this.#roots.has(thread)
  }

  isSuspended(thread: LuaThread): boolean {
    return this.#suspended.has(thread)
  }

  /** The wait for which the call has just yielded. */
  takePending(): Wait | undefined {
    const pending = this.#pending
    this.#pending = undefined
    return pending
  }

  /**
   * Suspends the running coroutine until the promise settles; `finish` then gives the results. Called as the last step
   * of a host function. Raises a Lua error where Lua cannot yield.
   */
  suspend(L: LuaThread, wait: Wait, finish: Finish): number {
    if (!lua.lua_isyieldable(L) || !this.#resumers.every((thread) => lua.lua_isyieldable(thread))) {
      // Nobody will look at the promise, and a rejection that nobody handles ends the process.
      wait.promise.catch(() => undefined)
      raise(
        L,
        `'${wait.name}' has to wait for its answer and cannot do so here, inside a function that was called by ` +
          'table.sort, string.gsub or the like; call it before, and use its answer there',
      )
    }
    this.#pending = wait
    return lua.lua_yieldk(L, 0, 0, (thread) => {
      if (wait.settled === undefined) raise(thread, `'${wait.name}' still waits for its answer`)
      return finish(thread, wait.settled)
    })
  }

  /** Resumes an inner coroutine, whose arguments are on top of `L`; a wait inside it passes outward through `L`. */
  resumeInner(L: LuaThread, resume: InnerResume, argumentCount: number): number {
    const { inner, after } = resume
    this.#checkLimits(L)
    if (!lua.lua_checkstack(inner, argumentCount)) raise(L, 'too many arguments to resume')
    lua.lua_xmove(L, inner, argumentCount)
    this.#resumers.push(L)
    const status = lua.lua_resume(inner, L, argumentCount)
    this.#resumers.pop()
    if (status === STATUS.yield && this.#pending !== undefined) {
      this.#suspended.add(inner)
      return lua.lua_yieldk(L, 0, 0, (thread) => {
        this.#suspended.delete(inner)
        return this.resumeInner(thread, resume, 0)
      })
    }
    const isGood = status === STATUS.ok || status === STATUS.yield
    const valueCount = isGood ? lua.lua_gettop(inner) : 1
    if (!lua.lua_checkstack(L, valueCount + 1)) {
      lua.lua_settop(inner, 0)
      raise(L, 'too many results to resume')
    }
    lua.lua_xmove(inner, L, valueCount)
    return after(L, isGood, valueCount)
  }
}
