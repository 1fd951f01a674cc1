/** SIGHUP: what a new configuration changes at once, what it leaves alone, and what a broken one changes: nothing. */
import assert from 'node:assert/strict'
import { renameSync, writeFileSync } from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { ANSWER_LUA, ask, eventually, metric, report } from '../support/ask-server.ts'
import { freePort } from '../support/free-port.ts'
import { privateCa } from '../support/private-ca.ts'
import { reload, reloadOutcomes } from '../support/reload.ts'
import { BASE_CONFIGURATION, basicAuth, PASSWORD, startServer } from '../support/server-process.ts'
import { startReceiver } from '../support/web-hook-receiver.ts'

interface Answer {
  readonly status: number
  /** Of the client's end of the connection. */
  readonly port: number
}

/** GETs the stats over one connection that stays open. */
function keptConnection(t: TestContext, url: string): (password?: string) => Promise<Answer> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  return (password = PASSWORD) =>
    new Promise((resolve, reject) => {
      const asking = request(
        new URL('/command/stats', url),
        { agent, headers: { authorization: basicAuth(password) } },
        (response) => {
          // Once it has ended the connection is the agent's again.
          const port = response.socket.localPort ?? 0
          response.resume()
          response.on('end', () => resolve({ status: response.statusCode ?? 0, port }))
        },
      )
      asking.on('error', reject)
      asking.end()
    })
}

const saying = (text: string): string => `${BASE_CONFIGURATION}
  setReport(function(lt) infoLog("${text}", {login=lt.login}) end)`

describe('a new configuration', () => {
  test('changes the policy, its endpoints and its statistics', async (t) => {
    const server = await startServer(t, {
      configuration: `${saying('old policy')}${ANSWER_LUA}
        addCustomStat("before")
        setCustomEndpoint("gone", function() return true end)
        setCustomEndpoint("ask", function() return answer("old") end)`,
    })
    await report(server, { login: 'ann' })
    await server.waitFor(/old policy: login="ann"/)
    const refused = await reload(
      server,
      `${saying('new policy')}${ANSWER_LUA}
        addCustomStat("after")
        setCustomEndpoint("come", function() return answer("there") end)
        setCustomEndpoint("ask", function() incCustomStat("after") return answer("new") end)`,
    )
    assert.equal(refused, undefined)
    await report(server, { login: 'bob' })
    await server.waitFor(/new policy: login="bob"/)
    assert.doesNotMatch(server.output, /old policy: login="bob"/)
    assert.equal(await ask(server, 'ask'), 'new')
    assert.equal(await ask(server, 'come'), 'there')
    assert.equal((await server.post('/command/gone', {})).status, 404)
    const stats = (await (await server.get('/command/stats')).json()) as { readonly customstats: object }
    assert.deepEqual(stats.customstats, { after: 1 })
    assert.equal(await metric(server, 'trackalert_reloads_total{status="ok"}'), 1)
    const loadedAt = await metric(server, 'trackalert_config_last_reload_success_timestamp_seconds')
    assert.ok(Math.abs(Date.now() / 1000 - loadedAt) < 60)
  })

  test('changes password and ACL at once, also on connections that are open, and closes none', async (t) => {
    const server = await startServer(t, { configuration: BASE_CONFIGURATION })
    const get = keptConnection(t, server.url)
    const first = await get()
    assert.equal(first.status, 200)
    const listener = 'addListener("127.0.0.1:0", false, "", "", {})\n'
    assert.equal(await reload(server, `${listener}setWebserverPassword("another")`), undefined)
    assert.deepEqual(await get(), { status: 401, port: first.port })
    assert.deepEqual(await get('another'), { status: 200, port: first.port })
    assert.equal((await fetch(new URL('/metrics', server.url))).status, 401)
    const open = `${listener}setWebserverPassword("another") setMetricsNoPassword()`
    assert.equal(await reload(server, open), undefined)
    assert.equal((await fetch(new URL('/metrics', server.url))).status, 200)
    assert.equal(await reload(server, `${open} setACL{"192.0.2.0/24"}`), undefined)
    assert.deepEqual(await get('another'), { status: 401, port: first.port })
    assert.equal((await fetch(new URL('/metrics', server.url))).status, 401)
  })

  test('opens new listeners, closes those that are gone, and leaves the others and their connections', async (t) => {
    const added = await freePort()
    const server = await startServer(t, { configuration: BASE_CONFIGURATION })
    const get = keptConnection(t, server.url)
    const first = await get()
    const more = `addListener("127.0.0.1:${added}", false, "", "", {})`
    assert.equal(await reload(server, `${BASE_CONFIGURATION}${more}`), undefined)
    assert.equal(server.urls[1], `http://127.0.0.1:${added}`)
    const getFromAdded = keptConnection(t, server.urls[1])
    assert.equal((await getFromAdded()).status, 200)
    assert.deepEqual(await get(), first)

    assert.equal(await reload(server, BASE_CONFIGURATION), undefined)
    await server.waitFor(new RegExp(`not listening any more: url="http://127.0.0.1:${added}"`))
    await assert.rejects(getFromAdded())
    assert.deepEqual(await get(), first)
  })

  test('takes over a certificate that was renewed under the same name', async (t) => {
    const server = await startServer(t, { configuration: BASE_CONFIGURATION })
    const use = async (certificate: string, key: string): Promise<void> => {
      await copyFile(certificate, join(server.folder, 'cert.pem'))
      await copyFile(key, join(server.folder, 'key.pem'))
    }
    const subject = (): Promise<string> =>
      new Promise((resolve, reject) => {
        const { hostname, port } = new URL(server.urls[1] ?? '')
        const socket = connectTls(
          { host: hostname, port: Number(port), rejectUnauthorized: false, servername: 'localhost' },
          () => {
            resolve(socket.getPeerCertificate().fingerprint256)
            socket.destroy()
          },
        )
        socket.once('error', reject)
      })
    await use(privateCa.serverFile, privateCa.serverKeyFile)
    const configuration = `${BASE_CONFIGURATION}addListener("127.0.0.1:0", true, "cert.pem", "key.pem", {})`
    assert.equal(await reload(server, configuration), undefined)
    const before = await subject()
    await use(privateCa.clientFile, privateCa.clientKeyFile)
    assert.equal(await subject(), before)
    assert.equal(await reload(server, configuration), undefined)
    assert.notEqual(await subject(), before)
    assert.equal(server.urls.length, 2)
  })

  test('sends what is queued for a webhook as it is defined then, under the same delivery id', async (t) => {
    const dead = await startReceiver(t, (_request, response) => response.writeHead(503).end())
    const alive = await startReceiver(t)
    const policy = (url: string): string => `${BASE_CONFIGURATION}
      addCustomWebHook("alarm", {url="${url}"})
      setReport(function(lt) runCustomWebHook("alarm", lt.login) end)`
    const server = await startServer(t, { configuration: policy(dead.url) })
    await report(server, { login: 'ann' })
    await dead.waitForCount(1)
    assert.equal(await reload(server, policy(alive.url)), undefined)
    await alive.waitForCount(1)
    assert.equal(alive.received[0]?.body, 'ann')
    const id = dead.received[0]?.headers['x-wforce-delivery']
    assert.ok(id !== undefined)
    assert.equal(alive.received[0]?.headers['x-wforce-delivery'], id)
  })

  test('keeps what trends remember, with a field more, and says what another window drops', async (t) => {
    const policy = (database: string): string => `${BASE_CONFIGURATION}${ANSWER_LUA}
      newStringStatsDB("logins", ${database})
      local db = getStringStatsDB("logins")
      setReport(function(lt)
        db:twAdd(lt.login, "count", 1)
        pcall(function() db:twAdd(lt.login, "places", lt.remote) end)
      end)
      setCustomEndpoint("count", function() return answer(db:twGet("ann", "count")) end)
      setCustomEndpoint("places", function() return answer(db:twGet("ann", "places")) end)`
    const server = await startServer(t, { configuration: policy('3600, 24, {count="int"}') })
    await report(server, { login: 'ann' })
    await report(server, { login: 'ann' })
    assert.equal(await reload(server, policy('3600, 24, {count="int", places="hll"}')), undefined)
    await report(server, { login: 'ann', remote: '192.0.2.9' })
    await eventually('the count is not 3', async () => (await ask(server, 'count')) === 3)
    assert.equal(await ask(server, 'places'), 1)
    await server.waitFor(/a trend database has changed: database="logins" kept="count"/)

    assert.equal(await reload(server, policy('1000, 3, {places="hll"}')), undefined)
    await server.waitFor(
      /stored trends are dropped: database="logins" dropped="field count: it is no longer defined"/,
    )
    assert.equal((await server.post('/command/count', {})).status, 500)
  })

  test('sees every change of the runs before it, and lets reports of one login keep their order', async (t) => {
    const slow = await startReceiver(t, (_request, response) => void setTimeout(() => response.end(), 30))
    const policy = (name: string, states: number): string => `${BASE_CONFIGURATION}
      setNumLuaStates(${states})
      newStringStatsDB("logins", 3600, 24, {count="int"})
      local db = getStringStatsDB("logins")
      setReport(function(lt)
        infoLog("begin", {login=lt.login, session=lt.session_id, policy="${name}", seen=db:twGet(lt.login, "count")})
        http.request{url="${slow.url}"}
        db:twAdd(lt.login, "count", 1)
        infoLog("end", {login=lt.login, session=lt.session_id})
      end)`
    const server = await startServer(t, { configuration: policy('first', 3) })
    const users = ['user0', 'user1', 'user2']
    let sent = 0
    const sendEach = async (): Promise<void> => {
      const session_id = String(sent++)
      const records = users.map((login) => ({
        value: { login, remote: '192.0.2.1', success: true, session_id },
      }))
      assert.equal((await server.post('/command/report', { records })).status, 200)
    }
    for (let round = 0; round < 10; round++) await sendEach()
    const reloading = reload(server, policy('second', 2))
    await eventually('the new policy sees no report', async () => {
      await sendEach()
      return server.output.includes('policy="second"')
    })
    assert.equal(await reloading, undefined)
    for (const user of users) {
      await server.waitFor(new RegExp(`end: login="${user}" session="${sent - 1}"`))
      const line = new RegExp(
        `(begin|end): login="${user}" session="(\\d+)"(?: policy="\\w+" seen="(\\d+)")?`,
        'g',
      )
      const events = Array.from(server.output.matchAll(line), ([, kind, session, seen]) =>
        kind === 'begin' ? `begin ${session} seen ${seen}` : `end ${session}`,
      )
      const wanted = Array.from({ length: sent }, (_, number) => [
        `begin ${number} seen ${number}`,
        `end ${number}`,
      ])
      assert.deepEqual(events, wanted.flat())
    }
    assert.match(server.output, /policy="first"/)
  })

  test('that waits for a slow run lets reports come in meanwhile, and the server says that it is ready', async (t) => {
    const ends: (() => void)[] = []
    const slow = await startReceiver(t, (_request, response) => ends.push(() => response.end()))
    const server = await startServer(t, {
      configuration: `${BASE_CONFIGURATION}
        setReport(function(lt) if lt.login == "slow" then http.request{url="${slow.url}", timeout=20} end end)`,
    })
    await report(server, { login: 'slow' })
    await slow.waitForCount(1)
    const reloading = reload(server, saying('new policy'))
    // The new workers are ready when the old ones get nothing more to do.
    await eventually('reports are not held back', async () => {
      await report(server, { login: 'waiting' })
      return (await metric(server, 'trackalert_web_queue_size')) > 0
    })
    assert.equal((await server.get('/command/readyz')).status, 200)
    assert.equal((await server.get('/command/stats')).status, 200)
    assert.doesNotMatch(server.output, /new policy: login/)
    for (const end of ends) end()
    assert.equal(await reloading, undefined)
    await server.waitFor(/new policy: login="waiting"/)
    await eventually(
      'the queue does not empty',
      async () => (await metric(server, 'trackalert_backlog_reports')) === 0,
    )
  })

  test('asked for many times in a row is loaded at least once after the last wish, and not each time', async (t) => {
    const server = await startServer(t, { configuration: BASE_CONFIGURATION })
    const file = join(server.folder, 'trackalert.conf')
    // Whole files, since a reload may read at any moment; and without a pause, while a reload starts threads.
    for (let round = 1; round <= 20; round++) {
      writeFileSync(`${file}.new`, saying(`policy ${round}`))
      renameSync(`${file}.new`, file)
      server.child.kill('SIGHUP')
    }
    await eventually('the last policy is not in force', async () => {
      await report(server, { login: 'ann' })
      return /policy 20: login="ann"/.test(server.output)
    })
    assert.ok(reloadOutcomes(server).length < 20)
  })
})

describe('a configuration that cannot be used', () => {
  const cases = {
    'has a syntax error': [() => 'setReport(function(lt) oops', /trackalert\.conf:6: syntax error/],
    'has a netmask that is none': [() => 'setACL{"10.0.0.0/99"}', /trackalert\.conf:\d+: .*10\.0\.0\.0\/99/],
    'names a GeoIP file that is not there': [() => 'newGeoIP2DB("city", "missing.mmdb")', /missing\.mmdb/],
    'moves the state directory': [() => 'setStateDirectory("elsewhere")', /restart the server for that/],
    'fails in the policy states only': [
      () => 'local seen = io.open("seen") if seen then error("not in here") end io.open("seen", "w"):close()',
      /not in here/,
    ],
    'listens where another program does': [
      (port: number) => `addListener("127.0.0.1:${port}", false, "", "", {})`,
      /EADDRINUSE/,
    ],
    'has a certificate that is not there': [
      () => 'addListener("127.0.0.1:0", true, "missing.pem", "missing-key.pem", {})',
      /trackalert\.conf:6: .*missing\.pem/,
    ],
    'has an authority for webhooks that is not there': [
      () => 'setCurlCABundleFile("missing.pem")',
      /missing\.pem/,
    ],
  } as const
  for (const [fault, [lines, reason]] of Object.entries(cases)) {
    test(`since it ${fault} leaves the one in force as it is, and the log says why`, async (t) => {
      const other = createServer()
      await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
      t.after(() => other.close())
      const address = other.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      const server = await startServer(t, { configuration: saying('old policy') })
      const get = keptConnection(t, server.url)
      const first = await get()
      const broken = `${saying('new policy').replace(PASSWORD, 'another')}\n${lines(port)}`
      assert.match((await reload(server, broken)) ?? '', reason)
      assert.deepEqual(await get(), first)
      await report(server, { login: 'ann' })
      await server.waitFor(/old policy: login="ann"/)
      assert.equal(server.urls.length, 1)
      assert.equal(await metric(server, 'trackalert_reloads_total{status="failed"}'), 1)
      // And the way is free for a good one.
      assert.equal(await reload(server, saying('good policy')), undefined)
      await report(server, { login: 'bob' })
      await server.waitFor(/good policy: login="bob"/)
    })
  }
})
