import assert from 'node:assert/strict'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Point, startLua } from '../../support/lua-harness.ts'

/** Slots of the engine's stack serve one function after another: none must see or change what another has in its own. */
const CHUNKS: Readonly<Record<string, readonly [code: string, values: readonly unknown[]]>> = {
  'a local without a value is nil after a call that had one there': [
    'local function f() local a, b, c = 1, 2, 3 return a + b + c end local function g() local x, y, z return x, y, z end f() return g()',
    [undefined, undefined, undefined],
  ],
  'a missing argument is nil after a call that had it': [
    'local function f(a, b, c) return c end f(1, 2, 3) return f(1)',
    [undefined],
  ],
  'a closure keeps the local of a function that has returned': [
    'local function make(x) local n = x return function() n = n + 1 return n end end ' +
      'local a, b = make(10), make(20) a() local function noise() local p, q, r, s = 7, 8, 9, 6 return p end noise() ' +
      'return a(), b(), a(), b()',
    [12, 21, 13, 22],
  ],
  'closures of a loop keep a local each': [
    'local fs = {} for i = 1, 3 do local n = i * 10 fs[i] = function() n = n + 1 return n end end ' +
      'local function noise() local p, q, r, s = 7, 8, 9, 6 return p end noise() fs[2]() return fs[1](), fs[2](), fs[3]()',
    [11, 22, 31],
  ],
  'a closure keeps the local of a function that failed': [
    'local get pcall(function() local n = 5 get = function() n = n + 1 return n end error("x") end) ' +
      'local function noise() local p, q, r, s = 7, 8, 9, 6 return p end noise() return get(), get()',
    [6, 7],
  ],
  'a closure keeps the local of a function that ended in a tail call': [
    'local get local function last() local p, q, r = 7, 8, 9 return get() end ' +
      'local function f() local n = 5 get = function() n = n + 1 return n end return last() end return f(), get()',
    [6, 7],
  ],
  'a coroutine keeps its locals while others run': [
    'local co = coroutine.wrap(function(a) local n = a while true do n = n + coroutine.yield(n) end end) ' +
      'local function noise() local p, q, r, s = 7, 8, 9, 6 return p end ' +
      'local first = co(1) noise() local second = co(10) noise() return first, second, co(100)',
    [1, 11, 111],
  ],
  'further results of a call are nil': [
    'local function one() return 1 end local function f() local a, b, c = one() return a, b, c end ' +
      'local function noise() local p, q, r, s = 7, 8, 9, 6 return p end noise() return f()',
    [1, undefined, undefined],
  ],
  'a closure keeps the local of a block that has ended, whatever is called later': [
    'local get do local n = 5 get = function() n = n + 1 return n end end ' +
      'local function noise() local p, q, r, s = 7, 8, 9, 6 return p end local x = noise() .. noise() noise() return get(), get(), x',
    [6, 7, '77'],
  ],
  'operands on the way to a call survive the calls that make them': [
    'local function two(a, b) local c, d = a, b return c .. d end return two(two(1, 2), two(two(3, 4), 5)) .. two(6, 7)',
    ['1234567'],
  ],
  'pairs goes on when the key at which it stands is removed': [
    'local t, n = { a = 1, b = 2, c = 3, [1.5] = 4 }, 0 for k, v in pairs(t) do t[k] = nil n = n + v end return n, next(t)',
    [10, undefined],
  ],
  'a table from which all was removed takes the same keys again': [
    'local t = { a = 1, b = 2 } for k in pairs(t) do t[k] = nil end t.b = 3 local n = 0 for k, v in pairs(t) do n = n + v t[k] = nil end ' +
      'return n, t.a, t.b',
    [3, undefined, undefined],
  ],
  'varargs are those of the call': [
    'local function f(...) local a, b = ... return select("#", ...), a, b end f(1, 2, 3) return f(4)',
    [1, 4, undefined],
  ],
}

for (const [name, [code, values]] of Object.entries(CHUNKS)) {
  test(name, async (t) => {
    const lua = startLua(t)
    // Twice, for what the first call has left in the coroutine.
    await lua.values(code)
    assert.deepEqual(await lua.values(code), values)
  })
}

test('a call that has ended keeps nothing of what it had in its slots', async (t) => {
  setFlagsFromString('--expose-gc')
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- that flag defines it
  const collect = runInNewContext('gc') as () => void
  const lua = startLua(t)
  const fn = await lua.fn(
    'function(p) local function deep(q) local a, b, c = q, q, q return b end return deep(p) ~= nil end',
  )
  const seen = new WeakRef(callWith(new Point(1)))
  function callWith(point: Point): Point {
    assert.deepEqual(lua.state.run(undefined, fn, [point]), { ok: true, values: [true] })
    return point
  }
  for (let round = 0; round < 100 && seen.deref() !== undefined; round++) {
    await nextTurn()
    collect()
  }
  assert.equal(seen.deref(), undefined)
})
