/** Webhooks that change while the server runs. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseWebHookDefinition } from '../../../src/delivery/web-hook.ts'
import type { DeliveryOptions } from '../../../src/delivery/delivery-options.ts'
import { PLAIN_TLS, QUICK_RETRY, startDelivery } from '../../support/delivery-rig.ts'
import { startReceiver } from '../../support/web-hook-receiver.ts'

type Hooks = Readonly<Record<string, Readonly<Record<string, string>>>>

function optionsOf(hooks: Hooks, more: Partial<DeliveryOptions> = {}): DeliveryOptions {
  return {
    hooks: Object.entries(hooks).map(([name, keys], index) => {
      const parsed = parseWebHookDefinition(name, new Map(Object.entries(keys)), index + 1)
      assert.ok(parsed.ok, parsed.ok ? '' : parsed.reason)
      return parsed.definition
    }),
    sinks: [],
    timeoutMs: 2000,
    connectionsPerReceiver: 4,
    tls: PLAIN_TLS,
    retry: QUICK_RETRY,
    ...more,
  }
}

test('one that stays as it is keeps its connection and its counts', async (t) => {
  const ports = new Set<number | undefined>()
  const receiver = await startReceiver(t, (request, response) => {
    ports.add(request.socket.remotePort)
    response.end()
  })
  const other = await startReceiver(t)
  const same: Hooks = { stays: { url: receiver.url, secret: 'one' } }
  const one = { connectionsPerReceiver: 1 }
  const rig = startDelivery(t, same, one)
  rig.outbox.add({ hook: 'stays', body: '1' })
  await rig.drained()
  rig.delivery.prepare(optionsOf({ ...same, added: { url: other.url } }, one)).apply()
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
  rig.delivery.prepare(optionsOf({ hook: { url: next.url } }, { retry })).apply()
  for (const end of waiting) end()
  await rig.drained()
  assert.equal(next.received[0]?.body, 'it')
  assert.equal(
    next.received[0]?.headers['x-wforce-delivery'],
    dying.received[0]?.headers['x-wforce-delivery'],
  )
})

test('one that is gone keeps its messages queued until it comes back', async (t) => {
  const receiver = await startReceiver(t)
  const rig = startDelivery(t, { hook: { url: receiver.url } })
  rig.delivery.prepare(optionsOf({})).apply()
  rig.outbox.add({ hook: 'hook', body: 'kept' })
  assert.deepEqual(
    rig.lines.map(({ message }) => message),
    ['a webhook is queued that the configuration does not name; it stays queued'],
  )
  assert.equal(receiver.received.length, 0)
  rig.delivery.prepare(optionsOf({ hook: { url: receiver.url } })).apply()
  await rig.drained()
  assert.equal(receiver.received[0]?.body, 'kept')
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
    () => rig.delivery.prepare(optionsOf({}, { tls: { ...PLAIN_TLS, caBundleFile: '/nowhere' } })),
    {
      code: 'TRK_TLS_CLIENT_FILES',
    },
  )
})
