import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startLua } from '../../support/lua-harness.ts'

/** Expression to what it shows; each topic of the 5.1 and LuaJIT compatibility layer. */
const TOPICS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'loading and basics': {
    _VERSION: 'Lua 5.1',
    'type(jit.version)': 'string',
    'unpack({1, 2, 3})': '1 2 3',
    'unpack({1, 2, 3}, 2)': '2 3',
    'unpack({1, 2, 3}, 2, 5)': '2 3 nil nil',
    'pcall(unpack, {}, 1, 1e8)': 'false too many results to unpack',
    'loadstring("return 1 + 1")()': '2',
    'loadstring("syntax error")': 'nil [string "syntax error"]:1: syntax error near \'error\'',
    'loadstring("error(1, 2)", "@x.lua") ~= nil': 'true',
    'load(function() return nil end)()': '',
    '(function() local n = 0 return load(function() n = n + 1 return ({"return ", "4", "2"})[n] end)() end)()':
      '42',
    'load("return x", "c", "t", {x = 9})()': '9',
    'pcall(load, "\\27Lua", "b")': "true nil attempt to load a binary chunk (mode is 't')",
    'collectgarbage("count") > 100': 'true',
    'collectgarbage()': '0',
    'pcall(collectgarbage, "nonsense")':
      "false bad argument #1 to 'collectgarbage' (invalid option 'nonsense')",
    'gcinfo() > 100': 'true',
    'tostring(nil)': 'nil',
    'select(-1, 1, 2, 3)': '3',
    'pcall(error)': 'false nil',
    'xpcall(function(a) return a end, print, 5)': 'true 5',
    'select(2, xpcall(error, function(m) return m .. "!" end, "e"))': 'e!',
    'rawequal("a", "a")': 'true',
    'tonumber("  12  ")': '12',
    'tonumber("12", 2)': 'nil',
    'tonumber("-ff", 16)': '-255',
    'tonumber(nil)': 'nil',
    'tonumber()': "error: test:5: bad argument #1 to 'tonumber' (value expected)",
  },
  environments: {
    'setfenv(function() return x end, {x = 5})()': '5',
    '(function() local f = function() return x end setfenv(f, {x = 1}) x = 2 return f(), x end)()': '1 2',
    '(function() setfenv(1, {y = 3}) return y end)()': '3',
    '(function() setfenv(1, setmetatable({}, {__index = _G})) z = 1 local inner = function() return z end return inner(), _G.z end)()':
      '1 nil',
    'getfenv() == _G': 'true',
    'getfenv(0) == _G': 'true',
    'getfenv(print) == _G': 'true',
    'getfenv(setfenv(function() return a end, {b = 4})).b': '4',
    'select(2, pcall(setfenv, print, {}))': "'setfenv' cannot change environment of given object",
    'select(2, pcall(getfenv, 99))': "bad argument #1 to 'getfenv' (invalid level)",
  },
  tables: {
    'table.getn({1, 2})': '2',
    'table.maxn({1, 2, [10] = 3, x = 1})': '10',
    'table.foreach({5}, function(k, v) return k + v end)': '6',
    'table.foreachi({5, 6}, function(i, v) if i == 2 then return v end end)': '6',
    'table.concat({1, 2.5, "x"}, "-")': '1-2.5-x',
    '(function() local t = {} table.insert(t, 3, "c") return t[3], #t end)()': 'c 0',
    '(function() local t = {"a", "c"} table.insert(t, 2, "b") return table.concat(t) end)()': 'abc',
    'pcall(table.insert, {})': "false wrong number of arguments to 'insert'",
    'table.remove({})': '',
    'table.remove({1, 2, 3}, 1)': '1',
    'table.remove({1, 2, 3}, 9)': '',
    '(function() local t = {3, 1, 2} table.sort(t, function(a, b) return a > b end) return table.concat(t) end)()':
      '321',
    'table.unpack({1, 2})': '1 2',
  },
  math: {
    'math.pow(2, 10)': '1024',
    'math.mod(7, 3)': '1',
    'math.fmod(-7, 3)': '-1',
    'math.log10(1000)': '3',
    'math.ldexp(0.5, 4)': '8',
    'math.frexp(8)': '0.5 4',
    'math.frexp(-0.1)': '-0.8 -3',
    'math.frexp(0)': '0 0',
    'math.cosh(0) + math.sinh(0) + math.tanh(0)': '1',
    'math.atan2(1, 1) == math.pi / 4': 'true',
    'math.modf(-3.5)': '-3 -0.5',
    'math.floor(-3.5)': '-4',
    'math.deg(math.pi)': '180',
    '(function() math.randomseed(42) local a = math.random(1, 1e12) math.randomseed(42) return a == math.random(1, 1e12) end)()':
      'true',
    '(function() for i = 1, 1000 do local r = math.random(3) if r < 1 or r > 3 or r % 1 ~= 0 then return false end end return true end)()':
      'true',
    'math.random() < 1': 'true',
    'pcall(math.random, 0)': "false bad argument #1 to 'math.random' (interval is empty)",
  },
  bit: {
    'bit.tobit(0xffffffff)': '-1',
    'bit.tobit(2^40 + 1)': '1',
    'bit.tohex(1)': '00000001',
    'bit.tohex(-1, 4)': 'ffff',
    'bit.tohex(255, -4)': '00FF',
    'bit.bnot(0)': '-1',
    'bit.band(0xff, 0x0f, 6)': '6',
    'bit.bor(1, 2, 4)': '7',
    'bit.bxor(5, 1)': '4',
    'bit.lshift(1, 31)': '-2147483648',
    'bit.lshift(1, 32)': '1',
    'bit.rshift(-1, 28)': '15',
    'bit.arshift(-256, 4)': '-16',
    'bit.rol(0x12345678, 8) == 0x34567812': 'true',
    'bit.ror(1, 1)': '-2147483648',
    'bit.tohex(bit.bswap(0x12345678))': '78563412',
  },
  strings: {
    '("%d %i %5d|%-5d|%05d|%+d"):format(1, -2, 3, 4, -5, 6)': '1 -2     3|4    |-0005|+6',
    '("%.3d|%5.2d|% d"):format(7, 7, 7)': '007|   07| 7',
    '("%x %X %#x %o %u"):format(255, 255, 255, 8, 9)': 'ff FF 0xff 10 9',
    '("%x"):format(-1)': 'ffffffffffffffff',
    '("%e %.2E"):format(12345.678, 0)': '1.234568e+04 0.00E+00',
    '("%f %.0f %5.1f|%-8.2f|%08.2f"):format(1/3, 2.5, 2.25, 1, -1)': '0.333333 2   2.2|1.00    |-0001.00',
    '("%g %g %g %.3g %#.3g"):format(1e20, 0.0001, 100000, 2/3, 1)': '1e+20 0.0001 100000 0.667 1.00',
    '("%g %f %05d"):format(0/0, 1/0, 3)': 'nan inf 00003',
    '("%a"):format(1)': '0x1p+0',
    '("%c%c"):format(65, 66)': 'AB',
    '("%s %10s|%-5s|%.2s"):format(nil, "ab", "cd", "xyz")': 'nil         ab|cd   |xy',
    '("%s"):format(point(2))': 'point 2',
    '("%q"):format("a\\n\\"\\\\\\0001\\r") == [["a\\\n\\"\\\\\\0001\\13"]]': 'true',
    '("100%%"):format()': '100%',
    'pcall(string.format, "%d")': "false bad argument #2 to 'string.format' (number expected, got no value)",
    'pcall(string.format, "%d", "x")':
      "false bad argument #2 to 'string.format' (number expected, got string)",
    'pcall(string.format, "%y", 1)': "false invalid option '%y' to 'format'",
    '("%d"):format("12")': '12',
    '("%d %d %d %d"):format("-3.7", -0.5, 2^53 - 1, 2^53)': '-3 0 9007199254740991 9007199254740992',
    '("%d %d %d"):format(-1e19, 1/0, 0/0)': '-9223372036854775808 -9223372036854775808 -9223372036854775808',
    '("%s%s"):format("\\255", "\\128"):byte(1, 2)': '255 128',
    '("ab"):rep(3, "-")': 'ab-ab-ab',
    '("ab"):rep(0)': '',
    '("ab"):rep(-1)': '',
    '(""):rep(1e9)': '',
    '("x"):rep(7)': 'xxxxxxx',
    '("ab"):rep(1, "-")': 'ab',
    '(function() local t = {} for w in string.gfind("a b", "%a") do t[#t + 1] = w end return table.concat(t, ",") end)()':
      'a,b',
    '(("a.b"):gsub("%.", "%-"))': 'a-b',
    '(("ab"):gsub("(a)(b)", "%2%1%%"))': 'ba%',
    '(("hello"):gsub("l", {l = "L"}))': 'heLLo',
    '("a\\0b"):find("%z")': '2 2',
    '("key = value"):match("^(%w+)%s*=%s*(%w+)$")': 'key value',
    'pcall(string.dump, print)':
      'false unable to dump given function: this server loads Lua as source text only',
  },
  time: {
    'os.time()': '1700000000',
    'os.date("!%Y-%m-%dT%H:%M:%SZ")': '2023-11-14T22:13:20Z',
    'os.date("!%a %A %b %B %d %e %j %p %I %y %%", 0)': 'Thu Thursday Jan January 01  1 001 AM 12 70 %',
    'os.date("!%c|%x|%X|%D|%F|%R|%T", 0)':
      'Thu Jan  1 00:00:00 1970|01/01/70|00:00:00|01/01/70|1970-01-01|00:00|00:00:00',
    'os.date("!%U %W %V %G %u %w", 1704067200)': '00 01 01 2024 1 1',
    'os.date("!%V %G", 1609459200)': '53 2020',
    'os.date("!*t", 86400 * 59).month': '3',
    'os.date("!*t", 0).yday': '1',
    'os.date("!*t", 0).wday': '5',
    'os.date("!*t", 0).isdst': 'false',
    'os.time(os.date("*t", 1e9))': '1000000000',
    'os.time{year = 2024, month = 14, day = 1} - os.time{year = 2025, month = 2, day = 1}': '0',
    'pcall(os.time, {year = 2024})': "false field 'month' missing in date table",
    'pcall(os.date, "%Q")': "false bad argument #1 to 'os.date' (invalid conversion specifier in '%Q')",
    'os.clock() >= 0': 'true',
    'os.difftime(5, 3)': '2',
    'os.getenv("HOME")': 'nil',
    'os.setlocale()': 'C',
    'select(2, pcall(os.exit))': 'os.exit is not available: a policy cannot end the server; use shutdown()',
    'select(2, pcall(os.execute, "ls")):match("^os.execute is not available")': 'os.execute is not available',
  },
  'coroutines and debug': {
    'coroutine.running()': 'nil',
    'type(coroutine.wrap(function() return coroutine.running() end)())': 'thread',
    'coroutine.resume(coroutine.create(function(a) local b = coroutine.yield(a) end), 4)': 'true 4',
    '(function() local co = coroutine.create(function() error("x", 0) end) return coroutine.resume(co) end)()':
      'false x',
    '(function() local co = coroutine.create(function() end) coroutine.resume(co) return coroutine.status(co), coroutine.resume(co) end)()':
      'dead false cannot resume dead coroutine',
    'pcall(coroutine.wrap(function() error("x") end))': 'false test:5: x',
    'coroutine.resume(coroutine.running() or coroutine.create(function() return coroutine.isyieldable() end))':
      'true true',
    'pcall(coroutine.resume, 5)': "false bad argument #1 to 'coroutine.resume' (coroutine expected)",
    'debug.traceback("m"):match("^m\\nstack traceback:")': 'm\nstack traceback:',
    'debug.getinfo(1, "S").short_src': 'test',
    'debug.sethook': 'nil',
    'debug.getregistry': 'nil',
    'debug.setmetatable': 'nil',
  },
  'what is out of reach': {
    fengari: 'nil',
    js: 'nil',
    'package.loadlib': 'nil',
    'package.jspath': 'nil',
    'package.searchers': 'nil',
    'package.loaded.fengari': 'nil',
    'select("#", pcall(require, "fengari"))': '2',
    'io.popen("ls")': 'nil io.popen is not available: a policy cannot start programs',
    'getmetatable(io.stdout)': 'FILE*',
    'pcall(setmetatable, io.stdout, {}) ':
      "false bad argument #1 to 'setmetatable' (table expected, got userdata)",
  },
}

for (const [topic, cases] of Object.entries(TOPICS)) {
  test(`Lua 5.1 as LuaJIT has it: ${topic}`, async (t) => {
    const lua = startLua(t)
    for (const [expression, text] of Object.entries(cases))
      assert.equal(await lua.show(expression), text, expression)
  })
}

test('print and io.write go to the state’s print', async (t) => {
  const lua = startLua(t)
  await lua.values(
    'print(1, nil, point(2)) io.write("a", 2) io.stdout:write("b"):write("c") io.stderr:write("e")',
  )
  assert.deepEqual(lua.printed, ['1\tnil\tpoint 2\n', 'a', '2', 'b', 'c', 'e'])
})
