import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { allRun, ANSWER_LUA, ask, askForList, eventually, metric, report } from '../support/ask-server.ts'
import { BASE_CONFIGURATION, startServer, type ServerProcess } from '../support/server-process.ts'
import { startReceiver, type ReceivedHook, type WebHookReceiver } from '../support/web-hook-receiver.ts'

const configuration = (receiver: WebHookReceiver, more: string): string => `
  ${BASE_CONFIGURATION}${ANSWER_LUA}
  addCustomWebHook("hook", {url="${receiver.url}"})
  ${more}
  setReport(function(lt) runCustomWebHook("hook", lt.session_id) end)
  setCustomEndpoint("dead", function(args) return answer(getDeadLetters(tonumber(args.attrs.limit))) end)
  setCustomEndpoint("resend", function(args) return answer(resendDeadLetter(tonumber(args.attrs.id))) end)
`

interface DeadLetter {
  readonly id: number
  readonly hook: string
  readonly delivery: string
  readonly body: string
  readonly created: number
  readonly died: number
  readonly tries: number
  readonly reason: string
}

interface Rig {
  readonly server: ServerProcess
  readonly receiver: WebHookReceiver
  /** What the receiver answers with from now on; `undefined` is nothing at all. */
  readonly answerWith: (status: number | undefined) => void
  readonly restart: () => Promise<ServerProcess>
}

async function start(t: TestContext, status: number | undefined, more = ''): Promise<Rig> {
  let answered = status
  const receiver = await startReceiver(t, (_request, response) => {
    if (answered === undefined) return
    response.statusCode = answered
    response.end()
  })
  const text = configuration(receiver, more)
  const server = await startServer(t, { configuration: text })
  return {
    server,
    receiver,
    answerWith: (next) => (answered = next),
    restart: () => startServer(t, { configuration: text, folder: server.folder }),
  }
}

const deadLetters = (server: ServerProcess, limit = 100): Promise<readonly DeadLetter[]> =>
  askForList<DeadLetter>(server, 'dead', { limit: String(limit) })

const deliveryOf = ({ headers }: ReceivedHook): unknown => headers['x-wforce-delivery']

const dead = (server: ServerProcess, count: number): Promise<void> =>
  eventually(
    `there are not ${count} dead letters`,
    async () => (await metric(server, 'trackalert_dead_letters')) === count,
  )

test('a webhook that is refused for good is kept as a dead letter over restarts, and re-sent under its delivery id', async (t) => {
  const { server: first, receiver, answerWith, restart } = await start(t, 400)
  let server = first
  await report(server, { login: 'ann', session_id: 's1' })
  await receiver.waitForCount(1)
  await dead(server, 1)
  await server.stop('SIGKILL')
  server = await restart()

  const [letter, ...others] = await deadLetters(server)
  assert.ok(letter !== undefined)
  assert.equal(others.length, 0)
  const { hook, body, tries, reason, delivery, created, died } = letter
  assert.deepEqual({ hook, body, tries }, { hook: 'hook', body: 's1', tries: 1 })
  assert.match(reason, /^status 4\d\d$/)
  assert.ok(created <= died && Math.abs(died - Date.now() / 1000) < 60)
  assert.equal(receiver.received.length, 1, 'a dead letter is not tried again by itself')

  answerWith(200)
  assert.equal(await ask(server, 'resend', { id: String(letter.id) }), true)
  await receiver.waitForCount(2)
  assert.deepEqual(receiver.received.map(deliveryOf), [delivery, delivery])
  assert.deepEqual(
    receiver.received.map((received) => received.body),
    ['s1', 's1'],
  )
  await dead(server, 0)
  await eventually(
    'the webhook stays in the queue',
    async () => (await metric(server, 'trackalert_webhook_queue_size')) === 0,
  )
  assert.deepEqual(await deadLetters(server), [])
  assert.equal(await ask(server, 'resend', { id: String(letter.id) }), false)
})

test('a webhook that was re-sent and refused again is a dead letter again', async (t) => {
  const { server, receiver } = await start(t, 410)
  await report(server, { login: 'ann', session_id: 's1' })
  await dead(server, 1)
  const [first] = await deadLetters(server)
  assert.equal(await ask(server, 'resend', { id: String(first?.id) }), true)
  await receiver.waitForCount(2)
  await dead(server, 1)
  const [second] = await deadLetters(server)
  assert.equal(second?.delivery, first?.delivery)
})

test('dead letters are listed newest first, as many as are asked for', async (t) => {
  const { server } = await start(t, 400)
  for (const [index, session] of ['s1', 's2', 's3'].entries()) {
    await report(server, { login: 'ann', session_id: session })
    await dead(server, index + 1)
  }
  const bodies = async (limit: number) => (await deadLetters(server, limit)).map(({ body }) => body)
  assert.deepEqual(await bodies(100), ['s3', 's2', 's1'])
  assert.deepEqual(await bodies(2), ['s3', 's2'])
})

test('webhooks that wait when the server is killed arrive after the restart, each under one id on every try', async (t) => {
  const { server, receiver, answerWith, restart } = await start(t, 503)
  const sessions = Array.from({ length: 5 }, (_, index) => `s${index}`)
  for (const session of sessions) await report(server, { login: 'ann', session_id: session })
  await allRun(server)
  await receiver.waitForCount(1)
  assert.equal(await metric(server, 'trackalert_webhook_queue_size'), sessions.length)
  await server.stop('SIGKILL')

  answerWith(200)
  const again = await restart()
  await eventually(
    'they do not all arrive',
    async () => (await metric(again, 'trackalert_webhook_queue_size')) === 0,
  )
  for (const session of sessions) {
    const tries = receiver.received.filter(({ body }) => body === session)
    assert.ok(tries.length > 0, `${session} never came`)
    assert.equal(new Set(tries.map(deliveryOf)).size, 1, `${session} came under several ids`)
  }
  assert.equal(new Set(receiver.received.map(deliveryOf)).size, sessions.length)
})

test('beyond setWebHookQueueSize webhooks are dropped and counted, and reports are taken all the same', async (t) => {
  const { server, receiver, answerWith } = await start(
    t,
    undefined,
    'setWebHookQueueSize(3) setWebHookTimeoutSecs(60)',
  )
  // All at once, so that they are committed together: the bound holds for what is on its way, too.
  const records = Array.from({ length: 10 }, (_, number) => ({
    value: { login: 'ann', remote: '192.0.2.7', success: true, session_id: `s${number}` },
  }))
  const answer = await server.post('/command/report', { records })
  assert.equal(answer.status, 200, await answer.text())
  await allRun(server)
  assert.equal(await metric(server, 'trackalert_webhook_queue_size'), 3)
  assert.equal(await metric(server, 'trackalert_webhooks_dropped_total{reason="queue-full"}'), 7)
  await receiver.waitForCount(3)
  answerWith(200)
  assert.deepEqual(new Set(receiver.received.map(({ body }) => body)), new Set(['s0', 's1', 's2']))
})
