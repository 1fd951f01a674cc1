/** More work than the server may hold: the whole server in this process, with room for a few runs only. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { startApp } from '../../support/app-in-process.ts'
import { call, type HttpAnswer } from '../../support/http-client.ts'
import { BASE_CONFIGURATION } from '../../support/server-process.ts'
import { startReceiver } from '../../support/web-hook-receiver.ts'

const ROOM = 3

interface FullServer {
  readonly url: string
  readonly send: (path: string, body: unknown) => Promise<HttpAnswer>
  /** Lets the runs that hold the room end. */
  readonly release: () => void
}

/** A server whose policy waits for the test; all of its room is taken. */
async function startFull(t: TestContext): Promise<FullServer> {
  const waiting: (() => void)[] = []
  const gate = await startReceiver(t, (_request, response) => waiting.push(() => response.end()))
  const { url, post } = await startApp(
    t,
    `${BASE_CONFIGURATION}
    setNumLuaStates(1)
    local function wait() http.request{url="${gate.url}", timeout=20} end
    setReport(wait)
    setCustomEndpoint("ask", function() return true end)`,
    { maxPendingRuns: ROOM },
  )
  for (let index = 0; index < ROOM; index++) {
    assert.equal((await post('/command/report', report(`user${index}`))).status, 200)
  }
  await gate.waitForCount(ROOM)
  return { url, send: post, release: () => waiting.splice(0).forEach((end) => end()) }
}

function report(login: string): object {
  return { login, remote: '192.0.2.1', success: true }
}

test('without room reports and custom endpoints are answered 503 with Retry-After, and taken again later', async (t) => {
  const { url, send, release } = await startFull(t)
  for (const [path, body, start] of [
    [
      '/command/report',
      report('more'),
      '{"status":"failure", "reason":"The server has as many reports waiting',
    ],
    ['/command/ask', {}, '{"success": false, "reason": "The server has as much work waiting'],
  ] as const) {
    const answer = await send(path, body)
    assert.equal(answer.status, 503)
    assert.equal(answer.headers['retry-after'], '2')
    assert.ok(answer.body.startsWith(start), answer.body)
    assert.doesNotThrow(() => void JSON.parse(answer.body))
  }
  // Who is alive must not be killed for being busy.
  assert.equal((await call(url, { path: '/command/livez' })).status, 200)
  release()
  const endMs = performance.now() + 5000
  let status = 503
  while (status === 503 && performance.now() < endMs) status = (await send('/command/ask', {})).status
  assert.equal(status, 200)
})

test('a Kafka body for which there is not room as a whole is refused as a whole', async (t) => {
  const { send, release } = await startFull(t)
  release()
  const records = Array.from({ length: ROOM + 1 }, (_, index) => ({ value: report(`record${index}`) }))
  assert.equal((await send('/command/report', { records })).status, 503)
})
