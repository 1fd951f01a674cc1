import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startLua } from '../../support/lua-harness.ts'

test('cjson encodes and decodes as lua-cjson does', async (t) => {
  const lua = startLua(t)
  await lua.values('cjson = require "cjson" safe = require "cjson.safe"')
  const cases: Readonly<Record<string, string>> = {
    'cjson.encode({})': '{}',
    'cjson.encode({1, "a", true, cjson.null})': '[1,"a",true,null]',
    'cjson.encode({a = {b = 1}})': '{"a":{"b":1}}',
    'cjson.encode({[1] = 1, [3] = 3})': '[1,null,3]',
    'cjson.encode({[5] = "x", y = 1}):match("5") ': '5',
    'cjson.encode("a/b\\n\\"\\1\\127é")': '"a\\/b\\n\\"\\u0001\\u007fé"',
    'cjson.encode(1e15)': '1e+15',
    'cjson.encode(0.1)': '0.1',
    'cjson.encode(2^53)': '9.007199254741e+15',
    'cjson.encode(nil)': 'null',
    'cjson.encode(cjson.empty_array)': '[]',
    'cjson.encode(setmetatable({}, cjson.empty_array_mt))': '[]',
    'pcall(cjson.encode, print)': 'false Cannot serialise function: type not supported',
    'pcall(cjson.encode, 0/0)': 'false Cannot serialise number: must not be NaN or Inf',
    'pcall(cjson.encode, {[1] = 1, [1000] = 1})': 'false Cannot serialise table: excessively sparse array',
    'pcall(cjson.encode, {[true] = 1})': 'false Cannot serialise table: table key must be a number or string',
    'pcall(cjson.encode, point(1))': 'false Cannot serialise userdata: type not supported',
    '(function() local t = {} t.t = t return select(2, pcall(cjson.encode, t)) end)()':
      'Cannot serialise, excessive depth (1001)',
    'cjson.decode("[1, 2, 3]")[3]': '3',
    'cjson.decode(\'{"a": {"b": [true]}}\').a.b[1]': 'true',
    'cjson.decode("null") == cjson.null': 'true',
    'tostring(cjson.null)': 'null',
    'cjson.decode(\'{"a": null}\').a == cjson.null': 'true',
    'cjson.decode(\'"\\\\u00e9"\')': 'é',
    '#cjson.decode("\\"\\255\\"")': '1',
    'cjson.decode(\'{"__proto__": 4}\').__proto__': '4',
    'cjson.decode("12345678901")': '12345678901',
    'pcall(cjson.decode, ("["):rep(2000) .. ("]"):rep(2000))':
      'false Found too many nested data structures (1001)',
    'select(2, pcall(cjson.decode, "{")):match("^Expected valid JSON")': 'Expected valid JSON',
    'safe.decode("{") == nil': 'true',
    '(select(2, safe.decode("{"))):match("^Expected valid JSON")': 'Expected valid JSON',
    // It must not repeat what it read: that may be a password hash.
    '(select(2, safe.decode("[s3cret")))': 'Expected valid JSON',
    'safe.encode(print)': 'nil Cannot serialise function: type not supported',
    'safe.encode({1})': '[1]',
    'cjson.new() ~= cjson': 'true',
    '(function() local c = cjson.new() c.encode_max_depth(1) return pcall(c.encode, {{}}) end)()':
      'false Cannot serialise, excessive depth (2)',
    '(function() local c = cjson.new() c.encode_number_precision(3) return c.encode(1/3), cjson.encode(1/3) end)()':
      '0.333 0.33333333333333',
    '(function() local c = cjson.new() c.encode_sparse_array(true) return c.encode({[1000] = 1}) end)()':
      '{"1000":1}',
    '(function() local c = cjson.new() c.encode_empty_table_as_object(false) return c.encode({}) end)()':
      '[]',
    'cjson.encode(cjson.decode(\'{"k":[1,{"x":null}]}\'))': '{"k":[1,{"x":null}]}',
  }
  for (const [expression, text] of Object.entries(cases))
    assert.equal(await lua.show(expression), text, expression)
})
