/** Who is let in, and what those get who are not. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { test } from 'node:test'
import { call, exchange, nextText } from '../../support/http-client.ts'
import { basicAuth, groupOf, LOOPBACK, startHttp } from '../../support/http-server-fixture.ts'

const OUTSIDE = '{"status":"failure", "reason":"Source IP Address not in ACL", "ip":"127.0.0.1"}'
const headers = { authorization: basicAuth() }

for (const [method, path] of [
  ['POST', '/command/report'],
  ['GET', '/command/stats'],
  ['GET', '/command/livez'],
  ['GET', '/command/readyz'],
  ['GET', '/metrics'],
  ['GET', '/openapi.json'],
  ['GET', '/nonsense'],
  ['GET', '/command/%ff'],
  ['PUT', '/command/report'],
  ['POST', '/command/custom'],
] as const) {
  test(`${method} ${path} from outside the ACL is answered 401 and the connection closed`, async (t) => {
    const fixture = await startHttp(t, { acl: groupOf('10.0.0.0/8') })
    const answer = await call(fixture.url, { method, path, headers })
    assert.equal(answer.status, 401)
    assert.equal(answer.body, OUTSIDE)
    assert.equal(answer.headers.connection, 'close')
    assert.deepEqual(fixture.refused, [{ kind: 'acl', peer: '127.0.0.1' }])
    assert.deepEqual(fixture.commands, [])
  })
}

for (const [what, bytes] of [
  ['what is not HTTP', 'nonsense\r\n\r\n'],
  ['a request without Host', 'GET / HTTP/1.1\r\n\r\n'],
  ['headers that are too long', `GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`],
  ['an expectation', 'GET / HTTP/1.1\r\nHost: x\r\nExpect: something\r\n\r\n'],
  ['an upgrade', 'GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n'],
] as const) {
  test(`${what} from outside the ACL is answered like everything else from there`, async (t) => {
    const { url } = await startHttp(t, { acl: groupOf() })
    const answer = await exchange(url, bytes)
    assert.match(answer, /^HTTP\/1\.1 401 Unauthorized\r\n/)
    assert.ok(answer.endsWith(OUTSIDE))
  })
}

test('the ACL is asked for every request, so that a change takes effect at once', async (t) => {
  const acl = groupOf('127.0.0.0/8')
  const { url } = await startHttp(t, { acl })
  const { port } = new URL(url)
  const socket = connect(Number(port), '127.0.0.1')
  t.after(() => socket.destroy())
  const request = 'GET /command/livez HTTP/1.1\r\nHost: x\r\n\r\n'
  socket.write(request)
  const first = await nextText(socket)
  assert.match(first, /^HTTP\/1\.1 200 /)
  acl.addMask('!127.0.0.1')
  socket.write(request)
  const second = await nextText(socket)
  assert.match(second, /^HTTP\/1\.1 401 /)
})

test('without a password in the configuration every request that needs it is refused', async (t) => {
  const fixture = await startHttp(t, { password: undefined })
  for (const authorization of [basicAuth(''), basicAuth('undefined'), basicAuth()]) {
    assert.equal(
      (await call(fixture.url, { path: '/command/stats', headers: { authorization } })).status,
      401,
    )
  }
  assert.equal((await call(fixture.url, { path: '/command/livez' })).status, 200)
  assert.equal(fixture.refused.length, 3)
  assert.deepEqual(fixture.refused[0], { kind: 'password', peer: '127.0.0.1' })
})

const hasIPv6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === '::1'),
)

test('an IPv6 client is let in by an IPv6 network', async (t) => {
  if (!hasIPv6) return t.skip('this machine has no ::1')
  const { url } = await startHttp(t, { listeners: [{ ...LOOPBACK, host: '::1' }], acl: groupOf('::1') })
  assert.match(url, /^http:\/\/\[::1\]:\d+$/)
  assert.equal((await call(url, { path: '/command/livez' })).status, 200)
})

test('an IPv4 client of an IPv6 listener is matched as IPv4', async (t) => {
  if (!hasIPv6) return t.skip('this machine has no ::1')
  const fixture = await startHttp(t, {
    listeners: [{ ...LOOPBACK, host: '::' }],
    acl: groupOf('127.0.0.0/8'),
  })
  const { port } = new URL(fixture.url)
  assert.equal((await call(`http://127.0.0.1:${port}`, { path: '/command/livez' })).status, 200)
  const answer = await call(`http://[::1]:${port}`, { path: '/command/livez' })
  assert.equal(answer.status, 401)
  assert.deepEqual(fixture.refused, [{ kind: 'acl', peer: '::1' }])
})
