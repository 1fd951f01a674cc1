/** Notifications in the store of the server: they outlive it, and die with a reason. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createStoreOutbox } from '../../../../src/delivery/store-outbox.ts'
import { sinkQueue } from '../../../../src/delivery/sinks/sink-queue.ts'
import { eventually } from '../../../support/ask-server.ts'
import { atEnd } from '../../../support/clean-up.ts'
import { QUICK_RETRY, startDelivery } from '../../../support/delivery-rig.ts'
import { openStore, temporaryDirectory, temporaryStore } from '../../../support/embedded-store.ts'
import { notificationBody } from '../../../support/notifications.ts'
import { done } from '../../../support/store-suite.ts'
import { startSmtp } from '../../../support/smtp-receiver.ts'
import { startReceiver } from '../../../support/web-hook-receiver.ts'

const ID = '4b2f6d0e-0000-4000-8000-000000000001'

function outcome(createdAtMs: number, sink = 'desk') {
  const message = { deliveryId: ID, receiver: sinkQueue(sink), body: notificationBody(), createdAtMs }
  return done(undefined, [], { messages: [message] })
}

test('a notification that was not taken is sent after a restart, under the same delivery id', async (t) => {
  let status = 503
  const receiver = await startReceiver(t, (_request, response) => void response.writeHead(status).end())
  const directory = await temporaryDirectory(t)
  const sinks = { desk: { type: 'webhook', url: receiver.url } }

  const first = await openStore(directory)
  await first.store.commit([outcome(Date.now())])
  const before = startDelivery(t, {}, { sinks, store: createStoreOutbox(first.store, Date.now) })
  await before.tried(2)
  assert.equal(await before.delivery.stop(0), '1 webhook or notification')
  await first.store.close()

  status = 200
  const second = await openStore(directory)
  atEnd(t, () => second.store.close())
  const after = startDelivery(t, {}, { sinks, store: createStoreOutbox(second.store, Date.now) })
  await eventually('it does not come to be', () => second.store.counts().outboxEntries === 0)
  const ids = new Set(receiver.received.map(({ headers }) => headers['x-wforce-delivery']))
  assert.deepEqual(ids, new Set([ID]))
  await eventually('it does not come to be', () => after.records.length === 1)
  assert.ok((after.records[0]?.tries ?? 0) > 1)
})

test('a dead letter says what was wrong, and can be sent again however old it has become', async (t) => {
  let status = 400
  const receiver = await startReceiver(t, (_request, response) => void response.writeHead(status).end())
  const { store } = await temporaryStore(t)
  const outbox = createStoreOutbox(store, Date.now)
  const retry = { ...QUICK_RETRY, maxAgeMs: 3_600_000 }
  const rig = startDelivery(
    t,
    {},
    { retry, store: outbox, sinks: { desk: { type: 'webhook', url: receiver.url } } },
  )
  await store.commit([outcome(Date.now())])
  outbox.queued([sinkQueue('desk')])
  await eventually('it does not come to be', () => store.counts().deadLetters === 1)
  assert.equal((await store.deadLetters(1))[0]?.reason, 'status 400')

  await store.commit([outcome(Date.now() - 7_200_000)])
  outbox.queued([sinkQueue('desk')])
  await eventually('it does not come to be', () => store.counts().deadLetters === 2)
  const [old] = await store.deadLetters(1)
  assert.equal(old?.reason, 'too old after 1 h')
  assert.equal(receiver.received.length, 1)
  assert.equal(rig.records.at(-1)?.state, 'dead')

  status = 200
  assert.equal(await store.resendDeadLetter(old.id, Date.now()), true)
  outbox.queued([sinkQueue('desk')])
  await eventually('it does not come to be', () => receiver.received.length === 2)
  await eventually('it does not come to be', () => store.counts().outboxEntries === 0)
  assert.equal(store.counts().deadLetters, 1)
})

test('notifications for a sink that is gone become dead letters when they are old', async (t) => {
  const { store } = await temporaryStore(t)
  await store.commit([outcome(Date.now() - 120_000, 'gone'), outcome(Date.now(), 'gone')])
  const rig = startDelivery(t, {}, { store: createStoreOutbox(store, Date.now) })
  await eventually('it does not come to be', () => store.counts().deadLetters === 1)
  assert.equal((await store.deadLetters(1))[0]?.reason, 'no such webhook')
  assert.equal(store.counts().outboxEntries, 1)
  await eventually('it does not come to be', () => rig.lines.length === 2)
  assert.deepEqual(rig.dropped, { 'no-receiver': 1 })
})

test('the pause between two mails to a user outlasts a restart', async (t) => {
  const smtp = await startSmtp(t)
  const directory = await temporaryDirectory(t)
  const mail = { type: 'email', host: '127.0.0.1', port: smtp.port, tls: 'none', from: 't@alerts.example' }
  const sinks = { users: { ...mail, userAddress: '%{user}@mail.example', throttle: 3600 } }
  let nowMs = Date.now()
  const tell = async (deliveryId: string, users: readonly string[]): Promise<string> => {
    const { store } = await openStore(directory)
    const body = notificationBody(users.map((user, id) => ({ id, user })))
    const message = { deliveryId, receiver: sinkQueue('users'), body, createdAtMs: nowMs }
    await store.commit([done(undefined, [], { messages: [message] })])
    const outbox = createStoreOutbox(store, () => nowMs)
    const rig = startDelivery(t, {}, { sinks, store: outbox, mailTimes: store.alerts, now: () => nowMs })
    await eventually('it does not come to be', () => store.counts().outboxEntries === 0)
    await eventually('it does not come to be', () => rig.records.length === 1)
    await rig.delivery.stop(0)
    await store.close()
    return rig.records[0]?.answer ?? ''
  }
  assert.match(await tell('d1', ['ann']), /^ann@mail\.example: 250 /)
  assert.match(
    await tell('d2', ['ann', 'bob']),
    /^ann@mail\.example: had a mail lately; bob@mail\.example: 250 /,
  )
  nowMs += 3_600_000
  assert.match(await tell('d3', ['ann']), /^ann@mail\.example: 250 /)
  assert.equal(smtp.mails.length, 3)
})
