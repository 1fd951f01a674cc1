/** What clients get when the rest of the server refuses, fails, hangs or breaks. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EndpointOutcome } from '../../../src/http/http-ports.ts'
import { call } from '../../support/http-client.ts'
import { basicAuth, startHttp } from '../../support/http-server-fixture.ts'

const headers = { authorization: basicAuth() }
const report = {
  method: 'POST',
  path: '/command/report',
  headers,
  body: '{"login":"joe","remote":"192.0.2.1","success":true}',
}
const custom = { method: 'POST', path: '/command/custom', headers, body: '{}' }

test('a refused report is answered 503 with the reason and when to come again', async (t) => {
  const { url } = await startHttp(
    t,
    {},
    {
      submitReports: () =>
        Promise.resolve({ kind: 'refused', reason: 'The "disk" is full', retryAfterSeconds: 1.2 }),
    },
  )
  const answer = await call(url, report)
  assert.equal(answer.status, 503)
  assert.equal(answer.headers['retry-after'], '2')
  assert.deepEqual(JSON.parse(answer.body), { status: 'failure', reason: 'The "disk" is full' })
})

test('a report that is not stored in time is answered 503', async (t) => {
  const { url } = await startHttp(
    t,
    { handlerTimeoutMs: 100 },
    { submitReports: () => Promise.withResolvers<{ readonly kind: 'accepted' }>().promise },
  )
  const answer = await call(url, report)
  assert.equal(answer.status, 503)
  assert.match(answer.body, /whether it took effect is not known/)
  assert.equal(answer.headers['retry-after'], '5')
  assert.equal(answer.headers.connection, 'close')
})

test('an error is answered 500 without its text, and handed on', async (t) => {
  const error = new TypeError('secret detail')
  const fixture = await startHttp(
    t,
    {},
    {
      submitReports: () => Promise.reject(error),
      stats() {
        throw error
      },
      metrics: () => Promise.reject(error),
    },
  )
  for (const request of [report, { path: '/command/stats', headers }, { path: '/metrics', headers }]) {
    const answer = await call(fixture.url, request)
    assert.equal(answer.status, 500)
    assert.doesNotMatch(answer.body, /secret/)
    assert.doesNotThrow(() => void JSON.parse(answer.body))
  }
  assert.deepEqual(fixture.internalErrors, [error, error, error])
})

const OUTCOMES: readonly (readonly [EndpointOutcome, number, string])[] = [
  [{ kind: 'returned', success: true, attributes: {} }, 200, '{"success": true, "r_attrs": {}}'],
  [
    { kind: 'returned', success: false, attributes: { a: '1' } },
    200,
    '{"success": false, "r_attrs": {"a":"1"}}',
  ],
  [
    { kind: 'returned', success: true, attributes: { a: '\udcff"\n' } },
    200,
    String.raw`{"success": true, "r_attrs": {"a":"\udcff\"\n"}}`,
  ],
  [
    { kind: 'failed', reason: 'x.conf:5: "boom"\nstack traceback:' },
    500,
    String.raw`{"success": false, "reason": "x.conf:5: \"boom\"\nstack traceback:"}`,
  ],
  [{ kind: 'refused', reason: 'busy', retryAfterSeconds: 3 }, 503, '{"success": false, "reason": "busy"}'],
]

for (const [outcome, status, body] of OUTCOMES) {
  test(`an endpoint that ${outcome.kind} is answered ${status} ${body}`, async (t) => {
    const { url } = await startHttp(t, {}, { runEndpoint: () => Promise.resolve(outcome) })
    const answer = await call(url, custom)
    assert.equal(answer.status, status)
    assert.equal(answer.body, body)
    assert.equal(answer.headers['retry-after'], outcome.kind === 'refused' ? '3' : undefined)
  })
}

test('an endpoint that does not answer in time is told so and answered 500', async (t) => {
  const aborted = Promise.withResolvers<void>()
  const { url } = await startHttp(
    t,
    { handlerTimeoutMs: 100 },
    {
      runEndpoint(_name, _args, signal) {
        signal.addEventListener('abort', () => aborted.resolve())
        return Promise.withResolvers<EndpointOutcome>().promise
      },
    },
  )
  const answer = await call(url, custom)
  assert.equal(answer.status, 500)
  assert.deepEqual(JSON.parse(answer.body), {
    success: false,
    reason: 'The custom endpoint did not answer in time',
  })
  await aborted.promise
})

test('readyz says why the server is not ready; livez does not mind', async (t) => {
  const { url } = await startHttp(t, {}, { readiness: () => ({ ready: false, reason: 'The disk is full' }) })
  const answer = await call(url, { path: '/command/readyz' })
  assert.equal(answer.status, 503)
  assert.deepEqual(JSON.parse(answer.body), { status: 'failure', reason: 'The disk is full' })
  assert.equal((await call(url, { path: '/command/livez' })).status, 200)
})
