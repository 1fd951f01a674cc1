/** Clients that are broken, slow or too many. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { call, closed, exchange, nextText } from '../../support/http-client.ts'
import { basicAuth, startHttp } from '../../support/http-server-fixture.ts'

const auth = `Host: x\r\nAuthorization: ${basicAuth()}\r\n`

function open(t: TestContext, url: string): Socket {
  const { port } = new URL(url)
  const socket = connect(Number(port), '127.0.0.1')
  socket.on('error', () => undefined)
  t.after(() => socket.destroy())
  return socket
}

for (const [what, bytes, status] of [
  ['what is not HTTP', 'nonsense\r\n\r\n', 400],
  ['a TLS handshake on a plain port', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
  ['a header without a colon', 'GET / HTTP/1.1\r\nHost x\r\n\r\n', 400],
  [
    'two content lengths',
    `POST /command/report HTTP/1.1\r\n${auth}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`,
    400,
  ],
  [
    'content length and chunks',
    `POST /command/report HTTP/1.1\r\n${auth}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    400,
  ],
  [
    'a chunk that is none',
    `POST /command/report HTTP/1.1\r\n${auth}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`,
    400,
  ],
  ['a request without Host', `GET /command/stats HTTP/1.1\r\nAuthorization: ${basicAuth()}\r\n\r\n`, 400],
  ['headers that are too long', `GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
] as const) {
  test(`${what} is answered ${status} in JSON, and the connection closed`, async (t) => {
    const fixture = await startHttp(t)
    const answer = await exchange(fixture.url, bytes)
    assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `))
    assert.match(answer, /content-type: application\/json/)
    assert.match(answer, /connection: close/i)
    const reason: unknown = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))
    assert.ok(typeof reason === 'object' && reason !== null && 'reason' in reason)
    assert.deepEqual(fixture.internalErrors, [])
  })
}

test('an expectation other than 100-continue changes nothing', async (t) => {
  const { url } = await startHttp(t)
  const answer = await exchange(
    url,
    `GET /command/livez HTTP/1.1\r\n${auth}Expect: something\r\nConnection: close\r\n\r\n`,
  )
  assert.match(answer, /^HTTP\/1\.1 200 /)
})

test('a body over the limit that comes in chunks is cut off with 413', async (t) => {
  const { url } = await startHttp(t, { bodyLimitBytes: 1_000 })
  const chunk = `200\r\n${'x'.repeat(512)}\r\n`
  const answer = await exchange(
    url,
    `POST /command/report HTTP/1.1\r\n${auth}Transfer-Encoding: chunked\r\n\r\n${chunk}${chunk}${chunk}`,
  )
  assert.match(answer, /^HTTP\/1\.1 413 /)
  assert.match(answer, /larger than 1000 bytes/)
})

for (const [what, bytes] of [
  ['nothing at all', ''],
  ['half of its headers', `POST /command/report HTTP/1.1\r\nHost: x\r\n`],
  ['half of its body', `POST /command/report HTTP/1.1\r\n${auth}Content-Length: 100\r\n\r\n{"login":`],
] as const) {
  test(`a client that sends ${what} is cut off with 408`, async (t) => {
    const fixture = await startHttp(t, { headersTimeoutMs: 100, requestTimeoutMs: 150 })
    assert.match(await exchange(fixture.url, bytes), /^HTTP\/1\.1 408 Request Timeout\r\n/)
    assert.deepEqual(fixture.reports, [])
    assert.deepEqual(fixture.internalErrors, [])
  })
}

test('a client that drips its headers is cut off all the same', async (t) => {
  const { url } = await startHttp(t, { headersTimeoutMs: 200, requestTimeoutMs: 300 })
  const socket = open(t, url)
  socket.write('GET / HTTP/1.1\r\n')
  const drip = setInterval(() => socket.write('X: x\r\n'), 20)
  const answer = await nextText(socket)
  clearInterval(drip)
  assert.match(answer, /^HTTP\/1\.1 408 /)
})

test('a connection that is kept open without a further request is closed', async (t) => {
  const { url } = await startHttp(t, { keepAliveTimeoutMs: 100 })
  const socket = open(t, url)
  socket.write(`GET /command/livez HTTP/1.1\r\n${auth}\r\n`)
  const chunks: string[] = []
  socket.on('data', (chunk) => chunks.push(String(chunk)))
  await closed(socket)
  assert.equal(chunks.join('').match(/HTTP\/1\.1/g)?.length, 1)
})

test('a client that goes away in the middle of its body does no harm', async (t) => {
  const fixture = await startHttp(t)
  const socket = open(t, fixture.url)
  socket.write(`POST /command/report HTTP/1.1\r\n${auth}Content-Length: 100\r\n\r\n{"login":`)
  await once(socket, 'connect')
  socket.resetAndDestroy()
  await closed(socket)
  assert.equal((await call(fixture.url, { path: '/command/livez' })).status, 200)
  assert.deepEqual(fixture.internalErrors, [])
})

test('pipelined requests are answered in order', async (t) => {
  const fixture = await startHttp(t)
  const report = (login: string): string => {
    const body = JSON.stringify({ login, remote: '::1', success: true })
    return `POST /command/report HTTP/1.1\r\n${auth}Content-Length: ${body.length}\r\n\r\n${body}`
  }
  const last = `GET /command/livez HTTP/1.1\r\n${auth}Connection: close\r\n\r\n`
  const answers = await exchange(fixture.url, report('a') + report('b') + last)
  assert.equal(answers.match(/HTTP\/1\.1 200 /g)?.length, 3)
  assert.deepEqual(
    fixture.reports.map(({ login }) => login),
    ['a', 'b'],
  )
})

test('connections over the limit are closed at once and counted, over all listeners together', async (t) => {
  const loopback = { host: '127.0.0.1', port: 0, tls: null }
  const fixture = await startHttp(t, { listeners: [loopback, loopback], maxConnections: 2 })
  const [first, second] = fixture.addresses.map(({ url }) => url)
  assert.ok(first !== undefined && second !== undefined)
  const ask = async (socket: Socket): Promise<string> => {
    socket.write(`GET /command/livez HTTP/1.1\r\n${auth}\r\n`)
    return nextText(socket)
  }
  const kept = [open(t, first), open(t, second)]
  for (const socket of kept) assert.match(await ask(socket), /^HTTP\/1\.1 200 /)
  for (const url of [first, second]) assert.equal(await exchange(url, ''), '')
  assert.deepEqual(
    fixture.refused,
    [1, 2].map(() => ({ kind: 'connections', peer: '127.0.0.1' })),
  )
  assert.equal(fixture.connections.at(-1), 2)

  const [leaving, staying] = kept
  leaving?.destroy()
  while (fixture.connections.at(-1) !== 1) await new Promise((resolve) => setImmediate(resolve))
  assert.match(await ask(open(t, second)), /^HTTP\/1\.1 200 /)
  assert.equal(staying?.destroyed, false)
})
