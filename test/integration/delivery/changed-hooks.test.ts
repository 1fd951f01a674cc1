/** Webhooks that change while the server runs. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  deliveryOptionsOf as optionsOf,
  PLAIN_TLS,
  startDelivery,
  type DeliveryRig,
  type HookSetups,
} from '../../support/delivery-rig.ts'
import { startReceiver } from '../../support/web-hook-receiver.ts'

test('one that stays as it is keeps its connection and its counts', async (t) => {
  const ports = new Set<number | undefined>()
  const receiver = await startReceiver(t, (request, response) => {
    ports.add(request.socket.remotePort)
    response.end()
  })
  const other = await startReceiver(t)
  const same: HookSetups = { stays: { url: receiver.url, secret: 'one' } }
  const one = { connectionsPerReceiver: 1 }
  const rig = startDelivery(t, same, one)
  rig.outbox.add({ hook: 'stays', body: '1' })
  await rig.drained()
  rig.delivery.prepare(optionsOf({ ...same, added: { url: other.url } }, {}, one)).apply()
  rig.outbox.add({ hook: 'stays', body: '2' })
  rig.outbox.add({ hook: 'added', body: '3' })
  await rig.drained()
  assert.equal(ports.size, 1)
  assert.deepEqual(
    rig.delivery.counters().map(({ name, successes }) => `${name} ${successes}`),
    ['stays 2', 'added 1'],
  )
})

test('a changed secret signs what comes after, and the counts go on', async (t) => {
  const receiver = await startReceiver(t)
  const rig = startDelivery(t, { hook: { url: receiver.url, secret: 'one' } })
  rig.outbox.add({ hook: 'hook', body: 'same' })
  await rig.drained()
  rig.delivery.prepare(optionsOf({ hook: { url: receiver.url, secret: 'two' } })).apply()
  rig.outbox.add({ hook: 'hook', body: 'same' })
  await rig.drained()
  const [before, after] = receiver.received.map(({ headers }) => headers['x-wforce-signature'])
  assert.ok(before !== undefined && after !== undefined)
  assert.notEqual(before, after)
  assert.equal(rig.delivery.counters()[0]?.successes, 2)
})

test('a try that is under way may end where it began', async (t) => {
  const waiting: (() => void)[] = []
  const slow = await startReceiver(t, (_request, response) => waiting.push(() => response.end()))
  const next = await startReceiver(t)
  const rig = startDelivery(t, { hook: { url: slow.url } })
  rig.outbox.add({ hook: 'hook', body: 'first' })
  await slow.waitForCount(1)
  rig.delivery.prepare(optionsOf({ hook: { url: next.url } })).apply()
  rig.outbox.add({ hook: 'hook', body: 'second' })
  // The new definition does not wait for the old one.
  await next.waitForCount(1)
  for (const end of waiting) end()
  await rig.drained()
  assert.deepEqual(
    [slow.received, next.received].map((received) => received.map(({ body }) => body)),
    [['first'], ['second']],
  )
})

test('a try that fails after the change is made again under the new definition, at once', async (t) => {
  const waiting: (() => void)[] = []
  const dying = await startReceiver(t, (_request, response) => {
    waiting.push(() => response.writeHead(503).end())
  })
  const next = await startReceiver(t)
  // With pauses so long that the test would end before them.
  const retry = { firstDelayMs: 600_000, maxDelayMs: 600_000, maxAgeMs: 86_400_000 }
  const rig = startDelivery(t, { hook: { url: dying.url } }, { retry })
  rig.outbox.add({ hook: 'hook', body: 'it' })
  await dying.waitForCount(1)
  rig.delivery.prepare(optionsOf({ hook: { url: next.url } }, {}, { retry })).apply()
  for (const end of waiting) end()
  await rig.drained()
  assert.equal(next.received[0]?.body, 'it')
  assert.equal(
    next.received[0]?.headers['x-wforce-delivery'],
    dying.received[0]?.headers['x-wforce-delivery'],
  )
})

/** Resolves when the log has the line. */
async function logged({ lines }: DeliveryRig, message: RegExp): Promise<void> {
  for (let tries = 0; !lines.some((line) => message.test(line.message)); tries++) {
    assert.ok(tries < 3000, `not in the log: ${message}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

test('one that is gone leaves its messages waiting, which is said, until it comes back', async (t) => {
  const dead = await startReceiver(t, (_request, response) => void response.writeHead(503).end())
  const alive = await startReceiver(t)
  const rig = startDelivery(t, { hook: { url: dead.url } })
  rig.outbox.add({ hook: 'hook', body: 'kept' })
  await rig.tried(1)
  rig.delivery.prepare(optionsOf({ other: { url: alive.url } })).apply()
  await logged(rig, /^messages wait for a webhook or sink that the configuration does not name$/)
  assert.deepEqual(
    rig.delivery.counters().map(({ name }) => name),
    ['other'],
  )
  assert.equal(rig.outbox.size, 1)
  rig.delivery.prepare(optionsOf({ hook: { url: alive.url } })).apply()
  await rig.drained()
  assert.deepEqual(
    alive.received.map(({ body }) => body),
    ['kept'],
  )
})

test('what is too old when its webhook goes is given up at once', async (t) => {
  const dead = await startReceiver(t, (_request, response) => void response.writeHead(503).end())
  let aheadMs = 0
  const retry = { firstDelayMs: 600_000, maxDelayMs: 600_000, maxAgeMs: 3_600_000 }
  const rig = startDelivery(t, { hook: { url: dead.url } }, { retry, now: () => Date.now() + aheadMs })
  rig.outbox.add({ hook: 'hook', body: 'old' })
  await rig.tried(1)
  aheadMs = 3_700_000
  rig.delivery.prepare(optionsOf({}, {}, { retry })).apply()
  await logged(rig, /^messages for a webhook or sink that the configuration does not name are given up$/)
  assert.equal(rig.outbox.size, 0)
  assert.equal(rig.dropped['no-receiver'], 1)
})

test('a try that outlives two changes may end, though nobody else uses its server any more', async (t) => {
  const waiting: (() => void)[] = []
  const slow = await startReceiver(t, (_request, response) => waiting.push(() => response.end()))
  const next = await startReceiver(t)
  const timeout = { timeoutMs: 60_000 }
  const rig = startDelivery(t, { one: { url: slow.url }, two: { url: slow.url } }, timeout)
  rig.outbox.add({ hook: 'one', body: 'slow' })
  await slow.waitForCount(1)
  const first = { one: { url: slow.url, secret: 'new' }, two: { url: slow.url } }
  rig.delivery.prepare(optionsOf(first, {}, timeout)).apply()
  const second = { one: { url: next.url }, two: { url: next.url } }
  rig.delivery.prepare(optionsOf(second, {}, timeout)).apply()
  rig.outbox.add({ hook: 'two', body: 'quick' })
  await next.waitForCount(1)
  for (const end of waiting) end()
  await rig.drained()
  assert.deepEqual(
    [slow.received, next.received].map((received) => received.map(({ body }) => body)),
    [['slow'], ['quick']],
  )
})

test('the stop waits for the tries of a replaced webhook no longer than for others', async (t) => {
  const slow = await startReceiver(t, () => undefined)
  const rig = startDelivery(t, { hook: { url: slow.url } }, { timeoutMs: 3_600_000 })
  rig.outbox.add({ hook: 'hook', body: 'it' })
  await slow.waitForCount(1)
  rig.delivery.prepare(optionsOf({}, {}, { timeoutMs: 3_600_000 })).apply()
  assert.equal(await rig.delivery.stop(100), '1 webhook')
})

test('what was prepared and cancelled changes nothing', async (t) => {
  const receiver = await startReceiver(t)
  const other = await startReceiver(t)
  const rig = startDelivery(t, { hook: { url: receiver.url } })
  await rig.delivery.prepare(optionsOf({ hook: { url: other.url } })).cancel()
  rig.outbox.add({ hook: 'hook', body: 'it' })
  await rig.drained()
  assert.equal(receiver.received.length, 1)
  assert.throws(
    () => rig.delivery.prepare(optionsOf({}, {}, { tls: { ...PLAIN_TLS, caBundleFile: '/nowhere' } })),
    {
      code: 'TRK_TLS_CLIENT_FILES',
    },
  )
})
