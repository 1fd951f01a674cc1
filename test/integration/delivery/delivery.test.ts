import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { QUICK_RETRY, startDelivery } from '../../support/delivery-rig.ts'
import { listenLocal } from '../../support/listen-local.ts'
import { startReceiver } from '../../support/web-hook-receiver.ts'

const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/

test('a webhook arrives with the headers of the reference and a signature of its bytes', async (t) => {
  const bodies: Buffer[] = []
  const heads: string[][] = []
  const server = createServer((request, response) => {
    heads.push(request.rawHeaders)
    request.on('data', (chunk: Buffer) => bodies.push(chunk))
    request.on('end', () => response.end())
  })
  const port = await listenLocal(t, server)
  const rig = startDelivery(t, {
    alerts: {
      url: `http://127.0.0.1:${port}/a`,
      secret: '12345',
      'basic-auth': 'wforce:super',
      'api-key': 'key',
      'content-type': 'text/plain',
    },
  })
  rig.outbox.add({ hook: 'alerts', body: 'caf\udce9 é' })
  await rig.drained()
  const body = Buffer.concat([Buffer.from('caf'), Buffer.of(0xe9), Buffer.from(' é')])
  assert.deepEqual(Buffer.concat(bodies), body)
  const head = heads[0] ?? []
  const headers = new Map(
    head.flatMap((name, index) => (index % 2 === 0 ? [[name, head[index + 1] ?? '']] : [])),
  )
  const delivery = headers.get('X-Wforce-Delivery') ?? ''
  assert.match(delivery, UUID)
  const timestamp = headers.get('X-Trackalert-Timestamp') ?? ''
  assert.match(timestamp, /^\d{10}$/)
  const timed = createHmac('sha256', '12345').update(`${timestamp}.`).update(body).digest('hex')
  assert.deepEqual(Object.fromEntries(headers), {
    host: `127.0.0.1:${port}`,
    connection: 'keep-alive',
    'content-length': String(body.length),
    'Content-Type': 'text/plain',
    'X-Wforce-Event': 'alerts',
    'X-Wforce-HookID': '1',
    'X-Wforce-Delivery': delivery,
    'X-Wforce-Signature': createHmac('sha256', '12345').update(body).digest('base64'),
    'X-Trackalert-Timestamp': timestamp,
    'X-Trackalert-Signature': `v1=${timed}`,
    Authorization: `Basic ${btoa('wforce:super')}`,
    'X-API-Key': 'key',
  })
  const [{ id, name, url, successes, failures } = assert.fail('there is no hook')] = rig.delivery.counters()
  assert.deepEqual([id, name, url, successes, failures], [1, 'alerts', `http://127.0.0.1:${port}/a`, 1, 0])
})

test('the date of the sending is in the URL, and credentials are in a header only', async (t) => {
  const receiver = await startReceiver(t)
  const rig = startDelivery(
    t,
    {
      alerts: {
        url: receiver.url.replace('http://', 'http://user:pass@').replace('/hook', '/i-%{YYYY}.%{MM}.%{dd}'),
      },
    },
    { now: () => Date.UTC(2025, 1, 3) },
  )
  rig.outbox.add({ hook: 'alerts', body: '{}' })
  await rig.drained()
  assert.equal(receiver.received[0]?.url, '/i-2025.02.03')
  assert.equal(receiver.received[0].headers.authorization, `Basic ${btoa('user:pass')}`)
  assert.ok(!JSON.stringify(rig.delivery.counters()).includes('pass'))
})

test('a webhook that meets errors is tried until it is taken, always with the same delivery id', async (t) => {
  const receiver = await startReceiver(t, (_request, response, attempt) => {
    response.statusCode = [500, 503, 429, 408][attempt - 1] ?? 200
    response.end()
  })
  const rig = startDelivery(t, { alerts: { url: receiver.url } })
  rig.outbox.add({ hook: 'alerts', body: '{}' })
  await rig.drained()
  assert.equal(receiver.received.length, 5)
  assert.equal(new Set(receiver.received.map(({ headers }) => headers['x-wforce-delivery'])).size, 1)
  assert.deepEqual(rig.tries, ['1 error', '1 error', '1 error', '1 error', '1 ok'])
  assert.deepEqual(rig.dropped, {})
})

for (const status of [301, 302, 400, 401, 404, 410]) {
  test(`an answer ${status} is final: no further try, no redirect followed, one line in the log`, async (t) => {
    const receiver = await startReceiver(t, (_request, response) => {
      response.writeHead(status, { location: '/elsewhere' }).end()
    })
    const rig = startDelivery(t, { alerts: { url: receiver.url, secret: 'SECRET' } })
    for (let count = 0; count < 10; count++) rig.outbox.add({ hook: 'alerts', body: '{}' })
    await rig.drained()
    assert.equal(receiver.received.length, 10)
    assert.equal(Object.values(rig.dropped)[0], 10)
    assert.deepEqual(
      rig.lines.map(({ level, fields }) => [level, fields['answer']]),
      [['error', `status ${status}`]],
    )
    assert.ok(!JSON.stringify(rig.lines).includes('SECRET'))
  })
}

test('Retry-After holds back everything for that webhook', async (t) => {
  const receiver = await startReceiver(t, (_request, response, attempt) => {
    if (attempt === 1) response.writeHead(429, { 'retry-after': '1' }).end()
    else response.end()
  })
  const rig = startDelivery(t, { alerts: { url: receiver.url } })
  rig.outbox.add({ hook: 'alerts', body: '1' })
  await rig.tried(1)
  // What follows from the answer has been done by then.
  await new Promise(setImmediate)
  rig.outbox.add({ hook: 'alerts', body: '2' })
  await rig.drained()
  const [first, ...others] = receiver.received
  assert.ok(first)
  assert.equal(others.length, 2)
  for (const { atMs } of others) assert.ok(atMs - first.atMs >= 990, `${atMs - first.atMs} ms`)
})

test('a message that nobody took for too long is given up', async (t) => {
  const receiver = await startReceiver(t, (_request, response) => void response.writeHead(500).end())
  const rig = startDelivery(
    t,
    { alerts: { url: receiver.url } },
    { retry: { ...QUICK_RETRY, maxAgeMs: 100 } },
  )
  rig.outbox.add({ hook: 'alerts', body: '{}' })
  await rig.drained()
  assert.ok(receiver.received.length >= 2)
  assert.deepEqual(rig.dropped, { 'too-old': 1 })
  assert.ok(rig.lines.some(({ level, message }) => level === 'error' && message.includes('too long')))
})

test('a full queue refuses, counts what it refuses, and says so once', async (t) => {
  const receiver = await startReceiver(t, () => undefined)
  const rig = startDelivery(t, { alerts: { url: receiver.url } }, { maxEntries: 3 })
  const results = Array.from({ length: 10 }, () => rig.outbox.add({ hook: 'alerts', body: '{}' }))
  assert.deepEqual(
    [results.slice(0, 3), results.slice(3).every((result) => result === 'full')],
    [['queued', 'queued', 'queued'], true],
  )
  assert.deepEqual(rig.dropped, { 'queue-full': 7 })
  assert.equal(rig.lines.filter(({ message }) => message.includes('full')).length, 1)
})

test('a thousand webhooks arrive once each over a bounded number of connections', async (t) => {
  const connections = new Set<unknown>()
  const receiver = await startReceiver(t, (request, response) => {
    connections.add(request.socket)
    response.end()
  })
  const rig = startDelivery(t, { alerts: { url: receiver.url } }, { connectionsPerReceiver: 4 })
  for (let count = 0; count < 1000; count++) rig.outbox.add({ hook: 'alerts', body: String(count) })
  await rig.drained()
  assert.deepEqual(new Set(receiver.received.map(({ body }) => Number(body))), new Set(Array(1000).keys()))
  assert.equal(receiver.received.length, 1000)
  assert.ok(connections.size <= 4, `${connections.size} connections`)
})

test('stop delivers what is queued and says that nothing is left', async (t) => {
  const receiver = await startReceiver(t)
  const rig = startDelivery(t, { alerts: { url: receiver.url } })
  for (let count = 0; count < 200; count++) rig.outbox.add({ hook: 'alerts', body: '{}' })
  assert.equal(await rig.delivery.stop(10_000), undefined)
  assert.equal(receiver.received.length, 200)
})

test('stop waits for a retry that is due within the time', async (t) => {
  const receiver = await startReceiver(t, (_request, response, attempt) => {
    response.writeHead(attempt === 1 ? 503 : 200).end()
  })
  const rig = startDelivery(t, { alerts: { url: receiver.url } })
  rig.outbox.add({ hook: 'alerts', body: '{}' })
  assert.equal(await rig.delivery.stop(10_000), undefined)
  assert.equal(receiver.received.length, 2)
})

test('stop returns at its deadline, cuts off what hangs, and says how much is left', async (t) => {
  const silent = await startReceiver(t, () => undefined)
  const rig = startDelivery(t, { alerts: { url: silent.url } }, { timeoutMs: 60_000 })
  for (let count = 0; count < 6; count++) rig.outbox.add({ hook: 'alerts', body: '{}' })
  await silent.waitForCount(4)
  const startedAtMs = performance.now()
  assert.equal(await rig.delivery.stop(100), '6 webhooks')
  assert.ok(performance.now() - startedAtMs < 5_000)
  assert.deepEqual(rig.dropped, { stopped: 6 })
})

test('stop does not wait for a retry that is due after its deadline', async (t) => {
  const receiver = await startReceiver(t, (_request, response) => {
    response.writeHead(503, { 'retry-after': '3600' }).end()
  })
  const retry = { ...QUICK_RETRY, maxAgeMs: 86_400_000 }
  const rig = startDelivery(t, { alerts: { url: receiver.url } }, { retry })
  rig.outbox.add({ hook: 'alerts', body: '{}' })
  const startedAtMs = performance.now()
  assert.equal(await rig.delivery.stop(60_000), '1 webhook')
  assert.ok(performance.now() - startedAtMs < 10_000)
})
