/** Listeners that change while the server runs. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test, type TestContext } from 'node:test'
import type { HttpOptions } from '../../../src/http/http-ports.ts'
import { freePort } from '../../support/free-port.ts'
import { call, closed, nextText } from '../../support/http-client.ts'
import { basicAuth, groupOf, LOOPBACK, PASSWORD, startHttp } from '../../support/http-server-fixture.ts'

const LIVEZ = 'GET /command/livez HTTP/1.1\r\nHost: x\r\n\r\n'

const optionsWith = (options: Partial<HttpOptions> = {}): HttpOptions => ({
  listeners: [LOOPBACK],
  password: PASSWORD,
  acl: groupOf('127.0.0.0/8'),
  maxConnections: 100,
  bodyLimitBytes: 1024,
  requestTimeoutMs: 10_000,
  headersTimeoutMs: 10_000,
  keepAliveTimeoutMs: 10_000,
  metricsNoPassword: false,
  ...options,
})

function open(t: TestContext, url: string) {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port) })
  t.after(() => socket.destroy())
  return socket
}

test('a new listener lets in whom the new options let in, also before they are in force', async (t) => {
  const { server, url } = await startHttp(t)
  const prepared = await server.prepare(optionsWith({ listeners: [LOOPBACK, LOOPBACK], password: 'another' }))
  const { opened, closed: gone } = prepared.apply()
  assert.deepEqual([opened.length, gone.length], [1, 0])
  for (const one of [url, opened[0]?.url ?? '']) {
    const ask = async (password: string): Promise<number> =>
      (await call(one, { path: '/command/stats', headers: { authorization: basicAuth(password) } })).status
    assert.deepEqual([await ask(PASSWORD), await ask('another')], [401, 200])
  }
})

test('what was prepared and cancelled leaves no listener behind, and the old ones as they were', async (t) => {
  const { server, url } = await startHttp(t)
  const kept = open(t, url)
  kept.write(LIVEZ)
  assert.match(await nextText(kept), /^HTTP\/1\.1 200/)
  const port = await freePort()
  const wanted = optionsWith({ listeners: [{ ...LOOPBACK, port }], password: 'another', maxConnections: 1 })
  const prepared = await server.prepare(wanted)
  await prepared.cancel()
  await assert.rejects(call(`http://127.0.0.1:${port}`, { path: '/command/livez' }), { code: 'ECONNREFUSED' })
  const stats = await call(url, { path: '/command/stats', headers: { authorization: basicAuth() } })
  assert.equal(stats.status, 200)
  kept.write(LIVEZ)
  assert.match(await nextText(kept), /^HTTP\/1\.1 200/)
  // The port is free again.
  assert.equal((await server.prepare(wanted)).apply().opened.length, 1)
})

test('of several new listeners none stays when one cannot be opened', async (t) => {
  const { server } = await startHttp(t)
  const other = await startHttp(t)
  const port = await freePort()
  const taken = Number(new URL(other.url).port)
  await assert.rejects(
    server.prepare(
      optionsWith({ listeners: [LOOPBACK, { ...LOOPBACK, port }, { ...LOOPBACK, port: taken }] }),
    ),
    { code: 'TRK_LISTEN_FAILED', message: /EADDRINUSE/ },
  )
  await assert.rejects(call(`http://127.0.0.1:${port}`, { path: '/command/livez' }), { code: 'ECONNREFUSED' })
})

test('an address that a present listener stands in the way of is refused with the way out', async (t) => {
  const port = await freePort()
  const { server } = await startHttp(t, { listeners: [{ ...LOOPBACK, port }] })
  await assert.rejects(server.prepare(optionsWith({ listeners: [{ host: '0.0.0.0', port, tls: null }] })), {
    code: 'TRK_LISTEN_FAILED',
    message: /take that one out and reload, then add this one and reload, or restart/,
  })
})

test('a listener that goes lets a request in progress end, and closes idle connections', async (t) => {
  const asked = Promise.withResolvers<void>()
  const answer = Promise.withResolvers<void>()
  const port = await freePort()
  const { server, addresses } = await startHttp(
    t,
    { listeners: [LOOPBACK, { ...LOOPBACK, port }] },
    {
      async submitReports() {
        asked.resolve()
        await answer.promise
        return { kind: 'accepted' }
      },
    },
  )
  const going = addresses[1]?.url ?? ''
  const idle = open(t, going)
  idle.write(LIVEZ)
  await nextText(idle)
  const report = call(going, {
    method: 'POST',
    path: '/command/report',
    headers: { authorization: basicAuth() },
    body: '{"login":"ann","remote":"192.0.2.1","success":true}',
  })
  await asked.promise
  assert.deepEqual((await server.prepare(optionsWith())).apply().closed, [going])
  await closed(idle)
  answer.resolve()
  const { status, headers } = await report
  assert.deepEqual([status, headers.connection], [200, 'close'])
})

test('a smaller limit of connections refuses new ones, and closes none that are open', async (t) => {
  const { server, url, refused } = await startHttp(t)
  const first = open(t, url)
  first.write(LIVEZ)
  await nextText(first)
  ;(await server.prepare(optionsWith({ maxConnections: 1 }))).apply()
  await closed(open(t, url))
  assert.deepEqual(refused, [{ kind: 'connections', peer: '127.0.0.1' }])
  first.write(LIVEZ)
  assert.match(await nextText(first), /^HTTP\/1\.1 200/)
})
