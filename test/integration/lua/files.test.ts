import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { CallOutcome, LuaState } from '../../../src/lua/lua-state.ts'
import { startLua } from '../../support/lua-harness.ts'

function folderOf(t: TestContext, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'trackalert-lua-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return folder
}

function runFile(state: LuaState, path: string): CallOutcome | Promise<CallOutcome> {
  return state.runSource(readFileSync(path), path)
}

test('a configuration file in the idioms of Lua 5.1 runs unchanged', async (t) => {
  const folder = folderOf(t, {
    'trackalert.conf': `#!/usr/bin/lua
-- modules, the old way and the new way
local cjson = require "cjson"
local strings = require "lib.strings"
require "oldstyle"
local DIR = os.getenv("CONF_DIR")

local function readLines(path)
  local lines = {}
  for line in io.lines(path) do
    if line ~= "" and string.sub(line, 1, 1) ~= "#" then table.insert(lines, strings.trim(line)) end
  end
  return lines
end

local users = readLines(DIR .. "/users.txt")
local out = assert(io.open(DIR .. "/out.json", "w"))
out:write(cjson.encode({ users = users, count = table.getn(users) }), "\\n")
out:close()

local env = {}
setfenv(loadstring("threshold = 5 * 1000 * 1000 * 1000"), env)()

local function pack2(...) return { n = select("#", ...), ... } end
local packed = pack2(unpack(users))

local handle = io.open(DIR .. "/out.json", "r")
local decoded = cjson.decode(handle:read("*a"))
handle:close()

soon(1)
keep({
  first = decoded.users[1],
  count = decoded.count,
  n = packed.n,
  threshold = env.threshold,
  old = oldstyle.twice(21),
  visible = oldstyle.hidden == nil,
  missing = select(2, io.open(DIR .. "/missing")),
  millis = os.time() * 1000,
  bits = bit.bor(bit.lshift(1, 4), 1),
  script = debug.getinfo(1, "S").short_src,
})
`,
    'users.txt': '# accounts\nalice  \n\nbob\n  carol',
    'lib/strings/init.lua':
      'local M = {}\nfunction M.trim(s) return (s:gsub("^%s+", ""):gsub("%s+$", "")) end\nsoon(2)\nreturn M\n',
    'oldstyle.lua': 'module("oldstyle", package.seeall)\nfunction twice(x) return math.pow(x, 1) * 2 end\n',
  })
  const lua = startLua(t, { moduleFolder: folder, environment: { CONF_DIR: folder } })
  const path = join(folder, 'trackalert.conf')
  const outcome = await runFile(lua.state, path)
  assert.deepEqual(outcome, { ok: true, values: [] })
  assert.ok(lua.kept.value instanceof Map)
  assert.deepEqual(Object.fromEntries(lua.kept.value), {
    first: 'alice',
    count: 3,
    n: 3,
    threshold: 5e9,
    old: 42,
    visible: true,
    missing: `${folder}/missing: No such file or directory`,
    millis: 1_700_000_000_000,
    bits: 17,
    script: path,
  })
  assert.equal(
    readFileSync(join(folder, 'out.json'), 'utf8'),
    '{"users":["alice","bob","carol"],"count":3}\n',
  )
})

test('a file that fails says where: wrong syntax, an error in a line', async (t) => {
  const folder = folderOf(t, {
    'syntax.conf': '\ufeff-- a byte order mark\nlocal x = = 1\n',
    'error.conf': '# a comment line\n\narguments()\n',
    'empty.conf': '',
  })
  const lua = startLua(t)
  const syntax = await runFile(lua.state, join(folder, 'syntax.conf'))
  assert.ok(!syntax.ok)
  assert.equal(syntax.error.message, `${join(folder, 'syntax.conf')}:2: unexpected symbol near '='`)
  const failed = await runFile(lua.state, join(folder, 'error.conf'))
  assert.ok(!failed.ok)
  assert.equal(
    failed.error.message,
    `${join(folder, 'error.conf')}:3: bad argument #1 to 'arguments' (text: expected a string, got nil)`,
  )
  assert.match(failed.error.traceback, /error\.conf:3: in main chunk/)
  assert.deepEqual(await runFile(lua.state, join(folder, 'empty.conf')), { ok: true, values: [] })
})

test('files are read and written as Lua 5.1 does it', async (t) => {
  const folder = folderOf(t, { 'a.txt': 'one\ntwo\n\n12 0x10 -1.5e1 x\nlast', 'bytes.bin': 'plain' })
  writeFileSync(join(folder, 'bytes.bin'), Buffer.from([0xff, 0x00, 0x0a, 0x80]))
  const lua = startLua(t, { environment: { DIR: folder } })
  await lua.values(
    'DIR = os.getenv("DIR") function file(name, mode) return assert(io.open(DIR .. "/" .. name, mode)) end',
  )
  const cases: Readonly<Record<string, string>> = {
    'file("a.txt"):read()': 'one',
    'file("a.txt"):read("*l", "*l", "*l")': 'one two ',
    'file("a.txt"):read("L")': 'one\n',
    '#file("a.txt"):read("*a")': String('one\ntwo\n\n12 0x10 -1.5e1 x\nlast'.length),
    '(function() local f = file("a.txt") f:read("*l", "*l", "*l") return f:read("*n", "*n", "*n", "*n") end)()':
      '12 16 -15 nil',
    'file("a.txt"):read(5)': 'one\nt',
    'file("a.txt"):read(0)': '',
    '(function() local f = file("a.txt") f:read("*a") return f:read("*a"), f:read("*l"), f:read(0) end)()':
      ' nil nil',
    '(function() local n = 0 for line in file("a.txt"):lines() do n = n + 1 end return n end)()': '5',
    '(function() local t = {} for line in io.lines(DIR .. "/a.txt") do t[#t + 1] = line end return t[5] end)()':
      'last',
    'file("bytes.bin"):read("*a"):byte(1, -1)': '255 0 10 128',
    'file("a.txt"):seek("end")': '30',
    '(function() local f = file("a.txt") f:seek("set", 4) return f:read("*l"), f:seek() end)()': 'two 8',
    '(function() local f = file("w.txt", "w") f:write("ab", 1, "\\n"):write("c") f:close() return file("w.txt"):read("*a") end)()':
      'ab1\nc',
    '(function() local f = file("w.txt", "a") f:write("d") f:close() return file("w.txt"):read("*a") end)()':
      'ab1\ncd',
    '(function() local f = file("w.txt", "r+") f:read(1) f:write("X") f:seek("set") local s = f:read("*a") f:close() return s end)()':
      'aX1\ncd',
    'io.type(file("a.txt"))': 'file',
    '(function() local f = file("a.txt") f:close() return io.type(f), tostring(f), pcall(f.read, f) end)()':
      'closed file file (closed) false attempt to use a closed file',
    'io.type(5)': 'nil',
    'io.open(DIR .. "/no/file")': `nil ${folder}/no/file: No such file or directory 2`,
    'pcall(io.open, "x", "z")': "false bad argument #2 to 'io.open' (invalid mode)",
    'select(2, pcall(io.lines, "/no/file")):match("ENOENT")': 'ENOENT',
    '(function() io.output(DIR .. "/o.txt") io.write("hi") io.close() io.output(io.stdout) io.input(DIR .. "/o.txt") return io.read("*a") end)()':
      'hi',
    'io.stdin:read()': 'nil',
    '(function() local f = io.tmpfile() f:write("x") f:seek("set") return f:read("*a") end)()': 'x',
    'os.rename(DIR .. "/o.txt", DIR .. "/p.txt")': 'true',
    'os.remove(DIR .. "/p.txt")': 'true',
    'os.remove(DIR .. "/p.txt")  ': `nil ${folder}/p.txt: No such file or directory 2`,
    '(function() local n = os.tmpname() local ok = io.open(n) ~= nil os.remove(n) return ok end)()': 'true',
    'loadfile("/no/such.lua")':
      "nil cannot read the Lua file /no/such.lua: ENOENT: no such file or directory, open '/no/such.lua'",
  }
  for (const [expression, text] of Object.entries(cases))
    assert.equal(await lua.show(expression), text, expression)
  assert.deepEqual(lua.bugs, [])
})

test('require finds modules in the folder, once, and says where it looked', async (t) => {
  const folder = folderOf(t, {
    'counter.lua': 'loads = (loads or 0) + 1 return { name = ... }',
    'sub/inner.lua': 'return "inner"',
    'nothing.lua': 'x = 1',
    'loop.lua': 'return require "loop"',
    'broken.lua': 'return return',
    'other/far.lua': 'return "far"',
    'chunk.lua': 'return soon(5), 6',
  })
  const lua = startLua(t, { moduleFolder: folder, environment: { DIR: folder } })
  const cases: Readonly<Record<string, string>> = {
    'require("counter").name': 'counter',
    'require("counter") == require("counter") and loads': '1',
    'require("sub.inner")': 'inner',
    'require("nothing")': 'true',
    'package.loaded.nothing': 'true',
    'select(2, pcall(require, "loop")):match("loop or previous error loading module .loop.")':
      "loop or previous error loading module 'loop'",
    'select(2, pcall(require, "broken")):match("error loading module .broken. from file")':
      "error loading module 'broken' from file",
    'pcall(require, "absent")': `false module 'absent' not found:\n\tno field package.preload['absent']\n\tno file '${folder}/absent.lua'\n\tno file '${folder}/absent/init.lua'`,
    '(function() package.preload.made = function(n) return n .. "!" end return require("made") end)()':
      'made!',
    '(function() package.path = package.path .. ";" .. os.getenv("DIR") .. "/other/?.lua" return require("far") end)()':
      'far',
    'require("string") == string': 'true',
    'require("cjson") == require("cjson")': 'true',
    'dofile(os.getenv("DIR") .. "/chunk.lua")': '5 6',
  }
  for (const [expression, text] of Object.entries(cases))
    assert.equal(await lua.show(expression), text, expression)
})
