import assert from 'node:assert/strict'
import { createServer as createHttpServer } from 'node:http'
import { createServer, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { startDelivery } from '../../support/delivery-rig.ts'
import { listenLocal } from '../../support/listen-local.ts'
import { startReceiver } from '../../support/web-hook-receiver.ts'

/** A server that speaks raw bytes; `onRequest` is called at the end of each request's head and (short) body. */
async function startRaw(
  t: TestContext,
  onRequest: (socket: Socket, connection: number, request: number) => void,
): Promise<{ readonly url: string; readonly requests: () => number }> {
  let connections = 0
  let requests = 0
  const server = createServer((socket) => {
    connections += 1
    const connection = connections
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      if (!text.endsWith('END')) return
      text = ''
      requests += 1
      onRequest(socket, connection, requests)
    })
  })
  const port = await listenLocal(t, server)
  return { url: `http://127.0.0.1:${port}/`, requests: () => requests }
}

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

test('a peer that closes the kept-alive connection after each answer loses nothing', async (t) => {
  const raw = await startRaw(t, (socket) => void socket.end(OK))
  const rig = startDelivery(t, { alerts: { url: raw.url } }, { connectionsPerReceiver: 2 })
  for (let count = 0; count < 200; count++) rig.outbox.add({ hook: 'alerts', body: 'END' })
  await rig.drained()
  assert.ok(raw.requests() >= 200)
  assert.equal(rig.tries.filter((line) => line === '1 ok').length, 200)
  assert.deepEqual(rig.dropped, {})
})

test('a reset on a used connection is tried again at once on a fresh one', async (t) => {
  const raw = await startRaw(t, (socket, connection, request) => {
    // The first connection answers once and is reset by the second request on it.
    if (connection === 1 && request > 1) socket.resetAndDestroy()
    else socket.write(OK)
  })
  const rig = startDelivery(
    t,
    { alerts: { url: raw.url } },
    // A back-off of an hour: only an immediate try can be in time.
    {
      connectionsPerReceiver: 1,
      retry: { firstDelayMs: 3_600_000, maxDelayMs: 3_600_000, maxAgeMs: 86_400_000 },
    },
  )
  rig.outbox.add({ hook: 'alerts', body: '1 END' })
  await rig.drained()
  rig.outbox.add({ hook: 'alerts', body: '2 END' })
  await rig.drained()
  assert.deepEqual(rig.tries, ['1 ok', '1 error', '1 ok'])
})

const broken: readonly (readonly [string, string, (socket: Socket) => void])[] = [
  ['resets every connection', 'reset', (socket) => void socket.resetAndDestroy()],
  ['closes without an answer', 'reset', (socket) => void socket.end()],
  ['answers with something else', 'protocol', (socket) => void socket.end('SSH-2.0-OpenSSH_9.9\r\n')],
  ['never answers', 'timeout', () => undefined],
  ['stalls within the head', 'timeout', (socket) => void socket.write('HTTP/1.1 200 OK\r\nContent-')],
]

for (const [name, reason, behave] of broken) {
  test(`a receiver that ${name} is tried again until it is well`, async (t) => {
    const raw = await startRaw(t, (socket, _connection, request) => {
      if (request <= 3) behave(socket)
      else socket.write(OK)
    })
    const rig = startDelivery(t, { alerts: { url: raw.url } }, { timeoutMs: 150 })
    rig.outbox.add({ hook: 'alerts', body: 'END' })
    await rig.drained()
    assert.deepEqual(rig.dropped, {})
    assert.deepEqual(
      rig.lines.map(({ level, fields }) => [level, fields['reason']]),
      [['warn', reason]],
    )
  })
}

test('a success whose body never ends is a success', async (t) => {
  const raw = await startRaw(
    t,
    (socket) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc'),
  )
  const rig = startDelivery(t, { alerts: { url: raw.url } }, { timeoutMs: 150 })
  rig.outbox.add({ hook: 'alerts', body: 'END' })
  await rig.drained()
  assert.deepEqual(rig.tries, ['1 ok'])
})

test('a huge answer is cut off, not read', async (t) => {
  let sentBytes = 0
  const chunk = Buffer.alloc(64 * 1024)
  const port = await listenLocal(
    t,
    createHttpServer((request, response) => {
      const more = (): void => {
        while (!response.destroyed && sentBytes < 200_000_000) {
          sentBytes += chunk.length
          if (!response.write(chunk)) return
        }
      }
      response.on('drain', more)
      request.resume().on('end', more)
    }),
  )
  const rig = startDelivery(t, { alerts: { url: `http://127.0.0.1:${port}/` } }, { timeoutMs: 10_000 })
  rig.outbox.add({ hook: 'alerts', body: '{}' })
  await rig.drained()
  assert.deepEqual(rig.tries, ['1 ok'])
  assert.ok(sentBytes < 50_000_000, `${sentBytes} bytes`)
})

test('receivers that hang, reset, fail or do not exist delay nobody else', async (t) => {
  const good = await startReceiver(t)
  const hanging = await startReceiver(t, () => undefined)
  const failing = await startReceiver(t, (_request, response) => void response.writeHead(500).end())
  const resetting = await startRaw(t, (socket) => void socket.resetAndDestroy())
  const gone = createServer()
  const gonePort = await listenLocal(t, gone)
  await new Promise((resolve) => gone.close(resolve))
  const rig = startDelivery(
    t,
    {
      hanging: { url: hanging.url },
      failing: { url: failing.url },
      resetting: { url: resetting.url },
      gone: { url: `http://127.0.0.1:${gonePort}/` },
      good: { url: good.url },
    },
    { timeoutMs: 60_000 },
  )
  for (let round = 0; round < 100; round++) {
    for (const hook of ['hanging', 'failing', 'resetting', 'gone', 'good']) {
      rig.outbox.add({ hook, body: `${round} END` })
    }
  }
  // The hanging receiver holds its connections for a minute; 100 quick deliveries must not need a tenth of that.
  await good.waitForCount(100, 6_000)
  assert.equal(good.received.length, 100)
  assert.ok(hanging.received.length <= 4)
})

test("two webhooks of one server do not stand in each other's way", async (t) => {
  const receiver = await startReceiver(t, (request, response) => {
    if (request.url === '/hook/good') response.end()
  })
  const rig = startDelivery(
    t,
    { slow: { url: `${receiver.url}/slow` }, good: { url: `${receiver.url}/good` } },
    { timeoutMs: 60_000, connectionsPerReceiver: 2 },
  )
  for (let round = 0; round < 20; round++) {
    rig.outbox.add({ hook: 'slow', body: '' })
    rig.outbox.add({ hook: 'good', body: '' })
  }
  await receiver.waitForCount(21, 6_000)
  assert.equal(receiver.received.filter(({ url }) => url === '/hook/good').length, 20)
})

test('a dead receiver is probed, not hammered, and gets everything once it is back', async (t) => {
  let isDown = true
  const receiver = await startReceiver(
    t,
    (_request, response) => void response.writeHead(isDown ? 503 : 200).end(),
  )
  const rig = startDelivery(t, { alerts: { url: receiver.url } }, { connectionsPerReceiver: 1 })
  for (let count = 0; count < 300; count++) rig.outbox.add({ hook: 'alerts', body: String(count) })
  // Five failures in a row, and then a pause of half a second at least before the next try.
  await receiver.waitForCount(6)
  const [fifth, sixth, ...more] = receiver.received.slice(4)
  assert.ok(fifth && sixth && sixth.atMs - fifth.atMs >= 490)
  assert.equal(more.length, 0)
  isDown = false
  await rig.drained()
  assert.deepEqual(new Set(receiver.received.map(({ body }) => Number(body))), new Set(Array(300).keys()))
  assert.deepEqual(rig.dropped, {})
})
