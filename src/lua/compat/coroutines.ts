/**
 * The coroutine library, through which a host function's wait passes: Lua code that waits inside coroutines of its own
 * never notices. Lives on the thread of its Lua state.
 */
import { lua } from '../fengari.ts'
import { STATUS, TYPE, type HostCode, type LuaThread } from '../fengari-types.ts'
import { extendLibrary, pushText, raise, raiseArgument } from '../stack.ts'
import type { AfterResume, Waiting } from '../waiting.ts'

export function installCoroutines(L: LuaThread, waiting: Waiting): void {
  extendLibrary(L, 'coroutine', {
    create(inner) {
      createCoroutine(inner)
      return 1
    },
    resume: resumeFunction(waiting),
    wrap: wrapFunction(waiting),
    yield(inner) {
      if (waiting.isRoot(inner)) raise(inner, 'attempt to yield from outside a coroutine')
      return lua.lua_yieldk(inner, lua.lua_gettop(inner), 0, null)
    },
    status(inner) {
      pushText(inner, statusOf(inner, coroutineArgument(inner), waiting))
      return 1
    },
    // Lua 5.1: nil in the main program, which is what a call's own coroutine is to its code.
    running(inner) {
      if (waiting.isRoot(inner)) lua.lua_pushnil(inner)
      else lua.lua_pushthread(inner)
      return 1
    },
    isyieldable(inner) {
      lua.lua_pushboolean(inner, !waiting.isRoot(inner) && lua.lua_isyieldable(inner))
      return 1
    },
  })
}

/** Pushes the new coroutine. */
function createCoroutine(L: LuaThread): LuaThread {
  lua.luaL_checktype(L, 1, TYPE.function)
  const thread = lua.lua_newthread(L)
  lua.lua_pushvalue(L, 1)
  lua.lua_xmove(L, thread, 1)
  return thread
}

function coroutineArgument(L: LuaThread): LuaThread {
  return lua.lua_tothread(L, 1) ?? raiseArgument(L, 1, 'coroutine expected')
}

function resumeFunction(waiting: Waiting): HostCode {
  const answer: AfterResume = (L, ok, valueCount) => {
    lua.lua_pushboolean(L, ok)
    lua.lua_insert(L, -(valueCount + 1))
    return valueCount + 1
  }
  return (L) => {
    const inner = coroutineArgument(L)
    const obstacle = obstacleTo(L, inner, waiting)
    if (obstacle !== undefined) {
      lua.lua_pushboolean(L, false)
      pushText(L, obstacle)
      return 2
    }
    return waiting.resumeInner(L, { inner, after: answer }, lua.lua_gettop(L) - 1)
  }
}

function wrapFunction(waiting: Waiting): HostCode {
  const answer: AfterResume = (L, ok, valueCount) => {
    if (ok) return valueCount
    if (lua.lua_type(L, -1) === TYPE.string) {
      lua.luaL_where(L, 1)
      lua.lua_insert(L, -2)
      lua.lua_concat(L, 2)
    }
    return lua.lua_error(L)
  }
  return (L) => {
    const inner = createCoroutine(L)
    lua.lua_pushcfunction(L, (caller) => {
      const obstacle = obstacleTo(caller, inner, waiting)
      if (obstacle !== undefined) return raise(caller, obstacle)
      return waiting.resumeInner(caller, { inner, after: answer }, lua.lua_gettop(caller))
    })
    return 1
  }
}

/** Why this coroutine cannot be resumed now. */
function obstacleTo(L: LuaThread, inner: LuaThread, waiting: Waiting): string | undefined {
  const status = statusOf(L, inner, waiting)
  if (waiting.isSuspended(inner)) return 'cannot resume a coroutine that waits for a function of the server'
  return status === 'suspended'
    ? undefined
    : `cannot resume ${status === 'dead' ? 'dead' : 'non-suspended'} coroutine`
}

function statusOf(
  L: LuaThread,
  inner: LuaThread,
  waiting: Waiting,
): 'running' | 'suspended' | 'normal' | 'dead' {
  if (L === inner) return 'running'
  if (waiting.isSuspended(inner) || waiting.isRoot(inner)) return 'normal'
  switch (lua.lua_status(inner)) {
    case STATUS.yield:
      return 'suspended'
    case STATUS.ok: {
      if (lua.lua_getstack(inner, 0, new lua.lua_Debug()) > 0) return 'normal'
      return lua.lua_gettop(inner) === 0 ? 'dead' : 'suspended'
    }
    default:
      return 'dead'
  }
}
