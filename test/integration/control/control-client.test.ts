/** Our client: against our server, and against one that was written from the protocol's description. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { createServer, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { connectControl, type ControlConnection } from '../../../src/control/control-client.ts'
import { acceptPeer, type ControlPeer } from '../../support/control-peer.ts'
import { KEY, startControl } from '../../support/control-fixture.ts'
import { listenLocal } from '../../support/listen-local.ts'

const OPTIONS = { host: '127.0.0.1', key: KEY, connectTimeoutMs: 10_000, answerTimeoutMs: 10_000 }

async function open(
  t: TestContext,
  port: number,
  options: Partial<typeof OPTIONS> = {},
): Promise<ControlConnection> {
  const connection = await connectControl({ ...OPTIONS, port, ...options })
  t.after(() => connection.close())
  return connection
}

/** A server made of the test's own understanding of the protocol. */
function foreignServer(t: TestContext, serve: (peer: ControlPeer) => Promise<void>): Promise<number> {
  return rawServer(t, (socket) => {
    acceptPeer(socket, KEY)
      .then(serve)
      // The client has gone, which some of these tests are about.
      .catch(() => undefined)
  })
}

function rawServer(t: TestContext, serve: (socket: Socket) => void): Promise<number> {
  return listenLocal(t, createServer({ allowHalfOpen: true }, serve))
}

test('lines are answered, in order, also when several are under way', async (t) => {
  const { port } = await startControl(t)
  const connection = await open(t, port)
  const lines = ['stats()', '', 'größe', 'x'.repeat(65_000), 'a\0b']
  const answers = await Promise.all(lines.map((line) => connection.run(line)))
  assert.deepEqual(
    answers,
    lines.map((line) => `<${line}>`),
  )
})

test('it speaks to a server that was written from the description', async (t) => {
  const port = await foreignServer(t, async (peer) => {
    for (;;) peer.send(`answer to ${(await peer.receive()).toString()}`)
  })
  const connection = await open(t, port)
  for (let count = 0; count < 50; count++) {
    assert.equal(await connection.run(`line ${count}`), `answer to line ${count}`)
  }
})

test('bytes that are not UTF-8 survive the way there and back', async (t) => {
  const received: Buffer[] = []
  const port = await foreignServer(t, async (peer) => {
    const line = await peer.receive()
    received.push(line)
    peer.send(line)
  })
  const connection = await open(t, port)
  assert.equal(await connection.run('a\udcffb'), 'a\udcffb')
  assert.deepEqual(received, [Buffer.from([0x61, 0xff, 0x62])])
})

test('where nobody listens the error says so', async (t) => {
  const server = createServer()
  const port = await listenLocal(t, server)
  await new Promise((resolve) => server.close(resolve))
  await assert.rejects(open(t, port), {
    code: 'TRK_CONTROL_UNREACHABLE',
    message: new RegExp(`127\\.0\\.0\\.1 port ${port}: connect ECONNREFUSED`),
  })
})

test('a server that does not shake hands is given up', async (t) => {
  const port = await rawServer(t, (socket) => socket.write('220 hello\r\n'))
  await assert.rejects(open(t, port, { connectTimeoutMs: 100 }), {
    code: 'TRK_CONTROL_UNREACHABLE',
    message: /no handshake within 100 ms/,
  })
})

test('a server that closes during the handshake is no control socket', async (t) => {
  const port = await rawServer(t, (socket) => socket.end('bye'))
  await assert.rejects(open(t, port), { code: 'TRK_CONTROL_UNREACHABLE', message: /was closed before/ })
})

test('a server that returns what it is sent is not believed', async (t) => {
  const port = await rawServer(t, (socket) => socket.pipe(socket))
  await assert.rejects(open(t, port), { code: 'TRK_CONTROL_UNREACHABLE', message: /only returns/ })
})

test('with another key the first line is refused', async (t) => {
  const { port, lines, refused } = await startControl(t)
  const connection = await open(t, port, { key: randomBytes(32) })
  await assert.rejects(connection.run('stats()'), {
    code: 'TRK_CONTROL_REFUSED',
    message: /is the key the same/,
  })
  await assert.rejects(connection.run('again'), { code: 'TRK_CONTROL_REFUSED' })
  assert.deepEqual([lines, refused], [[], ['bad-mac']])
})

test('an answer that was not made with our key is not believed', async (t) => {
  const port = await rawServer(t, (socket) => {
    acceptPeer(socket, randomBytes(32))
      .then((peer) => peer.send('forged'))
      .catch(() => undefined)
  })
  const connection = await open(t, port)
  await assert.rejects(connection.run('stats()'), {
    code: 'TRK_CONTROL_REFUSED',
    message: /not made by a server/,
  })
})

test('a connection lost after an answer fails what waits, and what comes later', async (t) => {
  const port = await foreignServer(t, async (peer) => {
    await peer.receive()
    peer.send('one')
    await peer.receive()
    peer.socket.destroy()
  })
  const connection = await open(t, port)
  assert.equal(await connection.run('1'), 'one')
  await Promise.all(
    ['2', '3'].map((line) => assert.rejects(connection.run(line), { code: 'TRK_CONTROL_CLOSED' })),
  )
  await assert.rejects(connection.run('4'), { code: 'TRK_CONTROL_CLOSED' })
})

test('a late answer ends the connection, since the next answer could not be told from it', async (t) => {
  const port = await foreignServer(t, async (peer) => {
    await peer.receive()
  })
  const connection = await open(t, port, { answerTimeoutMs: 50 })
  await assert.rejects(connection.run('slow'), {
    code: 'TRK_CONTROL_CLOSED',
    message: /no answer within 50 ms/,
  })
})

test('a line that is too long is refused and harms nothing', async (t) => {
  const { port } = await startControl(t)
  const connection = await open(t, port)
  await assert.rejects(connection.run('x'.repeat(65_520)), { code: 'TRK_CONTROL_TOO_LONG', message: /65520/ })
  assert.equal(await connection.run('next'), '<next>')
})
