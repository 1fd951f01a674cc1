/** Opening and closing listeners. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { fileURLToPath } from 'node:url'
import type { ListenerSettings, SubmitOutcome } from '../../../src/http/http-ports.ts'
import { call, closed, exchange } from '../../support/http-client.ts'
import { basicAuth, LOOPBACK, startHttp } from '../../support/http-server-fixture.ts'

const pem = (name: string): string =>
  fileURLToPath(new URL(`../../fixtures/tls/private-ca/${name}.pem`, import.meta.url))
const TLS = { certificateFile: pem('server'), keyFile: pem('server-key'), options: {} }
const headers = { authorization: basicAuth() }
const report = {
  method: 'POST',
  path: '/command/report',
  headers,
  body: '{"login":"joe","remote":"192.0.2.1","success":true}',
}

async function takenPort(t: TestContext): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return (server.address() as AddressInfo).port
}

async function isOpen(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

test('every listener answers, each on its own address', async (t) => {
  const { addresses } = await startHttp(t, { listeners: [LOOPBACK, { ...LOOPBACK, tls: TLS }, LOOPBACK] })
  assert.deepEqual(
    addresses.map(({ isTls }) => isTls),
    [false, true, false],
  )
  assert.equal(new Set(addresses.map(({ port }) => port)).size, 3)
})

test('when one listener cannot be opened none is, and the error names it', async (t) => {
  const busy = await takenPort(t)
  const free = createServer()
  free.listen(0, '127.0.0.1')
  await once(free, 'listening')
  const { port } = free.address() as AddressInfo
  free.close()
  await once(free, 'close')
  await assert.rejects(
    startHttp(t, {
      listeners: [
        { ...LOOPBACK, port },
        { ...LOOPBACK, port: busy },
      ],
    }),
    (error: Error & { readonly code?: string }) => {
      assert.equal(error.code, 'TRK_LISTEN_FAILED')
      assert.match(
        error.message,
        new RegExp(`127\\.0\\.0\\.1 port ${busy}: .*EADDRINUSE.*; stop the program .* addListener`),
      )
      return true
    },
  )
  assert.equal(await isOpen(port), false)
})

test('an address that is not of this machine is named', async (t) => {
  await assert.rejects(startHttp(t, { listeners: [{ ...LOOPBACK, host: '192.0.2.1' }] }), {
    code: 'TRK_LISTEN_FAILED',
    message: /192\.0\.2\.1 port 0: .*; give this machine that address/,
  })
})

test('what is wrong with certificate, key or options is said with the file and the listener', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'trackalert-test-'))
  t.after(() => rm(folder, { recursive: true }))
  const nonsense = join(folder, 'nonsense.pem')
  await writeFile(nonsense, 'nonsense')
  const missing = join(folder, 'missing.pem')
  const cases: readonly (readonly [Partial<NonNullable<ListenerSettings['tls']>>, RegExp])[] = [
    [{ certificateFile: missing }, /certificate file .*missing\.pem cannot be read: ENOENT/],
    [{ keyFile: missing }, /key file .*missing\.pem cannot be read: ENOENT/],
    [{ certificateFile: nonsense }, /nonsense\.pem holds no certificate/],
    [{ keyFile: nonsense }, /nonsense\.pem holds no private key/],
    [
      { keyFile: pem('other-host-key') },
      /other-host-key\.pem does not belong to the certificate in .*server\.pem/,
    ],
    [{ options: { nonsense: 'x' } }, /TLS option "nonsense" is unknown/],
    [{ options: { CipherString: 'NO-SUCH-CIPHER' } }, /TLS options cannot be used/],
  ]
  for (const [change, message] of cases) {
    const tls = { ...TLS, ...change }
    await assert.rejects(startHttp(t, { listeners: [{ ...LOOPBACK, port: 8084, tls }] }), (error: Error) => {
      assert.match(error.message, /127\.0\.0\.1 port 8084: /)
      assert.match(error.message, message)
      return true
    })
  }
})

test('a TLS listener refuses protocols below its minimum', async (t) => {
  const tls = { ...TLS, options: { minimum_protocol: 'TLSv1.3' } }
  const { addresses } = await startHttp(t, { listeners: [{ ...LOOPBACK, tls }] })
  const port = addresses[0]?.port ?? 0
  const attempt = async (maxVersion: 'TLSv1.2' | 'TLSv1.3'): Promise<string | null> => {
    const socket = connectTls({ port, host: '127.0.0.1', maxVersion, rejectUnauthorized: false })
    try {
      await once(socket, 'secureConnect')
      return socket.getProtocol()
    } finally {
      socket.destroy()
    }
  }
  assert.equal(await attempt('TLSv1.3'), 'TLSv1.3')
  await assert.rejects(attempt('TLSv1.2'), /alert protocol version/)
})

test('HTTP on a TLS port is cut off without harm', async (t) => {
  const fixture = await startHttp(t, { listeners: [{ ...LOOPBACK, tls: TLS }] })
  await exchange(fixture.url, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  assert.deepEqual(fixture.internalErrors, [])
})

test('stop lets a request in progress finish, and closes idle and unused connections at once', async (t) => {
  const asked = Promise.withResolvers<void>()
  const stored = Promise.withResolvers<SubmitOutcome>()
  const { server, url } = await startHttp(
    t,
    {},
    {
      submitReports() {
        asked.resolve()
        return stored.promise
      },
    },
  )
  const port = Number(new URL(url).port)
  const idle = connect(port, '127.0.0.1')
  idle.write('GET /command/livez HTTP/1.1\r\nHost: x\r\n\r\n')
  await once(idle, 'data')
  const unused = connect(port, '127.0.0.1')
  await once(unused, 'connect')
  const answering = call(url, report)
  await asked.promise

  const quiet = [closed(idle), closed(unused)]
  const stopped = server.stop(10_000)
  await Promise.all(quiet)
  assert.equal(await isOpen(port), false)
  stored.resolve({ kind: 'accepted' })
  const answer = await answering
  assert.equal(answer.body, '{"status":"ok"}')
  assert.equal(answer.headers.connection, 'close')
  assert.equal(await stopped, undefined)
})

test('stop cuts what is not done at its deadline, and says so', async (t) => {
  const asked = Promise.withResolvers<void>()
  const { server, url } = await startHttp(
    t,
    {},
    {
      submitReports() {
        asked.resolve()
        return Promise.withResolvers<SubmitOutcome>().promise
      },
    },
  )
  const cut = assert.rejects(call(url, report), /socket hang up|ECONNRESET/)
  await asked.promise
  assert.match((await server.stop(50)) ?? '', /^1 connections/)
  await cut
})

test('stop also cuts a TLS handshake that hangs', async (t) => {
  const fixture = await startHttp(t, { listeners: [{ ...LOOPBACK, tls: TLS }] })
  const socket = connect(fixture.addresses[0]?.port ?? 0, '127.0.0.1')
  socket.write('\x16\x03\x01')
  while (fixture.connections.at(-1) !== 1) await new Promise((resolve) => setImmediate(resolve))
  const cut = closed(socket)
  await fixture.server.stop(50)
  await cut
})

test('stopping twice, or before the start, is harmless', async (t) => {
  const { server } = await startHttp(t)
  await Promise.all([server.stop(1_000), server.stop(1_000)])
  assert.equal(await server.stop(0), undefined)
})
