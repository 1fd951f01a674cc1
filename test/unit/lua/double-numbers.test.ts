import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startLua } from '../../support/lua-harness.ts'

test('arithmetic and its texts are LuaJIT’s', async (t) => {
  const lua = startLua(t)
  const cases: Readonly<Record<string, string>> = {
    'os.time() * 1000': '1700000000000',
    '100000 * 100000': '10000000000',
    '2^53': '9.007199254741e+15',
    '2^53 == 2^53 + 1': 'true',
    'string.format("%d", 3)': '3',
    'tostring(10/2)': '5',
    'tostring(1e15)': '1e+15',
    'tostring(math.huge)': 'inf',
    '-math.huge': '-inf',
    '0xffffffff': '4294967295',
    '-7 % 3': '2',
    '5 % -3': '-1',
    'math.floor(2^40+.5)': '1099511627776',
    '1e308*10': 'inf',
    'tostring(2^63)': '9.2233720368548e+18',
    'tostring(-0.0)': '-0',
    '#"x"*2^31': '2147483648',
    'string.format("%d", 2^40)': '1099511627776',
    '("%x"):format(2^32-1)': 'ffffffff',
    '("%5.2f"):format(1/3)': ' 0.33',
    'tonumber("0x10")': '16',
    'tonumber("z",36)': '35',
    'tonumber("ffffffff",16)': '4294967295',
    'tonumber("0xff",16)': '255',
    'tonumber("8",8)': 'nil',
    'tonumber("1e1")': '10',
    'string.format("%d", 3.7)': '3',
    '("x"):sub(1, 2^53)': 'x',
    'string.rep("a", 2.7)': 'aa',
    '2147483647 + 1': '2147483648',
    '-2147483648 - 1': '-2147483649',
    '"10" + 5': '15',
    '10 .. ""': '10',
    '({10,20,30})[2.0]': '20',
    '#{1,2,3} + 0.5': '3.5',
    'math.max(3, 2^31) * 2': '4294967296',
    'tonumber("nan")': 'nil',
    '1 == 1.0': 'true',
    'math.type == nil and math.maxinteger == nil': 'true',
  }
  for (const [expression, text] of Object.entries(cases))
    assert.equal(await lua.show(expression), text, expression)
})

test('for loops pass 2^31', async (t) => {
  const lua = startLua(t)
  const [sum] = await lua.values('local s = 0 for i = 2^31, 2^31 + 2 do s = s + i end return s')
  assert.equal(sum, 3 * 2 ** 31 + 3)
  const [count] = await lua.values('local n = 0 for i = 1, 3, 0.5 do n = n + 1 end return n')
  assert.equal(count, 5)
})

test('no library result is a 32-bit integer that wraps', async (t) => {
  const lua = startLua(t)
  const expressions = [
    '#"abc"',
    '#{1}',
    'select("#", 1)',
    '("a"):byte()',
    '("abc"):find("c")',
    '("abc"):len()',
    'next({5})',
    'tonumber("1")',
    'tonumber("1", 3)',
    'math.floor(1.5)',
    'math.ceil(1.5)',
    'math.abs(-1)',
    'math.max(1)',
    'math.random(1, 1)',
    'os.time()',
    'os.date("*t").year',
    'table.getn{1}',
    'table.maxn{1}',
    'utf8.len("a")',
    'utf8.codepoint("a")',
    'string.unpack("i4", "\\1\\0\\0\\0")',
    'select(2, ("aa"):gsub("a", "b"))',
    'select(2, pcall(function() return 1 end))',
    'debug.getinfo(1, "l").currentline',
    'table.pack(1).n',
    'bit.band(255, 15)',
    'string.packsize("i4")',
    '0x7fffffff',
    '#arg0',
    'math.fmod(5, 3)',
    'math.modf(3)',
    'rawlen({1})',
    'collectgarbage("count")',
    'math.frexp(8)',
    '(7 // 2)',
    '(1 | 2)',
    'two()',
    'echo(1)',
    'require("cjson").decode("1")',
    'tostring(1):len()',
    'coroutine.wrap(function() return #"a" end)()',
  ]
  await lua.values('arg0 = {1}')
  for (const expression of expressions) {
    const [value] = await lua.values(`local x = ${expression} return (x + 2^31 - x == 2^31)`)
    assert.equal(value, true, expression)
    const [wrapped] = await lua.values(
      `local x = ${expression} local y = x for i = 1, 40 do y = y + y end return y == x * 2^40`,
    )
    assert.equal(wrapped, true, expression)
  }
  const iterators: Readonly<Record<string, string>> = {
    pairs: 'for k in pairs({10, 20}) do check(k) end',
    ipairs: 'for i in ipairs({10, 20}) do check(i) end',
    'ipairs with __index':
      'for i in ipairs(setmetatable({}, {__index = function(_, k) check(k) if k < 3 then return k end end})) do check(i) end',
    'keys of a function with __newindex':
      'table.insert(setmetatable({}, {__newindex = function(_, k) check(k) end}), 1)',
    foreachi: 'table.foreachi({1}, function(i) check(i) end)',
    gmatch: 'for p in ("abc"):gmatch("()b") do check(p) end',
    'utf8.codes': 'for p, c in utf8.codes("é") do check(p) check(c) end',
    'varargs table':
      'local t = table.pack(1, 2) for k, v in pairs(t) do if type(k) == "number" then check(k) end end',
  }
  for (const [name, code] of Object.entries(iterators)) {
    const [ok] = await lua.values(
      `local good, seen = true, false
       local function check(x) seen = true local y = x for i = 1, 40 do y = y + y end if y ~= x * 2^40 then good = false end end
       ${code} return good and seen`,
    )
    assert.equal(ok, true, name)
  }
})

test('strings that the engine’s own hash takes for one another are different keys', async (t) => {
  const lua = startLua(t)
  assert.equal(await lua.show('({["\\1\\35"] = 1})["\\18\\3"]'), 'nil')
  assert.equal(await lua.show('"a\\nb" < "aAb"'), 'true')
})
