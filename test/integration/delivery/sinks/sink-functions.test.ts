/** Sinks with a Lua function: when it is called, what is kept of it, and what leaves without it. The calls are the test's. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { CallSinkFunction, SinkCallOutcome } from '../../../../src/delivery/sinks/sink-function.ts'
import { eventually } from '../../../support/ask-server.ts'
import { startDelivery } from '../../../support/delivery-rig.ts'
import { ALERT, notification, notificationBody } from '../../../support/notifications.ts'
import { startSmtp } from '../../../support/smtp-receiver.ts'
import { LUA_FUNCTION } from '../../../../src/delivery/sinks/sink-function.ts'
import { startReceiver } from '../../../support/web-hook-receiver.ts'

/** Answers with these one after another, and then with the last of them. */
function functionThat(...outcomes: readonly SinkCallOutcome[]) {
  const calls: { readonly sink: string; readonly args: unknown }[] = []
  return {
    calls,
    call: (sink: string, args: string): Promise<SinkCallOutcome> => {
      calls.push({ sink, args: JSON.parse(args) })
      const outcome = outcomes[calls.length - 1] ?? outcomes.at(-1)
      return Promise.resolve(outcome ?? { kind: 'failed', message: 'none' })
    },
  }
}

const made = (text?: string): SinkCallOutcome => ({ kind: 'made', text })
const FAILED: SinkCallOutcome = { kind: 'failed', message: 'attempt to index nil' }

/** Mail to users whose address the function finds. */
async function startUserMail(t: TestContext, callFunction: CallSinkFunction) {
  const smtp = await startSmtp(t)
  const server = { type: 'email', host: '127.0.0.1', port: smtp.port, tls: 'none' }
  const users = { ...server, from: 'track@alerts.example', userAddress: LUA_FUNCTION }
  return { smtp, rig: startDelivery(t, {}, { callFunction, sinks: { users } }) }
}

test('the body is made once, of alert and notification, and every try sends the same', async (t) => {
  const receiver = await startReceiver(t, (_request, response, attempt) => {
    response.writeHead(attempt < 3 ? 503 : 200).end()
  })
  const lua = functionThat(made('first body'), made('second body'))
  const rig = startDelivery(
    t,
    {},
    { callFunction: lua.call, sinks: { desk: { type: 'webhook', url: receiver.url, body: LUA_FUNCTION } } },
  )
  rig.outbox.add({ hook: 'sink:desk', body: notificationBody([{}, { id: 8 }]) })
  await rig.drained()
  assert.deepEqual(
    receiver.received.map(({ body }) => body),
    ['first body', 'first body', 'first body'],
  )
  assert.equal(new Set(receiver.received.map(({ headers }) => headers['x-wforce-delivery'])).size, 1)
  assert.deepEqual(lua.calls, [{ sink: 'desk', args: [ALERT, notification([{}, { id: 8 }])] }])
})

for (const [title, outcome] of [
  ['nil', made()],
  ['a failure', FAILED],
] as const) {
  test(`${title} leaves the ordinary body to every try, and the function is not called again`, async (t) => {
    const receiver = await startReceiver(t, (_request, response, attempt) => {
      response.writeHead(attempt < 2 ? 503 : 200).end()
    })
    const lua = functionThat(outcome, made('too late'))
    const rig = startDelivery(
      t,
      {},
      { callFunction: lua.call, sinks: { desk: { type: 'webhook', url: receiver.url, body: LUA_FUNCTION } } },
    )
    const body = notificationBody()
    rig.outbox.add({ hook: 'sink:desk', body })
    await rig.drained()
    assert.deepEqual(
      receiver.received.map((received) => received.body),
      [body, body],
    )
    assert.equal(lua.calls.length, 1)
  })
}

test('for Kafka a text that is no JSON becomes a string', async (t) => {
  const receiver = await startReceiver(t)
  const lua = functionThat(made('{"a":1}'), made('say "hi"'))
  const rig = startDelivery(
    t,
    {},
    {
      callFunction: lua.call,
      sinks: { desk: { type: 'webhook', url: receiver.url, kafka: true, body: LUA_FUNCTION } },
    },
  )
  for (const id of [1, 2]) {
    rig.outbox.add({ hook: 'sink:desk', body: notificationBody([{ id }]) })
    await rig.drained()
  }
  assert.deepEqual(
    receiver.received.map(({ body }) => body),
    ['{"records":[{"value":{"a":1}}]}', '{"records":[{"value":"say \\"hi\\""}]}'],
  )
})

test('while the server stops nothing is made and nothing leaves; the message stays as it was, and the stop does not wait', async (t) => {
  const receiver = await startReceiver(t)
  const lua = functionThat({ kind: 'stopping' })
  const rig = startDelivery(
    t,
    {},
    { callFunction: lua.call, sinks: { desk: { type: 'webhook', url: receiver.url, body: LUA_FUNCTION } } },
  )
  const body = notificationBody()
  rig.outbox.add({ hook: 'sink:desk', body })
  await eventually('the function is not called', () => lua.calls.length > 0)
  // Time enough to try again and again.
  assert.match((await rig.delivery.stop(60_000)) ?? '', /^1 webhook or notification/)
  assert.equal(lua.calls.length, 1)
  assert.equal(receiver.received.length, 0)
  assert.deepEqual([rig.tries, rig.records, rig.lines], [[], [], []])
  const { entries } = await rig.outbox.claimDue('sink:desk', Date.now(), 1)
  assert.deepEqual([entries[0]?.body, entries[0]?.tries], [body, 0])
})

test('a stop that keeps one message from being made lets the try of another end', async (t) => {
  const answer = Promise.withResolvers<void>()
  const receiver = await startReceiver(t, (_request, response) => {
    void answer.promise.then(() => response.writeHead(200).end())
  })
  const lua = functionThat(made('on its way'), { kind: 'stopping' })
  const rig = startDelivery(
    t,
    {},
    { callFunction: lua.call, sinks: { desk: { type: 'webhook', url: receiver.url, body: LUA_FUNCTION } } },
  )
  rig.outbox.add({ hook: 'sink:desk', body: notificationBody() })
  await receiver.waitForCount(1)
  rig.outbox.add({ hook: 'sink:desk', body: notificationBody() })
  await eventually('the function is not called', () => lua.calls.length === 2)
  const stopped = rig.delivery.stop(60_000)
  await new Promise(setImmediate)
  answer.resolve()
  assert.match((await stopped) ?? '', /^1 webhook or notification/)
  assert.deepEqual(
    rig.records.map(({ state }) => state),
    ['delivered'],
  )
})

test('a test of a sink calls its function as well', async (t) => {
  const receiver = await startReceiver(t)
  const lua = functionThat(made('made for a test'))
  const rig = startDelivery(
    t,
    {},
    { callFunction: lua.call, sinks: { desk: { type: 'webhook', url: receiver.url, body: LUA_FUNCTION } } },
  )
  assert.deepEqual(await rig.delivery.sendTest('desk'), { ok: true, answer: 'status 200' })
  assert.equal(receiver.received[0]?.body, 'made for a test')
})

test('mail goes to the address that the function finds for each alert', async (t) => {
  const lua = functionThat(made('ann@home.example'), made(), made('not an address'), made('eve@home.example'))
  const { smtp, rig } = await startUserMail(t, lua.call)
  const { report: _report, ...withoutReport } = ALERT
  const users = ['ann', 'bob', 'carl', 'eve'].map((user, index) => ({ ...ALERT, id: index + 1, user }))
  const body = { ...notification(), alerts: [...users.slice(0, 3), { ...withoutReport, id: 4, user: 'eve' }] }
  rig.outbox.add({ hook: 'sink:users', body: JSON.stringify(body) })
  await rig.drained()
  assert.deepEqual(
    smtp.mails.map(({ to }) => to[0]),
    ['ann@home.example', 'eve@home.example'],
  )
  assert.match(rig.records[0]?.answer ?? '', /^2 without an address; ann@home\.example: 250 /)
  assert.deepEqual(lua.calls[0]?.args, ['ann', ALERT.report, users[0]])
  assert.deepEqual(lua.calls[3]?.args, ['eve', null, { ...withoutReport, id: 4, user: 'eve' }])
  rig.outbox.add({ hook: 'sink:users', body: notificationBody([{}], { reason: 'resolved' }) })
  await rig.drained()
  assert.equal(lua.calls.length, 4)
})

test('mail to users waits when the function fails, and is sent when it works again', async (t) => {
  const lua = functionThat(FAILED, made('ann@home.example'))
  const { smtp, rig } = await startUserMail(t, lua.call)
  rig.outbox.add({ hook: 'sink:users', body: notificationBody() })
  await rig.drained()
  assert.deepEqual(
    rig.records.map(({ state, answer }) => `${state} ${answer}`),
    [
      'retry its function failed: attempt to index nil',
      'delivered ann@home.example: 250 2.0.0 queued as mail 1',
    ],
  )
  assert.equal(smtp.mails.length, 1)
})
