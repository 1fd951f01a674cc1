import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { LuaValue } from '../../../src/lua/lua-value.ts'
import { Point, startLua } from '../../support/lua-harness.ts'

const leaf = fc.oneof(
  fc.boolean(),
  fc.double(),
  fc.string({ unit: 'binary' }).map((text) => text.toWellFormed()),
)
const key = fc.oneof(
  fc.string(),
  fc.integer({ min: -5, max: 1_000_000 }).map((n) => n + 0.5),
  fc.boolean(),
)
const { value: anyValue } = fc.letrec<{ value: LuaValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.array(tie('value'), { minLength: 1, maxLength: 5 }),
    fc.array(fc.tuple(key, tie('value')), { maxLength: 5 }).map((entries) => new Map(entries)),
  ),
}))

test('values go to Lua and come back the same', async (t) => {
  const lua = startLua(t)
  const same = await lua.fn('function(x) return echo(x) end')
  fc.assert(
    fc.property(anyValue, (value) => {
      assert.deepEqual(lua.state.run(undefined, same, [value]), { ok: true, values: [value] })
    }),
    { numRuns: 300 },
  )
})

test('what differs on the two sides is converted as documented', async (t) => {
  const lua = startLua(t)
  const same = await lua.fn('function(x) return x end')
  const cases: readonly (readonly [LuaValue, LuaValue])[] = [
    [null, undefined],
    [{ a: 1, b: undefined }, new Map([['a', 1]])],
    [[], new Map()],
    [
      [1, undefined, 3],
      new Map([
        [1, 1],
        [3, 3],
      ]),
    ],
    [Object.assign(Object.create(null), { ['__proto__']: 'x' }) as object, new Map([['__proto__', 'x']])],
    [
      new Map<string | number, LuaValue>([
        [2, 'b'],
        [1, 'a'],
      ]),
      ['a', 'b'],
    ],
    ['\udcff', '\udcff'],
  ]
  for (const [given, got] of cases) {
    assert.deepEqual(lua.state.run(undefined, same, [given]), { ok: true, values: [got] })
  }
  assert.deepEqual(await lua.values('return require("cjson").null'), [null])
})

test('cycles, deep tables and things without a counterpart are refused with a clear error', async (t) => {
  const lua = startLua(t)
  const cases: Readonly<Record<string, RegExp>> = {
    'local t = {} t.t = t echo(t)':
      /^test:1: a table is nested more than 64 levels deep, or contains itself$/,
    'echo(coroutine.create(print))': /^test:1: a coroutine cannot be passed to the server$/,
    'echo({[{}] = 1})': /^test:1: a table with a table as key cannot be passed to the server$/,
    'return coroutine.create(print)': /result cannot be used: a coroutine cannot be passed/,
  }
  for (const [code, message] of Object.entries(cases)) {
    const outcome = await lua.run(code)
    assert.equal(outcome.ok, false)
    assert.match(outcome.error.message, message)
  }
  const same = await lua.fn('function(x) return x end')
  const cycle: LuaValue[] = []
  cycle.push(cycle)
  const refused: readonly (readonly [LuaValue, RegExp])[] = [
    [cycle, /nested more than 64/],
    [new Date(), /instance of the class Date cannot be passed to Lua/],
    [new Map([[NaN, 1]]), /NaN cannot be a key/],
    [{ kind: 'lua-function', reference: 999 }, /function of another Lua state/],
  ]
  for (const [value, message] of refused) {
    const outcome = await lua.state.run(undefined, same, [value])
    assert.equal(outcome.ok, false)
    assert.match(outcome.error.message, message)
  }
})

test('a host object keeps its identity, has methods, text and equality', async (t) => {
  const lua = startLua(t)
  const cases: Readonly<Record<string, string>> = {
    'point(3):getX()': '3',
    'point(3):add(4):getX()': '7',
    'tostring(point(3))': 'point 3',
    '"a " .. point(3) .. "!"': 'a point 3!',
    'point(3) == point(3)': 'true',
    'point(3) == point(4)': 'false',
    'type(point(3))': 'userdata',
    'getmetatable(point(3))': 'Point',
    'point(3).nothing': 'nil',
    'pcall(setmetatable, point(3), {})':
      "false bad argument #1 to 'setmetatable' (table expected, got Point)",
    '(function() local p = point(1) local t = {[p] = 5} return t[echo(p)] end)()': '5',
  }
  for (const [expression, text] of Object.entries(cases))
    assert.equal(await lua.show(expression), text, expression)
  const [point] = await lua.values('return point(9)')
  assert.ok(point instanceof Point)
})

test('the same Lua function is held once, however often it crosses', async (t) => {
  const lua = startLua(t)
  await lua.values('f = function() return 7 end for i = 1, 100 do keep(f) end')
  const first = lua.kept.fn
  await lua.values('keep(f)')
  assert.equal(lua.kept.fn, first)
  assert.ok(first)
  assert.deepEqual(lua.state.run(undefined, first, []), { ok: true, values: [7] })
})

test('wrong arguments say position, name, what was expected and what came', async (t) => {
  const lua = startLua(t)
  const cases: Readonly<Record<string, string>> = {
    'arguments()': "bad argument #1 to 'arguments' (text: expected a string, got nil)",
    'arguments({})': "bad argument #1 to 'arguments' (text: expected a string, got a table)",
    'arguments("x", "y")': "bad argument #2 to 'arguments' (number: expected a number, got a string)",
    'arguments("x", 11)': "bad argument #2 to 'arguments' (number: expected a number from 1 to 10, got 11)",
    'arguments("x", 1, 1)': "bad argument #3 to 'arguments' (flag: expected true or false, got a number)",
    'arguments("x", nil, nil, 1.5)':
      "bad argument #4 to 'arguments' (count: expected a whole number from 0 to 5, got 1.5)",
    'strings({1, "b"})[1]': '1',
    'strings({"a", true})':
      "bad argument #1 to 'strings' (list: expected an array of strings, got one whose element 2 is none)",
    'strings({a = 1})':
      "bad argument #1 to 'strings' (list: expected an array, got a table with other keys than 1, 2, 3 …)",
    '#strings({})': '0',
    'table.concat(record({10, x = 1}), ",")': 'x,1',
    'point(1).getX()':
      "bad self of 'getX' (self: expected a Point, got nil; write a colon before the name of a method)",
    'point(1):add("x")': "bad argument #1 to 'add' (dx: expected a number, got a string)",
    'point(1).getX(io.stdout)':
      "bad self of 'getX' (self: expected a Point, got a LuaFile; write a colon before the name of a method)",
    'fail()': 'it is wrong',
  }
  for (const [expression, text] of Object.entries(cases)) {
    const shown = await lua.show(expression)
    assert.equal(shown.replace(/^error: (?:test:\d+: )?/, ''), text, expression)
  }
  const outcome = await lua.run('\n\narguments()')
  assert.equal(outcome.ok, false)
  assert.equal(
    outcome.error.message,
    "test:3: bad argument #1 to 'arguments' (text: expected a string, got nil)",
  )
})
