/** Alert sinks that change while the server runs. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { copyFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { deliveryOptionsOf, startDelivery, type SinkSetup } from '../../../support/delivery-rig.ts'
import { temporaryDirectory } from '../../../support/embedded-store.ts'
import { notificationBody } from '../../../support/notifications.ts'
import { privateCa } from '../../../support/private-ca.ts'
import { startSmtp } from '../../../support/smtp-receiver.ts'
import { startReceiver } from '../../../support/web-hook-receiver.ts'

const BODY = notificationBody()

const optionsOf = (sinks: Readonly<Record<string, SinkSetup>>) => deliveryOptionsOf({}, sinks)

test('one that stays as it is keeps its connection and its counts; another changes its secret', async (t) => {
  const ports = new Map<string, Set<number | undefined>>()
  const receiver = await startReceiver(t, (request, response) => {
    const name = String(request.headers['x-wforce-event'])
    ports.set(name, (ports.get(name) ?? new Set()).add(request.socket.remotePort))
    response.end()
  })
  const sink = (secret: string): SinkSetup => ({ type: 'webhook', url: receiver.url, secret })
  const rig = startDelivery(t, {}, { sinks: { stays: sink('one'), changes: sink('one') } })
  const send = async (): Promise<void> => {
    for (const name of ['stays', 'changes']) {
      rig.outbox.add({ hook: `sink:${name}`, body: BODY })
      await rig.drained()
    }
  }
  await send()
  rig.delivery.prepare(optionsOf({ stays: sink('one'), changes: sink('two') })).apply()
  await send()
  assert.deepEqual(
    Array.from(ports, ([name, { size }]) => `${name} ${size}`),
    ['stays 1', 'changes 2'],
  )
  const signatures = receiver.received.map(({ headers }) => headers['x-wforce-signature'])
  assert.equal(signatures[2], signatures[0])
  assert.notEqual(signatures[3], signatures[1])
  assert.deepEqual(
    rig.delivery.sinks().map(({ name, successes }) => `${name} ${successes}`),
    ['stays 2', 'changes 2'],
  )
})

test('a try that is under way may end where it began; what fails there is sent by the new one', async (t) => {
  const waiting: (() => void)[] = []
  const old = await startReceiver(t, (_request, response, attempt) => {
    waiting.push(() => response.writeHead(attempt === 1 ? 200 : 503).end())
  })
  const next = await startReceiver(t)
  const rig = startDelivery(t, {}, { sinks: { desk: { type: 'webhook', url: old.url } } })
  for (const message of ['well', 'ill']) {
    rig.outbox.add({ hook: 'sink:desk', body: notificationBody([{ message }]) })
    await old.waitForCount(message === 'well' ? 1 : 2)
  }
  rig.delivery.prepare(optionsOf({ desk: { type: 'webhook', url: next.url } })).apply()
  rig.outbox.add({ hook: 'sink:desk', body: notificationBody([{ message: 'new' }]) })
  await next.waitForCount(1)
  for (const end of waiting) end()
  await rig.drained()
  assert.deepEqual(
    next.received.map(({ body }) => /"message":"(\w+)"/.exec(body)?.[1]),
    ['new', 'ill'],
  )
  assert.equal(next.received[1]?.headers['x-wforce-delivery'], old.received[1]?.headers['x-wforce-delivery'])
})

test('one of another type takes over what is queued, and the counts go on', async (t) => {
  const dead = await startReceiver(t, (_request, response) => void response.writeHead(503).end())
  const rig = startDelivery(t, {}, { sinks: { desk: { type: 'webhook', url: dead.url } } })
  rig.outbox.add({ hook: 'sink:desk', body: BODY })
  await rig.tried(1)
  rig.delivery.prepare(optionsOf({ desk: { type: 'exec', argv: ['/bin/true'] } })).apply()
  await rig.drained()
  const [{ type, successes, failures } = assert.fail('there is no sink')] = rig.delivery.sinks()
  assert.equal(type, 'exec')
  assert.equal(successes, 1)
  assert.ok(failures >= 1)
})

test('tests and lists go by what is in force, and a test that is under way may end', async (t) => {
  const waiting: (() => void)[] = []
  const slow = await startReceiver(t, (_request, response) => waiting.push(() => response.end()))
  const rig = startDelivery(t, {}, { sinks: { before: { type: 'webhook', url: slow.url } } })
  const underWay = rig.delivery.sendTest('before')
  await slow.waitForCount(1)
  rig.delivery.prepare(optionsOf({ after: { type: 'exec', argv: ['/bin/true'] } })).apply()
  assert.deepEqual(
    rig.delivery.sinks().map(({ name, place }) => `${name} ${place}`),
    ['after /bin/true'],
  )
  assert.deepEqual(await rig.delivery.sendTest('before'), {
    ok: false,
    answer: 'there is no alert sink "before"; there are after',
  })
  assert.deepEqual(await rig.delivery.sendTest('after'), { ok: true, answer: 'exit status 0' })
  for (const end of waiting) end()
  assert.deepEqual(await underWay, { ok: true, answer: 'status 200' })
})

test('a certificate that is renewed under the same name is taken over', async (t) => {
  const smtp = await startSmtp(t, { login: { user: 'track', password: 'secret' } })
  const ca = join(await temporaryDirectory(t), 'ca.pem')
  // Of nobody who has signed the server's.
  await copyFile(privateCa.clientFile, ca)
  const mail: SinkSetup = {
    type: 'email',
    host: 'localhost',
    port: smtp.port,
    user: 'track',
    password: 'secret',
    from: 'track@alerts.example',
    to: 'ops@example.com',
    ca,
  }
  const rig = startDelivery(t, {}, { sinks: { mail } })
  assert.equal((await rig.delivery.sendTest('mail')).ok, false)
  await copyFile(privateCa.caFile, ca)
  rig.delivery.prepare(optionsOf({ mail })).apply()
  assert.deepEqual(await rig.delivery.sendTest('mail'), { ok: true, answer: '250 2.0.0 queued as mail 1' })
})

test('the stop ends the script of a replaced sink', async (t) => {
  const file = join(await temporaryDirectory(t), 'pid')
  const argv = ['/bin/sh', '-c', 'echo $$ > "$1.new" && mv "$1.new" "$1"; exec sleep 3600', 'sh', file]
  const rig = startDelivery(t, {}, { sinks: { slow: { type: 'exec', argv, timeout: 3600 } } })
  rig.outbox.add({ hook: 'sink:slow', body: BODY })
  for (let tries = 0; !existsSync(file); tries++) {
    assert.ok(tries < 3000, 'the script has not begun in thirty seconds')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  rig.delivery.prepare(optionsOf({})).apply()
  await rig.delivery.stop(100)
  assert.equal(rig.outbox.size, 1)
  const pid = Number(await readFile(file, 'utf8'))
  assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
})
