/** The sink webhook, and what holds for sinks of every type. */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { QUICK_RETRY, startDelivery } from '../../../support/delivery-rig.ts'
import { listenLocal } from '../../../support/listen-local.ts'
import { notificationBody } from '../../../support/notifications.ts'
import { startReceiver } from '../../../support/web-hook-receiver.ts'

test('a notification arrives as JSON, signed twice', async (t) => {
  const receiver = await startReceiver(t)
  const rig = startDelivery(t, {}, { sinks: { desk: { type: 'webhook', url: receiver.url, secret: 'key' } } })
  const body = notificationBody()
  rig.outbox.add({ hook: 'sink:desk', body })
  await rig.drained()
  const [received] = receiver.received
  assert.equal(received?.body, body)
  const timestamp = String(received.headers['x-trackalert-timestamp'])
  assert.equal(received.headers['x-wforce-event'], 'desk')
  assert.equal(received.headers['x-wforce-delivery'], rig.records[0]?.deliveryId)
  assert.equal(
    received.headers['x-wforce-signature'],
    createHmac('sha256', 'key').update(body).digest('base64'),
  )
  assert.equal(
    received.headers['x-trackalert-signature'],
    `v1=${createHmac('sha256', 'key').update(`${timestamp}.${body}`).digest('hex')}`,
  )
  assert.ok(Math.abs(Number(timestamp) - Date.now() / 1000) < 60)
  assert.equal(rig.records[0]?.answer, 'status 200')
})

test('a template makes the body, with values escaped for JSON', async (t) => {
  const receiver = await startReceiver(t)
  const rig = startDelivery(
    t,
    {},
    {
      sinks: {
        chat: {
          type: 'webhook',
          url: receiver.url,
          template:
            '{"text":"%{severity}: %{message}","km":%{data.km},"who":"%{user}","none":"%{data.none}"}',
        },
        stream: { type: 'webhook', url: receiver.url, kafka: true, template: '{"m":"%{message}"}' },
        text: { type: 'webhook', url: receiver.url, 'content-type': 'text/plain', template: '%{message}' },
      },
    },
  )
  const body = notificationBody([{ message: 'say "hi"\n\\ {%{rule}}' }])
  for (const name of ['chat', 'stream', 'text']) {
    rig.outbox.add({ hook: `sink:${name}`, body })
    await rig.drained()
  }
  const [chat, stream, text] = receiver.received
  assert.deepEqual(JSON.parse(chat?.body ?? ''), {
    text: 'high: say "hi"\n\\ {%{rule}}',
    km: 9000,
    who: 'ann',
    none: '',
  })
  assert.deepEqual(JSON.parse(stream?.body ?? ''), { records: [{ value: { m: 'say "hi"\n\\ {%{rule}}' } }] })
  assert.equal(stream?.headers['content-type'], 'application/vnd.kafka.json.v2+json')
  assert.equal(text?.body, 'say "hi"\n\\ {%{rule}}')
})

test('a refusal is final and tells its status', async (t) => {
  const receiver = await startReceiver(t, (_request, response) => void response.writeHead(400).end())
  const rig = startDelivery(t, {}, { sinks: { desk: { type: 'webhook', url: receiver.url } } })
  rig.outbox.add({ hook: 'sink:desk', body: notificationBody() })
  await rig.drained()
  assert.deepEqual(
    rig.records.map(({ state, answer }) => [state, answer]),
    [['dead', 'status 400']],
  )
  assert.deepEqual(rig.dropped, { 'desk refused': 1 })
})

test('a body that is no notification is given up and stops nothing', async (t) => {
  const receiver = await startReceiver(t)
  const rig = startDelivery(t, {}, { sinks: { desk: { type: 'webhook', url: receiver.url } } })
  const bodies = [
    '',
    'null',
    '{}',
    '{"kind":"alert"}',
    JSON.stringify({ ...JSON.parse(notificationBody()), alerts: [] }),
  ]
  for (const body of [...bodies, notificationBody()]) rig.outbox.add({ hook: 'sink:desk', body })
  await rig.drained()
  assert.deepEqual(rig.dropped, { 'desk unexpected': bodies.length })
  assert.equal(receiver.received.length, 1)
})

test('what is too old says for how long, and what was wrong', async (t) => {
  const receiver = await startReceiver(t, (_request, response) => void response.writeHead(503).end())
  const retry = { ...QUICK_RETRY, maxAgeMs: 100 }
  const rig = startDelivery(t, {}, { retry, sinks: { desk: { type: 'webhook', url: receiver.url } } })
  rig.outbox.add({ hook: 'sink:desk', body: notificationBody() })
  await rig.drained()
  assert.equal(rig.records.at(-1)?.answer, 'too old after 0.1 s: status 503')
})

test('five sinks that are dead or hang delay neither another sink nor a webhook', async (t) => {
  const receiver = await startReceiver(t)
  const hangs = await listenLocal(t, createServer())
  const placeholder = createServer()
  const dead = await listenLocal(t, placeholder)
  await new Promise((resolve) => placeholder.close(resolve))
  const mail = { type: 'email', host: '127.0.0.1', from: 'a@b.example', to: 'c@d.example', tls: 'none' }
  const bad = {
    hook: { type: 'webhook', url: `http://127.0.0.1:${hangs}/`, timeout: 300 },
    mail: { ...mail, port: hangs, timeout: 300 },
    gone: { ...mail, port: dead },
    trap: { type: 'snmp', host: `127.0.0.1:${dead}`, inform: true, timeout: 300 },
    script: { type: 'exec', argv: ['/bin/sleep', '300'], timeout: 300 },
  }
  const rig = startDelivery(
    t,
    { plain: { url: receiver.url } },
    { sinks: { ...bad, well: { type: 'webhook', url: receiver.url } } },
  )
  for (let id = 0; id < 50; id++) {
    for (const name of Object.keys(bad))
      rig.outbox.add({ hook: `sink:${name}`, body: notificationBody([{ id }]) })
    rig.outbox.add({ hook: 'sink:well', body: notificationBody([{ id }]) })
    rig.outbox.add({ hook: 'plain', body: '{}' })
  }
  // All of the good ones, before the first of the hanging ones has come to its time limit.
  await receiver.waitForCount(100)
  assert.equal(rig.outbox.size >= 250, true)
  assert.ok(rig.records.every(({ sink }) => sink === 'well' || sink === 'gone'))
})

test('a test of a sink that there is not names those that there are', async (t) => {
  const rig = startDelivery(t, {}, { sinks: { desk: { type: 'webhook', url: 'http://127.0.0.1:9/' } } })
  assert.deepEqual(await rig.delivery.sendTest('dusk'), {
    ok: false,
    answer: 'there is no alert sink "dusk"; there are desk',
  })
})
