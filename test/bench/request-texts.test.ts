import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Body, LoadOrder } from './load-messages.ts'
import { requestsForEachKey, requestTexts } from './request-texts.ts'
import { SimulatedBodies } from './simulated-bodies.ts'

const KEYS = 3_000
const ORDER = { url: 'http://127.0.0.1:1', path: '/command/report', authorization: 'Basic x', connections: 1 }

test('requests with each key have every login and every address once, and no other', () => {
  const order = { ...ORDER, body: 'each-key', keys: KEYS, requests: requestsForEachKey(KEYS) } as const
  const reports = bodiesOf(order).flatMap((body) =>
    (body as { readonly records: readonly { readonly value: Report }[] }).records.map(({ value }) => value),
  )
  assert.equal(new Set(reports.map(({ login }) => login)).size, KEYS / 2)
  assert.equal(new Set(reports.map(({ remote }) => remote)).size, KEYS / 2)
})

test('requests with any key have those keys only, and spread over most of them', () => {
  const each = bodiesOf({ ...ORDER, body: 'each-key', keys: KEYS, requests: requestsForEachKey(KEYS) })
  const known = new Set(
    each.flatMap((body) =>
      (body as { readonly records: readonly { readonly value: Report }[] }).records.flatMap(({ value }) => [
        value.login,
        value.remote,
      ]),
    ),
  )
  const any = bodiesOf({
    ...ORDER,
    body: 'any-key',
    keys: KEYS,
    first: 7,
    requests: 5 * KEYS,
  }) as readonly Report[]
  const used = new Set(any.flatMap(({ login, remote }) => [login, remote]))
  assert.deepEqual([...used.difference(known)], [])
  // Of 1500 names drawn 15,000 times, one in 22,000 stays away.
  assert.ok(used.size > KEYS * 0.95, `${used.size} keys`)
})

for (const body of [
  'report',
  'endpoint',
  'any-key',
  'each-key',
  'simulated',
] as const satisfies readonly Body[]) {
  test(`the same numbers are the same requests: ${body}`, () => {
    const order = { ...ORDER, body, keys: KEYS, first: 40, requests: 3 }
    assert.deepEqual(requestTexts(order, new SimulatedBodies()), requestTexts(order, new SimulatedBodies()))
  })
}

test('simulated requests go on where the last ones ended, and do not say what the simulator knows', () => {
  const simulated = new SimulatedBodies()
  const order = { ...ORDER, body: 'simulated' } as const
  const all = requestTexts({ ...order, requests: 400 }, simulated)
  assert.deepEqual(requestTexts({ ...order, first: 300, requests: 100 }, simulated), all.slice(300))
  for (const text of all) assert.doesNotMatch(text.toString(), /"(label|attack|trap)":/)
})

interface Report {
  readonly login: string
  readonly remote: string
}

function bodiesOf(order: LoadOrder): readonly unknown[] {
  return requestTexts(order, new SimulatedBodies()).map((text): unknown => {
    const body = text.toString().split('\r\n\r\n')[1] ?? ''
    assert.match(text.toString(), new RegExp(`Content-Length: ${Buffer.byteLength(body)}\r\n`))
    return JSON.parse(body)
  })
}
