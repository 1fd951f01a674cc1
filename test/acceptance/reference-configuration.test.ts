import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { basicAuth, startServer } from '../support/server-process.ts'

/**
 * A configuration as operators of the reference write them: deprecated calls, Lua 5.1 idioms, io, cjson, a module of its
 * own beside it.
 */
const CONFIGURATION = `
setACL({"127.0.0.1/32", "0.0.0.0/0", "::/0"})
webserver("127.0.0.1:0", "super")
controlSocket("0.0.0.0:4004")
if not setKey("Ay9KXgU3g4ygK+qWT0Ut4gH8PPz02gbtPeXWPdjD0HE=") then
  errorLog("bad key", {})
end
setNumLuaStates(6)
setNumWorkerThreads(4)
setNumReportThreads(2)
setNumSchedulerThreads(2)
setMaxWebserverConns(5000)
setNumWebHookThreads(2)
setNumWebHookConnsPerThread(50)
setWebHookQueueSize(100000)
setWebHookTimeoutSecs(2)
setMetricsNoPassword()
disableCurlHostVerification()
addCustomStat("custom_stat1")

local config_keys = {}
config_keys["url"] = "http://127.0.0.1:1/webhook/%{YYYY}-%{MM}-%{dd}"
config_keys["secret"] = "verysecretcode"
config_keys["content-type"] = "application/x-test"
addCustomWebHook("mycustomhook", config_keys)

local cjson = require "cjson"
local safe = require("cjson.safe")
local thresholds = require "thresholds"
module_names = {}
for line in io.lines("names.txt") do table.insert(module_names, line) end
local counter = io.open("written.txt", "w")
counter:write("states: ", table.getn(module_names), "\\n")
counter:close()

local env = setmetatable({}, {__index = _G})
local chunk = loadstring("answer = 6 * 7 return answer")
setfenv(chunk, env)
chunk()

local masks = newNetmaskGroup()
masks:addMask("10.0.0.0/8")
masks:addMask("!10.1.0.0/16")

function background()
  infoLog("background ran", { when = os.time() > 1e9 })
end
setBackground("mybg", background)
intervalScheduleBackgroundFunc("00:00:01", "mybg")
cronScheduleBackgroundFunc("0 0 1 * *", "mybg")

function report(lt)
  local decoded = cjson.decode('{"a":[1,2,{"b":null}]}')
  local bad, why = safe.decode("{")
  local parts = {}
  for k, v in pairs(lt.attrs) do parts[#parts + 1] = k .. "=" .. v end
  infoLog("facts", {
    login = lt.login,
    millis = os.time() * 1000 > 2 ^ 40,
    product = 100000 * 100000,
    power = tostring(2 ^ 53),
    formatted = string.format("%d %5.1f %s", 3, 10 / 4, tostring(10 / 2)),
    max = math.max(unpack({ 3, 9, 4 })),
    pow = math.pow(2, 10),
    bits = bit.band(0xff, bit.bnot(0x0f)),
    answer = env.answer,
    names = table.concat(module_names, "+"),
    decoded = decoded.a[2] .. tostring(decoded.a[3].b == cjson.null),
    bad = tostring(bad) .. type(why),
    threshold = thresholds.limit,
    inside = masks:match(newCA("10.2.3.4")),
    outside = masks:match(newCA("10.1.2.3")),
    attrs = table.concat(parts, ","),
    gfind = ("a,b"):gsub(",", ";"),
  })
  incCustomStat("custom_stat1")
end
setReport(report)

function custom(args)
  for k, v in pairs(args.attrs) do
    infoLog("custom func argument attrs", { key = k, value = v })
  end
  return true, { greeting = "hello " .. args.attrs.name, many = args.attrs_mv.list[2] }
end
setCustomEndpoint("custom", custom)
`

test('a configuration written for the reference runs unchanged', async (t) => {
  const server = await startServer(t, {
    configuration: CONFIGURATION,
    files: { 'names.txt': 'one\ntwo\n', 'thresholds.lua': 'local M = {}\nM.limit = 5\nreturn M\n' },
  })
  const authorization = basicAuth('super')
  const answer = await server.post(
    '/?command=report',
    { login: 'ann', remote: '192.0.2.1', success: false, attrs: { a: 'b' } },
    { authorization },
  )
  assert.equal(answer.status, 200)
  const line = await server.waitFor(/facts: (.*)/)
  for (const part of [
    'login="ann"',
    'millis="true"',
    'product="10000000000"',
    'power="9.007199254741e+15"',
    'formatted="3   2.5 5"',
    'max="9"',
    'pow="1024"',
    'bits="240"',
    'answer="42"',
    'names="one+two"',
    'decoded="2true"',
    'bad="nilstring"',
    'threshold="5"',
    'inside="true"',
    'outside="false"',
    'attrs="a=b"',
    'gfind="a;b"',
  ]) {
    assert.ok(line[1]?.includes(part), `${part} in ${line[1]}`)
  }
  assert.equal(await readFile(join(server.folder, 'written.txt'), 'utf8'), 'states: 2\n')
  await server.waitFor(/background ran: when="true"/)

  const custom = await server.post(
    '/command/custom',
    { attrs: { name: 'Bob', list: ['x', 'y', 3] } },
    { authorization },
  )
  assert.equal(custom.status, 200)
  assert.deepEqual(await custom.json(), { success: true, r_attrs: { greeting: 'hello Bob', many: 'y' } })
  await server.waitFor(/custom func argument attrs: key="name" value="Bob"/)

  const metrics = await fetch(new URL('/metrics', server.url))
  assert.equal(metrics.status, 200)
  assert.match(await metrics.text(), /trackalert_custom_stats_total\{metric="custom_stat1"\} 1/)
})
