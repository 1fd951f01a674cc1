import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { startLua, type LuaHarness } from '../../support/lua-harness.ts'

const CPU_MS = 150

async function failure(
  lua: LuaHarness,
  code: string,
): Promise<{ code: string; message: string; traceback: string }> {
  const outcome = await lua.run(code)
  assert.equal(outcome.ok, false, `${code} should fail`)
  return outcome.error
}

/** The harness, and a check that the state still works. */
function limited(t: TestContext): { lua: LuaHarness; checkAlive: () => Promise<void> } {
  const lua = startLua(t, { limits: { cpuMs: CPU_MS } })
  return {
    lua,
    async checkAlive() {
      assert.deepEqual(await lua.values('local n = 0 for i = 1, 100000 do n = n + 1 end return n'), [100_000])
      assert.deepEqual(lua.bugs, [])
    },
  }
}

const ENDLESS: Readonly<Record<string, string>> = {
  'a loop': 'while true do end',
  'a loop of caught errors': 'while true do pcall(error) end',
  'caught endless loops': 'while true do pcall(function() while true do end end) end',
  'an endless message handler': 'while true do xpcall(error, function() while true do end end) end',
  'caught in depth':
    'local function f() pcall(f) while true do pcall(function() while true do end end) end end f()',
  'a loop in a coroutine': 'coroutine.wrap(function() while true do end end)()',
  'short coroutines without end': 'while true do coroutine.wrap(function() for i = 1, 100 do end end)() end',
  'endless coroutines without end':
    'while true do coroutine.resume(coroutine.create(function() while true do end end)) end',
  'a callback of table.sort': 'table.sort({1, 2, 3}, function() while true do end end)',
  'a metamethod': 'return setmetatable({}, {__index = function() while true do end end}).x',
  'a tail call': 'local function f() return f() end f()',
  'after an error was caught': 'pcall(error) pcall(error) while true do end',
  'a repeated goto': '::top:: goto top',
}

for (const [name, code] of Object.entries(ENDLESS)) {
  test(`the processor limit ends ${name}, and the state works afterwards`, async (t) => {
    const { lua, checkAlive } = limited(t)
    const before = process.threadCpuUsage()
    const error = await failure(lua, code)
    const { user, system } = process.threadCpuUsage(before)
    const usedMs = (user + system) / 1000
    assert.equal(error.code, 'TRK_LUA_CPU_LIMIT')
    assert.match(
      error.message,
      /^test:1: the function used more than 150 ms of processor time and was stopped$/,
    )
    assert.match(error.traceback, /^stack traceback:\n[\s\S]*test:1:/)
    // A look every millisecond or so, and some time to compile the chunk and make the traceback.
    assert.ok(usedMs > CPU_MS / 2 && usedMs < CPU_MS * 2, `${usedMs} ms`)
    await checkAlive()
  })
}

test('a policy that swallows the limit’s error has failed all the same', async (t) => {
  const { lua } = limited(t)
  const error = await failure(lua, 'pcall(function() while true do end end) return "fine"')
  assert.equal(error.code, 'TRK_LUA_CPU_LIMIT')
})

test('what would take all memory or stack is an error', async (t) => {
  const lua = startLua(t)
  const cases: Readonly<Record<string, RegExp>> = {
    'return ("x"):rep(1e9)': /not enough memory/,
    'local s = "x" while true do s = s .. s end': /not enough memory/,
    'return (("x"):rep(1e5):gsub("x", ("y"):rep(1e5)))': /not enough memory/,
    'local t, s = {}, ("x"):rep(1e5) for i = 1, 1e4 do t[i] = s end return #table.concat(t)':
      /not enough memory|processor time/,
    'local function f() return 1 + f() end return f()': /stack overflow/,
    'return tostring(setmetatable({}, {__tostring = function(t) return tostring(t) end}))': /stack overflow/,
    'return unpack({}, 1, 1e7)': /too many results/,
  }
  for (const [code, message] of Object.entries(cases)) {
    const error = await failure(lua, code)
    assert.match(error.message, message, code)
  }
  const [compiled, reason] = await lua.values('return loadstring(("("):rep(1000) .. "1")')
  assert.equal(compiled, undefined)
  assert.match(typeof reason === 'string' ? reason : '', /overflow|too many/)
  assert.equal(await lua.show('1 + 1'), '2')
  assert.deepEqual(lua.bugs, [])
})

test('ten thousand failing calls leave the state as it was', async (t) => {
  const lua = startLua(t)
  const failing = await lua.fn('function() local t = nil; return t.x end')
  for (let round = 0; round < 10_000; round++) {
    const outcome = lua.state.run(undefined, failing, [round])
    assert.ok(!(outcome instanceof Promise) && !outcome.ok)
  }
  let depth = -1
  const probe = await lua.fn('function(...) return select("#", ...) end')
  lua.state.run(undefined, probe, (L) => {
    // The coroutine's own stack: its base and the function.
    depth = L.top
    return 0
  })
  assert.equal(depth, 2)
})

test('errors carry file and line, and a traceback', async (t) => {
  const lua = startLua(t)
  const error = await failure(lua, 'local function inner()\n  local x = nil\n  return x.y\nend\ninner()')
  assert.equal(error.code, 'TRK_LUA_ERROR')
  assert.equal(error.message, "test:3: attempt to index a nil value (local 'x')")
  assert.match(error.traceback, /test:3: in local 'inner'\n\ttest:5: in main chunk/)
})

test('error values that are no texts get a sensible text', async (t) => {
  const lua = startLua(t)
  const cases: Readonly<Record<string, string>> = {
    'error({code = 1})': 'the function failed with a table as error value, not a text',
    'error(nil)': 'the function failed with a nil as error value, not a text',
    'error(setmetatable({}, {__tostring = function() while true do end end}))':
      'the function failed with a table as error value, not a text',
    'error(42)': '42',
    'error("plain", 0)': 'plain',
  }
  for (const [code, message] of Object.entries(cases))
    assert.equal((await failure(lua, code)).message, message)
})

test('a fault of ours becomes a Lua error and is reported', async (t) => {
  const lua = startLua(t)
  assert.equal(await lua.show('pcall(bug)'), "false internal error in 'bug': undefined is not a function")
  assert.equal(lua.bugs.length, 1)
  assert.equal(await lua.show('echo(1)'), '1')
})
