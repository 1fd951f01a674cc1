/**
 * The promises of a 200, tested from outside: the real server under load is killed, stopped, frozen or loses a thread, is
 * started again on the same state, and must then have counted every acknowledged report exactly once.
 */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { test, type TestContext } from 'node:test'
import { metric, report } from '../support/ask-server.ts'
import { DEBUGGER_ENV, killThread } from '../support/kill-thread.ts'
import { LoginClient } from '../support/login-client.ts'
import { BASE_CONFIGURATION, startServer, type ServerProcess } from '../support/server-process.ts'
import { startReceiver, type WebHookReceiver } from '../support/web-hook-receiver.ts'
import { randomFrom } from '../support/random-from.ts'

const USERS = 200
const CONNECTIONS = 16
/** More than any user reports in one test: `seen` must not forget one. */
const MAX_ITEMS = 4000
const KILLS = Number(process.env['CRASH_KILLS'] ?? 20)
/** Of a thread; each costs a pause until it is replaced. */
const THREAD_KILLS = Math.ceil(KILLS / 4)
const SEED = Number(process.env['CRASH_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

function configuration(receiver: WebHookReceiver): string {
  return `${BASE_CONFIGURATION}
    newStringStatsDB("logins", 86400, 30, {count="int", sessions="seen"}, {maxItems=${MAX_ITEMS}})
    local db = getStringStatsDB("logins")
    addCustomWebHook("each", {url="${receiver.url}"})
    setNumLuaStates(2)
    setReport(function(lt)
      db:twAdd(lt.login, "count", 1)
      db:twAdd(lt.login, "sessions", lt.session_id)
      runCustomWebHook("each", lt.session_id)
      raiseAlert{rule="each", key=lt.login, message=lt.session_id, dedup="1d"}
      if lt.login == "stuck" then
        -- A pattern whose matching takes practically for ever, in one step that no limit can interrupt.
        string.find(string.rep("a", 40), string.rep("a-", 30) .. "b")
      end
    end)
    setCustomEndpoint("ask", function(args)
      local found = {count = db:twGet(args.attrs.login, "count")}
      for _, session in ipairs(db:twItems(args.attrs.login, "sessions")) do found[session.item] = session.count end
      return true, found
    end)`
}

/** What the server remembers of a login: how many reports, and how often each session was seen. */
async function remembered(server: ServerProcess, login: string) {
  const answer = await server.post('/command/ask', { attrs: { login } })
  assert.equal(answer.status, 200, server.output.slice(-2000))
  const { r_attrs } = (await answer.json()) as { r_attrs: Record<string, string> }
  const { count = '0', ...sessions } = r_attrs
  return {
    count: Number(count),
    sessions: new Map(Object.entries(sessions).map(([key, n]) => [key, Number(n)])),
  }
}

async function waitUntilIdle(server: ServerProcess): Promise<void> {
  const endMs = performance.now() + 60_000
  while (performance.now() < endMs) {
    const text = await (await server.get('/metrics')).text()
    const backlog = /^trackalert_backlog_reports (\d+)$/m.exec(text)?.[1]
    const webHooks = /^trackalert_webhook_queue_size (\d+)$/m.exec(text)?.[1]
    if (backlog === '0' && webHooks === '0') return
    await sleep(50)
  }
  assert.fail('the backlog does not empty')
}

/** How often the alert of each login was raised. */
async function raised(server: ServerProcess): Promise<ReadonlyMap<string, number>> {
  const answer = await server.get('/command/alerts?rule=each&limit=10000')
  const { alerts } = (await answer.json()) as {
    readonly alerts: readonly { readonly key: string; readonly count: number }[]
  }
  assert.equal(new Set(alerts.map(({ key }) => key)).size, alerts.length, 'a login has two alerts')
  return new Map(alerts.map(({ key, count }) => [key, count]))
}

/** The audit: see the file's first comment. */
async function assertExactlyOnce(
  server: ServerProcess,
  client: LoginClient,
  receiver: WebHookReceiver,
): Promise<void> {
  await waitUntilIdle(server)
  const deliveries = new Map<string, Set<unknown>>()
  for (const { body, headers } of receiver.received) {
    const ids = deliveries.get(body) ?? new Set()
    deliveries.set(body, ids.add(headers['x-wforce-delivery']))
  }
  const alerts = await raised(server)
  for (const [login, sent] of client.sent) {
    const { count, sessions } = await remembered(server, login)
    const acknowledged = client.acknowledged.get(login) ?? new Set()
    for (const session of acknowledged) {
      assert.equal(
        sessions.get(session),
        1,
        `${session} of ${login} was acknowledged and is not counted once`,
      )
      assert.equal(deliveries.get(session)?.size, 1, `the webhook of ${session} did not arrive under one id`)
    }
    for (const [session, times] of sessions) {
      assert.ok(sent.has(session), `${session} of ${login} was never sent`)
      assert.equal(times, 1, `${session} of ${login} was counted ${times} times`)
    }
    assert.equal(count, sessions.size, `the sum of ${login} is not the number of its reports`)
    assert.equal(alerts.get(login) ?? 0, count, `the alert of ${login} does not count its reports`)
  }
}

interface Rig {
  readonly server: ServerProcess
  readonly client: LoginClient
  readonly receiver: WebHookReceiver
  readonly restart: () => Promise<ServerProcess>
}

async function start(t: TestContext, env: Readonly<Record<string, string>> = {}): Promise<Rig> {
  const receiver = await startReceiver(t)
  const text = configuration(receiver)
  const server = await startServer(t, { configuration: text, env })
  return {
    server,
    receiver,
    client: new LoginClient(USERS),
    restart: () => startServer(t, { configuration: text, folder: server.folder }),
  }
}

test(`killed with -9 at ${KILLS} random moments, it counts every acknowledged report exactly once`, async (t) => {
  t.diagnostic(`CRASH_SEED=${SEED}`)
  const random = randomFrom(SEED)
  const { server: first, client, receiver, restart } = await start(t)
  let server = first
  for (let kill = 0; kill < KILLS; kill++) {
    client.start(server.url, CONNECTIONS)
    await sleep(20 + random() * 400)
    await server.stop('SIGKILL')
    await client.stop()
    server = await restart()
  }
  t.diagnostic(`${client.acknowledgedCount} of ${client.sentCount} reports were acknowledged`)
  assert.ok(client.acknowledgedCount > KILLS)
  await assertExactlyOnce(server, client, receiver)
})

test('stopped with SIGTERM under load, it loses nothing', async (t) => {
  const { server, client, receiver, restart } = await start(t)
  client.start(server.url, CONNECTIONS)
  await sleep(500)
  assert.deepEqual(await server.stop('SIGTERM'), { code: 0, signal: null }, server.output)
  await client.stop()
  await assertExactlyOnce(await restart(), client, receiver)
})

test('frozen for five seconds with SIGSTOP, it goes on as if nothing had been', async (t) => {
  const { server, client, receiver } = await start(t)
  client.start(server.url, CONNECTIONS)
  await sleep(300)
  server.child.kill('SIGSTOP')
  await sleep(5000)
  server.child.kill('SIGCONT')
  await sleep(300)
  await client.stop()
  assert.doesNotMatch(server.output, /answers nothing|was lost/)
  await assertExactlyOnce(server, client, receiver)
})

for (const thread of ['store', 'policy'] as const) {
  test(`the ${thread} thread killed under load ${THREAD_KILLS} times, it goes on and counts each report once`, async (t) => {
    t.diagnostic(`CRASH_SEED=${SEED}`)
    const random = randomFrom(SEED)
    const { server, client, receiver, restart } = await start(t, DEBUGGER_ENV)
    for (let kill = 1; kill <= THREAD_KILLS; kill++) {
      client.start(server.url, CONNECTIONS)
      await sleep(20 + random() * 300)
      await killThread(server, thread)
      await sleep(20 + random() * 100)
      await client.stop()
      await waitUntilIdle(server)
    }
    t.diagnostic(`${client.acknowledgedCount} of ${client.sentCount} reports were acknowledged`)
    if (thread === 'policy') {
      assert.equal(await metric(server, 'trackalert_worker_restarts_total{reason="exit"}'), THREAD_KILLS)
      assert.match(server.output, / error a policy worker died/)
    } else {
      assert.equal(await metric(server, 'trackalert_store_restarts_total'), THREAD_KILLS)
      assert.match(server.output, / error the store thread was lost and is replaced/)
    }
    await assertExactlyOnce(server, client, receiver)
    await server.stop('SIGKILL')
    await assertExactlyOnce(await restart(), client, receiver)
  })
}

test('a worker that a run holds for ever is replaced under load; that run alone counts as failed', async (t) => {
  const { server, client, receiver } = await start(t)
  client.start(server.url, CONNECTIONS)
  await sleep(200)
  await report(server, { login: 'stuck', session_id: 'never' })
  await sleep(200)
  await client.stop()
  await server.waitFor(/a Lua function failed.*code="TRK_WORKER_LOST"/, 80_000)
  await assertExactlyOnce(server, client, receiver)
  assert.deepEqual(await remembered(server, 'stuck'), { count: 0, sessions: new Map() })
  assert.equal(await metric(server, 'trackalert_failed_reports'), 1)
  assert.ok(!receiver.received.some(({ body }) => body === 'never'))
})
