import assert from 'node:assert/strict'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { test } from 'node:test'
import { createRunContext } from '../../../src/lua/run-context.ts'
import { startLua } from '../../support/lua-harness.ts'

test('a call that never waits is answered at once, one that waits by a promise', async (t) => {
  const lua = startLua(t)
  const fn = await lua.fn('function(x) return x end')
  assert.deepEqual(lua.state.run(undefined, fn, [5]), { ok: true, values: [5] })
  const waits = await lua.fn('function() return wait("a"), 2 end')
  const outcome = lua.state.run(undefined, waits, [])
  assert.ok(outcome instanceof Promise)
  assert.equal(lua.state.waitingCount, 1)
  lua.settle('a', { value: [1, 2] })
  assert.deepEqual(await outcome, { ok: true, values: [[1, 2], 2] })
  assert.equal(lua.state.waitingCount, 0)
})

/** Chunks that wait in places where it is not obvious that they can; `soon` gives its argument after a turn. */
const PLACES: Readonly<Record<string, readonly [string, readonly unknown[]]>> = {
  'several times': ['return soon(1) + soon(2) + soon(3)', [6]],
  pcall: ['return pcall(function() return soon(1), soon(2) end)', [true, 1, 2]],
  'pcall with an error after the wait': [
    'return pcall(function() soon(1) error("late", 0) end)',
    [false, 'late'],
  ],
  'pcall in pcall': ['return pcall(pcall, function() soon(1) error("x", 0) end)', [true, false, 'x']],
  'xpcall with a handler': [
    'return xpcall(function() soon(1) error("x", 0) end, function(m) return m .. "!" end)',
    [false, 'x!'],
  ],
  'a metamethod': ['return setmetatable({}, {__index = function(_, k) return soon(k) end}).key', ['key']],
  'an arithmetic metamethod': ['return 1 + setmetatable({}, {__add = function(a) return soon(a) end})', [1]],
  'a comparison': [
    'local m = {__lt = function() return soon(true) end} return setmetatable({}, m) < setmetatable({}, m)',
    [true],
  ],
  concatenation: ['return "a" .. setmetatable({}, {__concat = function(a) return soon(a) end})', ['a']],
  'an iterator': [
    'local s = 0 for v in function(_, i) i = (i or 0) + 1 if i <= 3 then return soon(i) end end do s = s + v end return s',
    [6],
  ],
  'coroutine.wrap': ['return coroutine.wrap(function(a) return soon(a) end)(4)', [4]],
  'coroutine.resume': ['return coroutine.resume(coroutine.create(function() return soon(1) end))', [true, 1]],
  'coroutines in coroutines': [
    'local w = coroutine.wrap return w(function() return w(function() return soon(1) + soon(2) end)() + soon(3) end)()',
    [6],
  ],
  'a generator': [
    'local s = 0 for v in coroutine.wrap(function() for i = 1, 3 do coroutine.yield(soon(i)) end end) do s = s + v end return s',
    [6],
  ],
  'a coroutine’s error after the wait': [
    'return coroutine.resume(coroutine.create(function() soon(1) error("x", 0) end))',
    [false, 'x'],
  ],
  'pcall around coroutine.wrap': [
    'return pcall(coroutine.wrap(function() soon(1) error("x", 0) end))',
    [false, 'x'],
  ],
  'a loaded chunk': ['return loadstring("return soon(7)")()', [7]],
  'a tail call': ['return soon(8)', [8]],
}

for (const [place, [code, values]] of Object.entries(PLACES)) {
  test(`waiting works in ${place}`, async (t) => {
    const lua = startLua(t)
    assert.deepEqual(await lua.values(code), values)
  })
}

test('a rejection is a Lua error at the caller’s line, and can be caught', async (t) => {
  const lua = startLua(t)
  const outcome = lua.run('local x = 1\nwait("a")')
  await nextTurn()
  lua.settle('a', { error: new Error('the host is unreachable') })
  const ended = await outcome
  assert.equal(ended.ok, false)
  assert.equal(ended.error.message, 'test:2: the host is unreachable')
  assert.match(ended.error.traceback, /test:2: in main chunk/)
  const caught = lua.values('return pcall(wait, "b")')
  await nextTurn()
  lua.settle('b', { error: new Error('no') })
  assert.deepEqual(await caught, [false, 'no'])
})

test('two calls that wait in turn keep their values and their run', async (t) => {
  const lua = startLua(t)
  const fn = await lua.fn(
    'function(name) local a = whoami() wait(name) local b = whoami() wait(name) return a, b, whoami(), later.whoami() end',
  )
  const first = lua.state.run(createRunContext('background', 'first', 1_700_000_000), fn, ['a'])
  const second = lua.state.run(createRunContext('background', 'second', 1_700_000_000), fn, ['b'])
  lua.settle('b', {})
  await nextTurn()
  lua.settle('a', {})
  await nextTurn()
  lua.settle('a', {})
  lua.settle('b', {})
  assert.deepEqual(await first, { ok: true, values: ['first', 'first', 'first', 'first'] })
  assert.deepEqual(await second, { ok: true, values: ['second', 'second', 'second', 'second'] })
})

const REFUSED: Readonly<Record<string, string>> = {
  'table.sort': 'table.sort({2, 1}, function(a, b) return soon(a < b) end)',
  'string.gsub': '("abc"):gsub(".", function(c) return soon(c) end)',
  'a coroutine inside table.sort':
    'table.sort({2, 1}, function(a, b) return coroutine.wrap(function() return soon(a < b) end)() end)',
  'a __tostring called by the host':
    'tostring(setmetatable({}, {__tostring = function() return soon("x") end}))',
}

for (const [place, code] of Object.entries(REFUSED)) {
  test(`waiting is refused in ${place}, with advice, and harms nothing`, async (t) => {
    const lua = startLua(t)
    const outcome = await lua.run(code)
    assert.equal(outcome.ok, false)
    assert.match(
      outcome.error.message,
      /'soon' has to wait for its answer and cannot do so here, .* call it before/,
    )
    assert.deepEqual(await lua.values('return soon(1)'), [1])
  })
}

test('a coroutine that another call has left waiting cannot be resumed', async (t) => {
  const lua = startLua(t)
  const first = lua.run('co = coroutine.create(function() return wait("a") end) return coroutine.resume(co)')
  assert.deepEqual(await lua.values('return coroutine.status(co), coroutine.resume(co)'), [
    'normal',
    false,
    'cannot resume a coroutine that waits for a function of the server',
  ])
  lua.settle('a', { value: 9 })
  assert.deepEqual(await first, { ok: true, values: [true, 9] })
})

test('time spent waiting is no processor time', async (t) => {
  const lua = startLua(t, { limits: { cpuMs: 30, wallMs: 10_000 } })
  const outcome = lua.values('wait("a") return 1')
  const until = performance.now() + 60
  while (performance.now() < until) await nextTurn()
  lua.settle('a', {})
  assert.deepEqual(await outcome, [1])
})

test('processor time adds up over waits', async (t) => {
  const lua = startLua(t, { limits: { cpuMs: 60, wallMs: 10_000 } })
  const outcome = await lua.run('while true do for i = 1, 20000 do end soon(1) end')
  assert.equal(outcome.ok, false)
  assert.equal(outcome.error.code, 'TRK_LUA_CPU_LIMIT')
})

test('a call that waits too long ends, and what settles later is ignored', async (t) => {
  const lua = startLua(t, { limits: { wallMs: 40 } })
  const outcome = await lua.run('after = "before" wait("a") after = "went on"')
  assert.equal(outcome.ok, false)
  assert.equal(outcome.error.code, 'TRK_LUA_WALL_LIMIT')
  assert.match(outcome.error.message, /longer than 40 ms, and waited for 'wait' at the end/)
  assert.match(outcome.error.traceback, /test:1: in main chunk/)
  lua.settle('a', { value: 1 })
  await nextTurn()
  assert.deepEqual(await lua.values('return after'), ['before'])
})

test('a late rejection after the wall limit ends nothing else', async (t) => {
  const lua = startLua(t, { limits: { wallMs: 20 } })
  await lua.run('wait("a")')
  lua.settle('a', { error: new Error('late') })
  await nextTurn()
  assert.deepEqual(await lua.values('return 1'), [1])
})

test('a loop that waits for ever is ended by the wall limit', async (t) => {
  const lua = startLua(t, { limits: { cpuMs: 10_000, wallMs: 60 } })
  const outcome = await lua.run('while true do pcall(soon, 1) end')
  assert.equal(outcome.ok, false)
  assert.equal(outcome.error.code, 'TRK_LUA_WALL_LIMIT')
})

test('closing the state ends waiting calls', async () => {
  const lua = startLua(undefined)
  const outcome = lua.run('wait("a")')
  lua.state.close()
  const ended = await outcome
  assert.equal(ended.ok, false)
  assert.match(ended.error.message, /closed while the function waited/)
  const after = await lua.run('return 1')
  assert.equal(after.ok, false)
})

test('functions of a scope keep to it', async (t) => {
  const collecting = startLua(t)
  assert.deepEqual(await collecting.values('return settingOnly(), register()'), ['done', 'registered'])
  const policy = startLua(t, { mode: 'policy' })
  assert.deepEqual(await policy.values('return settingOnly("whatever"), register()'), [
    undefined,
    'registered',
  ])
  const fn = await policy.fn('function() return pcall(register) end')
  assert.deepEqual(policy.state.run(createRunContext('report', 'report', 1_700_000_000), fn, []), {
    ok: true,
    values: [false, "'register' can only be called while the configuration file is executed"],
  })
})

test('arguments may push themselves', async (t) => {
  const lua = startLua(t)
  const fn = await lua.fn('function(...) return select("#", ...), ... end')
  const outcome = lua.state.run(undefined, fn, (L) => {
    lua.state.push(L, 'a')
    lua.state.push(L, [1])
    return 2
  })
  assert.deepEqual(outcome, { ok: true, values: [2, 'a', [1]] })
})

test('hundreds of arguments and results fit', async (t) => {
  const lua = startLua(t)
  const fn = await lua.fn('function(...) return ... end')
  const args = Array.from({ length: 500 }, (_, index) => index)
  assert.deepEqual(lua.state.run(undefined, fn, args), { ok: true, values: args })
})
