/** What the reference's clients send and what they get, over HTTP and over TLS. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { call, type HttpCall } from '../../support/http-client.ts'
import {
  basicAuth,
  LOOPBACK,
  RECEIVED_AT_SECONDS,
  startHttp,
  STATS,
  type HttpFixture,
} from '../../support/http-server-fixture.ts'

const certificate = (name: string): string =>
  fileURLToPath(new URL(`../../fixtures/tls/private-ca/${name}.pem`, import.meta.url))
const ca = readFileSync(certificate('ca'))
const TLS = { certificateFile: certificate('server'), keyFile: certificate('server-key'), options: {} }

const auth = { authorization: basicAuth() }
const REPORT = { login: 'joe', remote: '192.0.2.1', success: true }
const body = JSON.stringify(REPORT)
const OK = '{"status":"ok"}'
const unauthorized = '{"status":"failure", "reason":"Unauthorized"}'

interface Row {
  readonly what: string
  readonly send: HttpCall
  readonly status: number
  /** The whole body, or what its text must match. */
  readonly answer: string | RegExp
  readonly headers?: Readonly<Record<string, string>>
}

const post = (path: string, text: string, headers: Readonly<Record<string, string>> = auth): HttpCall => ({
  method: 'POST',
  path,
  headers,
  body: text,
})
const get = (path: string, headers: Readonly<Record<string, string>> = auth): HttpCall => ({ path, headers })

const ROWS: readonly Row[] = [
  { what: 'a report', send: post('/command/report', body), status: 200, answer: OK },
  { what: 'a report in the old style', send: post('/?command=report', body), status: 200, answer: OK },
  {
    what: 'a report with other parameters',
    send: post('/?a=1&command=report&b', body),
    status: 200,
    answer: OK,
  },
  {
    what: 'a report of no content type',
    send: post('/command/report', body, { ...auth, 'content-type': '' }),
    status: 200,
    answer: OK,
  },
  ...['text/plain', 'application/x-www-form-urlencoded', 'nonsense', 'multipart/form-data', ';;'].map(
    (type) => ({
      what: `a report of content type ${type}`,
      send: post('/command/report', body, { ...auth, 'content-type': type }),
      status: 200,
      answer: OK,
    }),
  ),
  {
    what: 'a report of identity encoding',
    send: post('/command/report', body, { ...auth, 'content-encoding': 'identity' }),
    status: 200,
    answer: OK,
  },
  {
    what: 'a compressed report',
    send: post('/command/report', body, { ...auth, 'content-encoding': 'gzip' }),
    status: 415,
    answer: /compressed/,
  },
  { what: 'stats', send: get('/command/stats'), status: 200, answer: JSON.stringify(STATS) },
  {
    what: 'stats in the old style',
    send: get('/?command=stats'),
    status: 200,
    answer: JSON.stringify(STATS),
  },
  {
    what: 'a custom endpoint',
    send: post('/command/custom', '{"attrs":{"a":"b"}}'),
    status: 200,
    answer: '{"success": true, "r_attrs": {"key":"value \\"quoted\\""}}',
  },
  {
    what: 'a custom endpoint in the old style',
    send: post('/?command=custom', '{}'),
    status: 200,
    answer: /"success": true/,
  },
  {
    what: 'a custom endpoint with a malformed body',
    send: post('/command/custom', '{'),
    status: 400,
    answer: /^\{"success": false, "reason": "The body is not valid JSON/,
  },
  {
    what: 'metrics',
    send: get('/metrics'),
    status: 200,
    answer: 'up 1\n',
    headers: { 'content-type': 'text/plain; version=0.0.4' },
  },
  { what: 'metrics without the password', send: get('/metrics', {}), status: 401, answer: unauthorized },
  { what: 'livez without the password', send: get('/command/livez', {}), status: 200, answer: '' },
  { what: 'readyz without the password', send: get('/?command=readyz', {}), status: 200, answer: '' },
  {
    what: 'a report without the password',
    send: post('/command/report', body, {}),
    status: 401,
    answer: unauthorized,
    headers: { 'www-authenticate': 'basic realm="wforce"' },
  },
  {
    what: 'a report with a wrong password',
    send: post('/command/report', body, { authorization: basicAuth('wrong') }),
    status: 401,
    answer: unauthorized,
  },
  {
    what: 'a report of another user',
    send: post('/command/report', body, { authorization: basicAuth(undefined, 'somebody') }),
    status: 200,
    answer: OK,
  },
  {
    what: 'an unknown command',
    send: get('/command/nonsense'),
    status: 404,
    answer: '{"status":"failure", "reason":"Not found"}',
  },
  {
    what: 'an unknown command, posted',
    send: post('/command/nonsense', body),
    status: 404,
    answer: /Not found/,
  },
  { what: 'an unknown path', send: get('/trackalert.conf'), status: 404, answer: /Not found/ },
  { what: 'a path with a broken escape', send: get('/command/%ff'), status: 404, answer: /Not found/ },
  { what: 'no command', send: get('/'), status: 404, answer: /Not found/ },
  { what: 'an unknown path without the password', send: get('/x', {}), status: 401, answer: unauthorized },
  ...(
    [
      ['GET', '/command/report', 'POST'],
      ['PUT', '/command/report', 'POST'],
      ['DELETE', '/?command=report', 'POST'],
      ['OPTIONS', '/command/report', 'POST'],
      ['PROPFIND', '/command/report', 'POST'],
      ['GET', '/command/custom', 'POST'],
      ['POST', '/command/stats', 'GET'],
      ['HEAD', '/command/stats', 'GET'],
      ['POST', '/command/livez', 'GET'],
      ['HEAD', '/command/livez', 'GET'],
      ['POST', '/metrics', 'GET'],
    ] as const
  ).map(([method, path, allow]) => ({
    what: `${method} ${path}`,
    send: { method, path, headers: auth },
    status: 405,
    answer: method === 'HEAD' ? '' : '{"status":"failure", "reason":"Method not allowed"}',
    headers: { allow },
  })),
  {
    what: 'malformed JSON',
    send: post('/command/report', '{"login": "jo"e"}'),
    status: 400,
    answer: /^\{"status":"failure", "reason":"The body is not valid JSON/,
  },
  {
    what: 'an empty body',
    send: { method: 'POST', path: '/command/report', headers: auth },
    status: 400,
    answer: /empty/,
  },
  {
    what: 'a body over the limit',
    send: post('/command/report', `"${'x'.repeat(1024 * 1024)}"`),
    status: 413,
    answer: '{"status":"failure", "reason":"The body is larger than 1048576 bytes"}',
    headers: { connection: 'close' },
  },
  { what: 'an array', send: post('/command/report', '[]'), status: 400, answer: /must be a JSON object/ },
  ...(['login', 'remote', 'success'] as const).map((name) => ({
    what: `a report without ${name}`,
    send: post('/command/report', JSON.stringify({ ...REPORT, [name]: undefined })),
    status: 400,
    answer: new RegExp(`The field ${name} is missing`),
  })),
  {
    what: 'a remote that is no address',
    send: post('/command/report', JSON.stringify({ ...REPORT, remote: '"x"' })),
    status: 400,
    answer: /remote is no IP address/,
  },
]

async function check(url: string, row: Row, trusted: Buffer | undefined): Promise<void> {
  const answer = await call(url, trusted === undefined ? row.send : { ...row.send, certificate: trusted })
  assert.equal(answer.status, row.status, answer.body)
  if (typeof row.answer === 'string') assert.equal(answer.body, row.answer)
  else assert.match(answer.body, row.answer)
  for (const [name, value] of Object.entries(row.headers ?? {})) assert.equal(answer.headers[name], value)
  if (answer.body.startsWith('{')) {
    assert.match(answer.headers['content-type'] ?? '', /^application\/json/)
    assert.doesNotThrow(() => void JSON.parse(answer.body))
  }
}

for (const [kind, tls, trusted] of [
  ['HTTP', null, undefined],
  ['TLS', TLS, ca],
] as const) {
  test(`over ${kind}`, async (t) => {
    const { url, internalErrors } = await startHttp(t, { listeners: [{ ...LOOPBACK, tls }] })
    assert.match(url, kind === 'TLS' ? /^https:/ : /^http:/)
    for (const row of ROWS) {
      await t.test(`${row.what} is answered ${row.status}`, () => check(url, row, trusted))
    }
    assert.deepEqual(internalErrors, [])
  })
}

test('a report comes out as it was sent, by wforce, by Dovecot and through Kafka', async (t) => {
  const fixture = await startHttp(t)
  const send = async (path: string, value: unknown, headers = {}): Promise<void> => {
    const answer = await call(fixture.url, post(path, JSON.stringify(value), { ...auth, ...headers }))
    assert.equal(answer.body, OK)
  }
  await send('/?command=report', wforceReport, {
    'content-type': 'application/json',
    'x-wforce-delivery': '4b7a9a3e',
    'x-wforce-event': 'report',
    'x-wforce-hookid': '1',
    'x-wforce-signature': 'bm90IGxvb2tlZCBhdA==',
  })
  await send('/command/report', dovecotReport)
  await send(
    '/?command=report',
    { records: [{ value: wforceReport }, { value: dovecotReport }] },
    { 'content-type': 'application/vnd.kafka.json.v2+json' },
  )
  const [first, second, third, fourth] = fixture.reports
  assert.equal(fixture.reports.length, 4)
  assert.deepEqual(
    {
      ...first,
      attrs: { ...first?.attrs },
      attrs_mv: { ...first?.attrs_mv },
      device_attrs: { ...first?.device_attrs },
    },
    {
      t: 1_750_000_123.456,
      login: 'joe.bloggs',
      remote: '2001:db8::7',
      remote_port: 0,
      pwhash: '1f3',
      success: true,
      policy_reject: false,
      fail_type: '',
      protocol: 'imap',
      tls: true,
      device_id: '"name" "Mail"',
      session_id: 'abc',
      device_attrs: { 'imapc.family': 'Mail' },
      attrs: { accountStatus: 'active' },
      attrs_mv: { groups: ['a', 'b'] },
    },
  )
  assert.equal(second?.login, 'jane')
  assert.equal(second.t, RECEIVED_AT_SECONDS)
  assert.equal(second.remote, '192.0.2.9')
  assert.deepEqual([third, fourth], [first, second])
})

const wforceReport = {
  attrs: { accountStatus: 'active', groups: ['a', 'b'] },
  device_attrs: { 'imapc.family': 'Mail' },
  device_id: '"name" "Mail"',
  fail_type: '',
  login: 'joe.bloggs',
  policy_reject: false,
  protocol: 'imap',
  pwhash: '1f3',
  remote: '2001:0db8::7',
  session_id: 'abc',
  success: true,
  t: 1_750_000_123.456,
  tls: true,
  type: 'wforce_report',
}

const dovecotReport = {
  device_id: '',
  login: 'jane',
  protocol: 'imap',
  pwhash: '00',
  remote: '::ffff:192.0.2.9',
  tls: false,
  success: false,
  policy_reject: true,
  fail_type: 'policy',
}

test('commands are counted by name, and what was not let in is not', async (t) => {
  const fixture: HttpFixture = await startHttp(t)
  for (const path of ['livez', 'readyz', 'stats', 'nonsense'])
    await call(fixture.url, get(`/command/${path}`))
  await call(fixture.url, post('/command/report', body))
  await call(fixture.url, post('/command/custom', '{}'))
  await call(fixture.url, post('/command/report', body, {}))
  assert.deepEqual(fixture.commands, ['livez', 'readyz', 'stats', 'report', 'custom'])
})

test('a custom endpoint gets its attributes split', async (t) => {
  const fixture = await startHttp(t)
  await call(fixture.url, post('/command/custom', '{"attrs":{"a":"x","b":["y",5],"c":{}}}'))
  assert.equal(fixture.calls[0]?.name, 'custom')
  assert.deepEqual({ ...fixture.calls[0].args.attrs }, { a: 'x' })
  assert.deepEqual({ ...fixture.calls[0].args.attrs_mv }, { b: ['y', ''] })
})

test('a custom endpoint may have any name', async (t) => {
  const names = ['über/all', 'a b', '..x', 'stats2', '%', '"', 'constructor']
  const fixture = await startHttp(t, {}, { endpointNames: () => new Set(names) })
  for (const name of names) {
    for (const path of [`/command/${encodeURIComponent(name)}`, `/?command=${encodeURIComponent(name)}`]) {
      const answer = await call(fixture.url, post(path, '{}'))
      assert.equal(answer.status, 200, path)
      assert.equal(fixture.calls.pop()?.name, name)
    }
  }
})

test('metrics need no password when the configuration says so', async (t) => {
  const { url } = await startHttp(t, { metricsNoPassword: true })
  assert.equal((await call(url, get('/metrics', {}))).status, 200)
  assert.equal((await call(url, get('/command/stats', {}))).status, 401)
})
