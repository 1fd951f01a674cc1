/** The Lua functions of alert sinks in the real server: what they get, what they leave, how they fail, and a crash. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ANSWER_LUA, ask, eventually, metric, report } from '../support/ask-server.ts'
import { BASE_CONFIGURATION, startServer, type ServerProcess } from '../support/server-process.ts'
import { parseMail, startSmtp } from '../support/smtp-receiver.ts'
import { startReceiver } from '../support/web-hook-receiver.ts'

const POLICY = `${BASE_CONFIGURATION}${ANSWER_LUA}
  setReport(function(lt)
    raiseAlert{rule="travel", key=lt.login, severity="high", message=lt.login .. " is too fast", data={km=900}}
  end)`

function sink(name: string, url: string, body: string): string {
  return `addAlertSink("${name}", "webhook", {url="${url}", body=${body}})
    addAlertRoute{rule="travel", sinks={"${name}"}, groupBy={"key"}, groupWait=0, groupInterval="1s", continue=true}\n`
}

/** The failure of a run, as the log tells it. */
function failureOf(server: ServerProcess, run: string, text: RegExp): Promise<unknown> {
  return server.waitFor(new RegExp(`a Lua function failed.*function="${run}".*${text.source}`))
}

test('functions make bodies of tables and texts, and what they change is stored', async (t) => {
  const receiver = await startReceiver(t)
  const server = await startServer(t, {
    configuration: `${POLICY}
      local told = newStringStatsDB("told", 3600, 2, {n="int"})
      addCustomStat("made")
      ${sink(
        'table',
        receiver.url,
        `function(alert, notification)
          told:twAdd(alert.key, "n", 1)
          incCustomStat("made")
          return {rule=alert.rule, km=alert.data.km, login=alert.report.login, total=notification.total,
            list={notification.alerts[1].user, notification.reason}}
        end`,
      )}
      ${sink('text', receiver.url, 'function(alert) return "told: " .. alert.message end')}
      setCustomEndpoint("told", function() return answer(told:twGet("ann", "n")) end)`,
  })
  await report(server, { login: 'ann' })
  await receiver.waitForCount(2)
  const bodies = receiver.received.map(({ body }) => body)
  assert.ok(bodies.includes('told: ann is too fast'), bodies.join('\n'))
  assert.deepEqual(JSON.parse(bodies.find((body) => body.startsWith('{')) ?? ''), {
    rule: 'travel',
    km: 900,
    login: 'ann',
    total: 1,
    list: ['ann', 'new'],
  })
  await eventually('what it changed is not stored', async () => (await ask(server, 'told')) === 1)
  await eventually('what it counted is not counted', async () => {
    return (await metric(server, 'trackalert_custom_stats_total{metric="made"}')) === 1
  })
})

test('a function that fails, loops, raises alerts or returns nonsense loses no notification', async (t) => {
  const receiver = await startReceiver(t)
  const server = await startServer(t, {
    configuration: `${POLICY}
      addCustomStat("left")
      ${sink('errs', receiver.url, 'function(alert) incCustomStat("left") return alert.nothing.more end')}
      ${sink('loops', receiver.url, 'function() while true do end end')}
      ${sink('raises', receiver.url, 'function() raiseAlert{rule="travel", key="more", message="m"} end')}
      ${sink('tests', receiver.url, 'function() return testAlertSink("tests") end')}
      ${sink('flags', receiver.url, 'function() return true end')}
      ${sink('floods', receiver.url, 'function() return string.rep("\u20ac", 1024 * 1024 / 3 + 1) end')}
      ${sink('odd', receiver.url, 'function() return {print} end')}`,
  })
  await report(server, { login: 'ann' })
  await receiver.waitForCount(7, 60_000)
  for (const { body } of receiver.received)
    assert.match(body, /"alerts":\[\{"id":\d+,"rule":"travel".*"key":"ann"/)
  await failureOf(server, 'alert sink errs', /index a nil value/)
  await failureOf(server, 'alert sink loops', /processor time/)
  await failureOf(server, 'alert sink raises', /not in the function of an alert sink/)
  await failureOf(server, 'alert sink tests', /not in the function of an alert sink/)
  await failureOf(server, 'alert sink flags', /must return a string, a table or nil/)
  await failureOf(server, 'alert sink floods', /longer than 1048576 bytes/)
  await failureOf(
    server,
    'alert sink odd',
    /must return a string, a table or nil, and no table with a function/,
  )
  const failures = (name: string, code: string) =>
    metric(server, `trackalert_run_failures_total{function="alert sink ${name}",code="${code}"}`)
  assert.equal(await failures('errs', 'TRK_LUA_ERROR'), 1)
  assert.equal(await failures('loops', 'TRK_LUA_CPU_LIMIT'), 1)
  // A statistic that was never counted has no line.
  assert.ok(Number.isNaN(await metric(server, 'trackalert_custom_stats_total{metric="left"}')))
})

test('kill -9 between two tries: the next start sends the body that the last one made', async (t) => {
  let isBack = false
  const receiver = await startReceiver(t, (_request, response) => {
    response.writeHead(isBack ? 200 : 503).end()
  })
  const made = (by: string): string =>
    POLICY + sink('hook', receiver.url, `function(alert) return "made by ${by} of " .. alert.key end`)
  let server = await startServer(t, { configuration: made('the first') })
  await report(server, { login: 'ann' })
  await receiver.waitForCount(1)
  await server.stop('SIGKILL')
  isBack = true
  server = await startServer(t, { configuration: made('the second'), folder: server.folder })
  await report(server, { login: 'bob' })
  await eventually('bob is not told of', () => receiver.received.some(({ body }) => body.endsWith('bob')))
  await eventually('ann is not told of again', () => {
    return receiver.received.filter(({ body }) => body.endsWith('ann')).length >= 2
  })
  const bodies = receiver.received.map(({ body }) => body)
  assert.deepEqual([...new Set(bodies)].toSorted(), ['made by the first of ann', 'made by the second of bob'])
  const idsOfAnn = receiver.received.filter(({ body }) => body.endsWith('ann'))
  assert.equal(new Set(idsOfAnn.map(({ headers }) => headers['x-wforce-delivery'])).size, 1)
})

test('a user is written to at the address that a function finds', async (t) => {
  const smtp = await startSmtp(t)
  const server = await startServer(t, {
    configuration: `${POLICY}
      local mails = {ann="ann@home.example"}
      addAlertSink("users", "email", {host="127.0.0.1", port=${smtp.port}, tls="none", from="t@alerts.example",
        subject="A login from %{remote}",
        userAddress=function(login, report, alert)
          -- For bob it is false, as such expressions are in Lua.
          return login == "ann" and report.remote == "192.0.2.7" and alert.rule == "travel" and mails[login]
        end})
      addAlertRoute{rule="travel", sinks={"users"}, groupBy={"key"}, groupWait=0}`,
  })
  await report(server, { login: 'bob' })
  await report(server, { login: 'ann' })
  await eventually('no mail comes', () => smtp.mails.length > 0)
  assert.deepEqual(smtp.mails[0]?.to, ['ann@home.example'])
  assert.equal(parseMail(smtp.mails[0]?.raw ?? '').headers.get('subject'), 'A login from 192.0.2.7')
  const delivered = 'trackalert_alert_notifications_total{sink="users",status="delivered"}'
  await eventually('one of them is tried again', async () => (await metric(server, delivered)) === 2)
  assert.equal(smtp.mails.length, 1)
})

test('after a reload the new function makes the bodies, and one that is gone leaves them ordinary', async (t) => {
  const receiver = await startReceiver(t)
  const server = await startServer(t, {
    configuration: POLICY + sink('hook', receiver.url, 'function(alert) return "old " .. alert.key end'),
  })
  const reload = async (body: string, times: number): Promise<void> => {
    const text = POLICY + (body === '' ? sink('hook', receiver.url, 'nil') : sink('hook', receiver.url, body))
    writeFileSync(join(server.folder, 'trackalert.conf'), text)
    server.child.kill('SIGHUP')
    await eventually('it is not loaded again', () => {
      return (server.output.match(/the configuration was loaded again/g)?.length ?? 0) >= times
    })
  }
  await report(server, { login: 'ann' })
  await receiver.waitForCount(1)
  await reload('function(alert) return "new " .. alert.key end', 1)
  await report(server, { login: 'bob' })
  await receiver.waitForCount(2)
  await reload('', 2)
  await report(server, { login: 'carl' })
  await receiver.waitForCount(3)
  const [first, second, third] = receiver.received.map(({ body }) => body)
  assert.deepEqual([first, second], ['old ann', 'new bob'])
  assert.match(third ?? '', /^\{"kind":"alert".*"key":"carl"/)
})
