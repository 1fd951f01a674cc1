/** What happens to the server itself, told as alerts and handed to the policy: a real server with real trouble. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ANSWER_LUA, ask, eventually, metric, report } from '../support/ask-server.ts'
import { connectConsole, CONTROL_CONFIGURATION } from '../support/console-client.ts'
import { BASE_CONFIGURATION, basicAuth, startServer, type ServerProcess } from '../support/server-process.ts'
import { startReceiver } from '../support/web-hook-receiver.ts'

interface ServerAlert {
  readonly rule: string
  readonly key: string
  readonly severity: string
  readonly count: number
  readonly message: string
}

async function serverAlerts(server: ServerProcess, rule = '*'): Promise<readonly ServerAlert[]> {
  const answer = await server.get(`/command/alerts?rule=server.${rule}`)
  return ((await answer.json()) as { readonly alerts: readonly ServerAlert[] }).alerts
}

async function alertOf(
  server: ServerProcess,
  rule: string,
  isSo: (alert: ServerAlert) => boolean = () => true,
): Promise<ServerAlert> {
  let found: ServerAlert | undefined
  await eventually(`no alert server.${rule}`, async () => {
    found = (await serverAlerts(server, rule)).find(isSo)
    return found !== undefined
  })
  assert.ok(found !== undefined)
  return found
}

test('a flood of bad passwords is one alert with their number, and one notification', async (t) => {
  const receiver = await startReceiver(t)
  const server = await startServer(t, {
    configuration: `${BASE_CONFIGURATION}
      addAlertSink("hook", "webhook", {url="${receiver.url}"})
      addAlertRoute{rule="server.bad-password", sinks={"hook"}, groupWait=0, groupInterval="1h"}`,
  })
  const tries = 500
  for (let n = 0; n < tries; n += 50) {
    const burst = Array.from({ length: 50 }, () =>
      server.get('/command/alerts', { authorization: basicAuth('guess') }),
    )
    for (const answer of await Promise.all(burst)) {
      assert.equal(answer.status, 401)
      await answer.arrayBuffer()
    }
  }
  const alert = await alertOf(server, 'bad-password', ({ count }) => count === tries)
  assert.deepEqual(
    [alert.key, alert.severity, alert.message],
    ['127.0.0.1', 'low', 'an HTTP request had a wrong password: from 127.0.0.1'],
  )
  assert.equal((await serverAlerts(server, 'bad-password')).length, 1)
  await receiver.waitForCount(1)
  assert.equal(receiver.received.length, 1)
})

test('Lua errors, dead letters and failed reloads become alerts; starts and reloads only where a route asks', async (t) => {
  const receiver = await startReceiver(t, (_request, response) => void response.writeHead(400).end())
  const policy = `${BASE_CONFIGURATION}${CONTROL_CONFIGURATION}
    addCustomWebHook("hook", {url="${receiver.url}"})
    setReport(function(lt)
      if lt.login == "bob" then runCustomWebHook("hook", "{}") return end
      error("told to by " .. lt.login)
    end)`
  const server = await startServer(t, { configuration: policy })
  const console = await connectConsole(t, server)
  await console('version()')
  await report(server, { login: 'ann' })
  const luaError = await alertOf(server, 'lua-error')
  assert.deepEqual([luaError.key, luaError.severity], ['report', 'medium'])
  assert.match(luaError.message, /^a Lua function failed: report: .*told to by ann/)
  await report(server, { login: 'bob' })
  const dead = await alertOf(server, 'dead-letter')
  assert.deepEqual([dead.key, dead.severity], ['hook', 'high'])

  const configFile = join(server.folder, 'trackalert.conf')
  writeFileSync(configFile, 'error("half a file")')
  server.child.kill('SIGHUP')
  const failed = await alertOf(server, 'reload-failed')
  assert.match(failed.message, /half a file/)
  assert.deepEqual(await serverAlerts(server, 'start'), [])
  assert.deepEqual(await serverAlerts(server, 'control-login'), [])

  const sinks = 'addAlertSink("s", "exec", {argv="/bin/true"})\naddAlertRoute{rule="server.*", sinks={"s"}}'
  writeFileSync(configFile, `${policy}\n${sinks}`)
  server.child.kill('SIGHUP')
  await alertOf(server, 'reload')
  const again = await connectConsole(t, server)
  await again('version()')
  assert.equal((await alertOf(server, 'control-login')).key, '127.0.0.1')

  await server.stop()
  const next = await startServer(t, { configuration: `${policy}\n${sinks}`, folder: server.folder })
  await alertOf(next, 'stop')
  await alertOf(next, 'start')
})

test('a client outside the ACL is told of', async (t) => {
  const server = await startServer(t, {
    configuration: `${BASE_CONFIGURATION}${CONTROL_CONFIGURATION}setACL({"192.0.2.0/24"})`,
  })
  const answer = await server.get('/command/alerts')
  assert.equal(answer.status, 401)
  const console = await connectConsole(t, server)
  let shown = ''
  await eventually('it is not told', async () => {
    shown = await console('getAlerts{rule="server.acl-refused"}')
    return shown.includes('server.acl-refused')
  })
  assert.match(shown, /127\.0\.0\.1/)
})

test('handlers of the policy get events, keep what they change, and a failing one does not go on for ever', async (t) => {
  const server = await startServer(t, {
    configuration: `${BASE_CONFIGURATION}${ANSWER_LUA}
      newStringStatsDB("events", 3600, 24, {names="seen"})
      setNumLuaStates(1)
      local db = getStringStatsDB("events")
      local failures = 0
      setEventHandler("bad-password", function(event)
        db:twAdd("seen", "names", event.name .. " " .. event.about .. " " .. event.severity)
        raiseAlert{rule="own", key=event.about, message=event.message}
      end)
      setEventHandler("*", function(event)
        if event.name == "lua-error" then failures = failures + 1 error("handler fails") end
        db:twAdd("seen", "names", "any " .. event.name)
      end)
      setReport(function(lt) error("policy fails") end)
      setCustomEndpoint("seen", function(args)
        local names = {}
        for _, item in ipairs(db:twItems("seen", "names")) do names[#names + 1] = item.item or item end
        return answer{names=names, failures=failures}
      end)`,
  })
  interface Seen {
    readonly names: readonly string[] | object
    readonly failures: number
  }
  const seen = async () => (await ask(server, 'seen')) as Seen
  const names = ({ names: list }: Seen): string => JSON.stringify(list)
  await (await server.get('/command/alerts', { authorization: basicAuth('guess') })).arrayBuffer()
  await eventually('the handlers do not run', async () => {
    const known = names(await seen())
    return known.includes('bad-password 127.0.0.1 low') && known.includes('any start')
  })
  await eventually('the alert of the handler is not there', async () => {
    const answer = await server.get('/command/alerts?rule=own')
    return ((await answer.json()) as { readonly alerts: readonly unknown[] }).alerts.length === 1
  })
  const runsOf = (name: string) => metric(server, `trackalert_run_duration_seconds_count{function="${name}"}`)
  assert.ok((await runsOf('event handler *')) > 0, 'runs of a handler have no name of their own')
  await report(server, { login: 'ann' })
  const ofHandler = await alertOf(server, 'lua-error', ({ key }) => key === 'event handler *')
  assert.equal(ofHandler.count, 1)
  // The handlers of a later event have run, so whatever the failure would have set off had its time.
  await (await server.get('/command/alerts', { authorization: basicAuth('guess') })).arrayBuffer()
  await alertOf(server, 'bad-password', ({ count }) => count === 2)
  assert.equal((await seen()).failures, 1)
  assert.equal((await alertOf(server, 'lua-error', ({ key }) => key === 'event handler *')).count, 1)
})

test('a handler of an event that there is not is a mistake', async (t) => {
  const failing = startServer(t, {
    configuration: `${BASE_CONFIGURATION}setEventHandler("bad-pasword", function() end)`,
  })
  await assert.rejects(failing, /there is no event \\?"bad-pasword\\?"; there are start, stop/)
})
