/** The document that describes the API, against itself, the routes and real answers. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Validator } from '@seriousme/openapi-schema-validator'
import Value from 'typebox/value'
import { OPENAPI_DOCUMENT } from '../../../src/http/openapi-document.ts'
import { createRoutes } from '../../../src/http/routes.ts'
import { call } from '../../support/http-client.ts'
import { basicAuth, startHttp, STATS } from '../../support/http-server-fixture.ts'

const headers = { authorization: basicAuth() }
const report = '{"login":"joe","remote":"192.0.2.1","success":true}'

const NOTE = { author: 'eve', comment: 'c', atMs: 1 } as const
const REPORT = { id: 1, login: 'joe', remote: '192.0.2.1', t: 1.5 } as const
const ALERT = {
  id: 1,
  rule: 'spray',
  key: 'k',
  severity: 'low',
  message: 'm',
  value: 1,
  threshold: 2,
  data: '[1]',
  user: '',
  count: 1,
  state: 'acknowledged',
  silence: 's1',
  firstAtMs: 1,
  lastAtMs: 2,
  changedAtMs: 2,
  resolveAfterMs: 1,
  firstReport: REPORT,
  lastReport: REPORT,
  acknowledged: NOTE,
  comments: [NOTE],
  revision: 1,
} as const
const DELIVERY = {
  sink: 'mail',
  deliveryId: 'd',
  state: 'queued',
  tries: 0,
  atMs: 1,
  to: '',
  answer: '',
} as const
const TOLD = {
  id: 1,
  atMs: 1,
  group: 'all',
  reason: 'new',
  total: 1,
  alertIds: [1],
  deliveries: [DELIVERY],
} as const

const RAISE = {
  atMs: 1,
  severity: 'low',
  message: 'm',
  value: 1,
  threshold: 2,
  reportId: 7,
  report: {
    login: 'joe',
    remote: '192.0.2.1',
    t: 1.5,
    success: true,
    failType: '',
    protocol: 'imap',
    tls: true,
    deviceId: 'd',
    deviceAttrs: { a: 'b' },
  },
  parameters: '{"p":1}',
  reads: [
    { call: 'twGet', database: 'db', key: 'k', field: 'f', answer: 1 },
    { call: 'twItems', database: 'db', key: 'k', field: 'f', item: 'i', answer: null, entries: 9 },
  ],
  earlierReads: 1,
} as const

type Schema = Readonly<Record<string, unknown>>

/** The document's schemas with their references put in place. */
function resolved(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(resolved)
  if (typeof schema !== 'object' || schema === null) return schema
  if ('$ref' in schema && typeof schema.$ref === 'string') {
    const name = schema.$ref.split('/').at(-1) ?? ''
    return resolved(Object.entries(OPENAPI_DOCUMENT.components.schemas).find(([key]) => key === name)?.[1])
  }
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, resolved(value)]))
}

function fits(schema: unknown, value: unknown): boolean {
  return Value.Check(resolved(schema) as Schema, value)
}

function member(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null
    ? Object.entries(value).find(([name]) => name === key)?.[1]
    : undefined
}

test('the document is valid OpenAPI', async () => {
  const result = await new Validator().validate({ ...structuredClone(OPENAPI_DOCUMENT) })
  assert.deepEqual(result.errors, undefined)
  assert.equal(result.valid, true)
})

test('the document has every route, with its method and password, and no other', () => {
  const routes = createRoutes(
    {
      submitReports: () => Promise.resolve({ kind: 'accepted' }),
      endpointNames: () => new Set(),
      runEndpoint: () => Promise.resolve({ kind: 'failed', reason: '' }),
      readiness: () => ({ ready: true }),
      stats: () => STATS,
      askAlerts: () => Promise.resolve({ kind: 'alerts', alerts: [] }),
      metrics: () => Promise.resolve({ contentType: '', body: '' }),
      countCommand: () => undefined,
      onRefused: () => undefined,
      onConnections: () => undefined,
    },
    {},
  )
  const described = Object.entries(OPENAPI_DOCUMENT.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      const isOpen = 'security' in operation
      return `${method.toUpperCase()} ${path} ${isOpen ? 'open' : 'password'}`
    }),
  )
  const real = routes.map(
    ({ method, path, needsPassword }) =>
      `${method} ${path.replace(':endpoint', '{endpoint}')} ${needsPassword ? 'password' : 'open'}`,
  )
  assert.deepEqual(described.toSorted(), real.toSorted())
})

test('the server gives the document', async (t) => {
  const { url } = await startHttp(t)
  assert.equal((await call(url, { path: '/openapi.json' })).status, 401)
  const answer = await call(url, { path: '/openapi.json', headers })
  assert.deepEqual(JSON.parse(answer.body), JSON.parse(JSON.stringify(OPENAPI_DOCUMENT)))
})

test('real answers are as the document says', async (t) => {
  const { url } = await startHttp(t)
  const broken = await startHttp(
    t,
    {},
    {
      submitReports: () => Promise.resolve({ kind: 'refused', reason: 'full', retryAfterSeconds: 1 }),
      runEndpoint: () => Promise.resolve({ kind: 'failed', reason: 'boom' }),
      readiness: () => ({ ready: false, reason: 'starting' }),
      askAlerts: () => Promise.reject(new Error('the store is away')),
    },
  )
  const alerts = await startHttp(
    t,
    {},
    {
      askAlerts: ({ kind }) =>
        Promise.resolve(
          kind === 'list'
            ? { kind: 'alerts', alerts: [ALERT] }
            : kind === 'explain'
              ? { kind: 'explanation', alert: ALERT, evidence: { first: RAISE, latest: RAISE } }
              : { kind: 'alert', alert: ALERT, notifications: [TOLD] },
        ),
    },
  )
  const action = '{"action":"ack","id":1,"author":"eve"}'
  const cases = [
    [url, 'POST', '/command/report', report, 200],
    [url, 'POST', '/command/report', '{', 400],
    [broken.url, 'POST', '/command/report', report, 503],
    [url, 'GET', '/command/stats', undefined, 200],
    [alerts.url, 'GET', '/command/alerts', undefined, 200],
    [alerts.url, 'GET', '/command/alerts', undefined, 200, '?id=1&explain=true'],
    [alerts.url, 'GET', '/command/alerts', undefined, 400, '?id=1&explain=1'],
    [alerts.url, 'GET', '/command/alerts', undefined, 400, '?explain=true'],
    [alerts.url, 'POST', '/command/alerts', action, 200],
    [url, 'POST', '/command/alerts', '{}', 400],
    [broken.url, 'GET', '/command/alerts', undefined, 503],
    [url, 'GET', '/command/livez', undefined, 200],
    [url, 'GET', '/command/readyz', undefined, 200],
    [broken.url, 'GET', '/command/readyz', undefined, 503],
    [url, 'GET', '/metrics', undefined, 200],
    [url, 'POST', '/command/{endpoint}', '{"attrs":{}}', 200],
    [url, 'POST', '/command/{endpoint}', '[]', 400],
    [broken.url, 'POST', '/command/{endpoint}', '{}', 500],
  ] as const
  for (const [base, method, path, body, status, query = ''] of cases) {
    const answer = await call(base, {
      method,
      path: path.replace('{endpoint}', 'custom') + query,
      headers,
      ...(body === undefined ? {} : { body }),
    })
    assert.equal(answer.status, status)
    const operation = member(OPENAPI_DOCUMENT.paths[path], method.toLowerCase())
    const described = member(member(operation, 'responses'), String(status))
    assert.ok(described !== undefined, `${method} ${path} ${status} is not described`)
    const content = member(described, 'content')
    if (content === undefined) {
      assert.equal(answer.body, '')
      continue
    }
    const type = (answer.headers['content-type'] ?? '').split(';')[0] ?? ''
    const schema = member(member(content, type), 'schema')
    assert.ok(schema !== undefined, `${method} ${path} ${status} is not described as ${type}`)
    const value: unknown = type === 'application/json' ? JSON.parse(answer.body) : answer.body
    assert.ok(fits(schema, value), `${method} ${path} ${status}: ${answer.body}`)
  }
})

test('the bodies that the document asks for are those that are taken', () => {
  const { LoginReport, KafkaRecords } = OPENAPI_DOCUMENT.components.schemas
  const value: unknown = JSON.parse(report)
  assert.ok(fits(LoginReport, value))
  assert.ok(fits(KafkaRecords, { records: [{ value }] }))
  assert.ok(!fits(LoginReport, { login: 'joe' }))
  assert.ok(!fits(KafkaRecords, { records: [{}] }))
})
