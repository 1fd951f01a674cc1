import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { createServer as createTlsServer } from 'node:https'
import { describe, test } from 'node:test'
import { listenLocal } from '../support/listen-local.ts'
import { privateCa } from '../support/private-ca.ts'
import { BASE_CONFIGURATION, startServer, type ServerProcess } from '../support/server-process.ts'
import { startReceiver } from '../support/web-hook-receiver.ts'

async function send(server: ServerProcess, login: string): Promise<void> {
  const answer = await server.post('/command/report', { login, remote: '192.0.2.1', success: true })
  assert.equal(answer.status, 200)
}

describe('a custom webhook', () => {
  test('arrives with every header of the contract and a signature over its exact body', async (t) => {
    const receiver = await startReceiver(t)
    const server = await startServer(t, {
      configuration: `${BASE_CONFIGURATION}
        addCustomWebHook("alarm", {url="${receiver.url}/%{YYYY}", secret="s3cret", ["basic-auth"]="u:p:q", ["api-key"]="k1"})
        setReport(function(lt) runCustomWebHook("alarm", '{"login":"' .. lt.login .. '"}') end)`,
    })
    await send(server, 'Jos\u00e9')
    await receiver.waitForCount(1)
    const [hook] = receiver.received
    assert.ok(hook !== undefined)
    assert.equal(hook.url, `/hook/${new Date().getUTCFullYear()}`)
    assert.equal(hook.body, '{"login":"Jos\u00e9"}')
    assert.equal(hook.headers['content-type'], 'application/json')
    assert.equal(hook.headers['x-wforce-event'], 'alarm')
    assert.ok(hook.headers['x-wforce-hookid'])
    assert.match(String(hook.headers['x-wforce-delivery']), /^[0-9a-f-]{36}$/)
    assert.equal(
      hook.headers['x-wforce-signature'],
      createHmac('sha256', 's3cret').update(hook.body).digest('base64'),
    )
    assert.equal(hook.headers['authorization'], `Basic ${Buffer.from('u:p:q').toString('base64')}`)
    assert.equal(hook.headers['x-api-key'], 'k1')
  })

  test('with kafka is wrapped as the Kafka REST proxy wants it', async (t) => {
    const receiver = await startReceiver(t)
    const server = await startServer(t, {
      configuration: `${BASE_CONFIGURATION}
        addCustomWebHook("alarm", {url="${receiver.url}", kafka="true"})
        setReport(function(lt) runCustomWebHook("alarm", '{"login":"' .. lt.login .. '"}') end)`,
    })
    await send(server, 'ann')
    await receiver.waitForCount(1)
    assert.equal(receiver.received[0]?.headers['content-type'], 'application/vnd.kafka.json.v2+json')
    assert.deepEqual(JSON.parse(receiver.received[0]?.body ?? ''), { records: [{ value: { login: 'ann' } }] })
  })

  test('to a server with a certificate of a private authority goes out with setCurlCABundleFile', async (t) => {
    const bodies: string[] = []
    const { promise: arrived, resolve } = Promise.withResolvers<void>()
    const target = createTlsServer(privateCa.server, (request, response) => {
      request.on('data', (chunk: Buffer) => bodies.push(chunk.toString()))
      request.on('end', () => response.end(() => resolve()))
    })
    const port = await listenLocal(t, target)
    const server = await startServer(t, {
      configuration: `${BASE_CONFIGURATION}
        setCurlCABundleFile("${privateCa.caFile}")
        addCustomWebHook("alarm", {url="https://127.0.0.1:${port}/"})
        setReport(function(lt) runCustomWebHook("alarm", lt.login) end)`,
    })
    await send(server, 'ann')
    await arrived
    assert.deepEqual(bodies, ['ann'])
  })

  test('to a server with an unknown certificate is not sent', async (t) => {
    const requests: string[] = []
    const target = createTlsServer(privateCa.server, (request) => requests.push(request.url ?? ''))
    const port = await listenLocal(t, target)
    const server = await startServer(t, {
      configuration: `${BASE_CONFIGURATION}
        addCustomWebHook("alarm", {url="https://127.0.0.1:${port}/"})
        setReport(function(lt) runCustomWebHook("alarm", lt.login) end)`,
    })
    await send(server, 'ann')
    await server.waitFor(/could not be delivered.*reason="tls"/)
    assert.deepEqual(requests, [])
  })

  test('does not follow a redirect', async (t) => {
    const elsewhere = await startReceiver(t)
    const receiver = await startReceiver(t, (_request, response) =>
      response.writeHead(307, { location: elsewhere.url }).end(),
    )
    const server = await startServer(t, {
      configuration: `${BASE_CONFIGURATION}
        addCustomWebHook("alarm", {url="${receiver.url}"})
        setReport(function(lt) runCustomWebHook("alarm", lt.login) end)`,
    })
    await send(server, 'ann')
    await server.waitFor(/given up: .*reason="redirect"/)
    assert.equal(receiver.received.length, 1)
    assert.equal(elsewhere.received.length, 0)
    const metrics = await (await server.get('/metrics')).text()
    assert.match(
      metrics,
      /^trackalert_custom_webhook_events_total\{id="1",url="http:[^"]*",status="error"\} 1$/m,
    )
  })

  test('that its receiver refuses at first is tried again under the same delivery id', async (t) => {
    const receiver = await startReceiver(t, (_request, response, attempt) => {
      response.statusCode = attempt === 1 ? 503 : 200
      response.end()
    })
    const server = await startServer(t, {
      configuration: `${BASE_CONFIGURATION}
        addCustomWebHook("alarm", {url="${receiver.url}"})
        setReport(function(lt) runCustomWebHook("alarm", lt.login) end)`,
    })
    await send(server, 'ann')
    await receiver.waitForCount(2)
    const ids = receiver.received.map((hook) => hook.headers['x-wforce-delivery'])
    assert.equal(ids[0], ids[1])
  })

  test('of a slow, a resetting and a closing receiver harms no other receiver', async (t) => {
    const slow = await startReceiver(t, () => undefined)
    const resetting = await startReceiver(t, (request) => request.socket.destroy())
    const closing = await startReceiver(t, (request, response) => {
      response.end(() => request.socket.destroy())
    })
    const healthy = await startReceiver(t)
    const server = await startServer(t, {
      configuration: `${BASE_CONFIGURATION}
        addCustomWebHook("slow", {url="${slow.url}"})
        addCustomWebHook("resetting", {url="${resetting.url}"})
        addCustomWebHook("closing", {url="${closing.url}"})
        addCustomWebHook("healthy", {url="${healthy.url}"})
        setReport(function(lt)
          for _, name in ipairs{"slow", "resetting", "closing", "healthy"} do runCustomWebHook(name, lt.login) end
        end)`,
    })
    const logins = Array.from({ length: 200 }, (_, user) => `user${user}`)
    const begin = performance.now()
    for (const login of logins) await send(server, login)
    await healthy.waitForCount(logins.length, 5000)
    const lateMs = performance.now() - begin
    assert.deepEqual(healthy.received.map((hook) => hook.body).toSorted(), logins.toSorted())
    assert.ok(lateMs < 5000, `${lateMs} ms`)
    // Its connections are closed after every answer: each delivery must still arrive.
    await closing.waitForCount(logins.length)
    assert.deepEqual(new Set(closing.received.map((hook) => hook.body)), new Set(logins))
  })
})

describe('the stop', () => {
  test('finishes the run in progress and delivers its webhook, then exits with 0', async (t) => {
    const gate = await startReceiver(
      t,
      (_request, response) => void setTimeout(() => response.end('go'), 500),
    )
    const receiver = await startReceiver(t)
    const server = await startServer(t, {
      configuration: `${BASE_CONFIGURATION}
        addCustomWebHook("alarm", {url="${receiver.url}"})
        setReport(function(lt)
          http.request{url="${gate.url}"}
          runCustomWebHook("alarm", lt.login)
        end)`,
    })
    await send(server, 'last')
    await gate.waitForCount(1)
    const status = await server.stop('SIGTERM')
    assert.deepEqual(status, { code: 0, signal: null }, server.output)
    assert.deepEqual(
      receiver.received.map((hook) => hook.body),
      ['last'],
    )
  })

  test('with a receiver that never answers takes 10 s at most, says what is left and exits with 0', async (t) => {
    const dead = await startReceiver(t, () => undefined)
    const server = await startServer(t, {
      configuration: `${BASE_CONFIGURATION}
        addCustomWebHook("alarm", {url="${dead.url}"})
        setReport(function(lt) runCustomWebHook("alarm", lt.login) end)`,
    })
    await send(server, 'lost')
    await dead.waitForCount(1)
    const begin = performance.now()
    assert.deepEqual(await server.stop('SIGINT'), { code: 0, signal: null }, server.output)
    assert.ok(performance.now() - begin < 13_000)
    assert.match(server.output, /part="delivery" left="1 webhook/)
  })
})
