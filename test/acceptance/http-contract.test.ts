/** Every row of the contract with the reference's HTTP clients, asked of the real server, plain and over TLS. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { call, type HttpCall } from '../support/http-client.ts'
import { privateCa } from '../support/private-ca.ts'
import { BASE_CONFIGURATION, basicAuth, startServer } from '../support/server-process.ts'

const CONFIGURATION = `
${BASE_CONFIGURATION}
addListener("127.0.0.1:0", true, "${privateCa.serverFile}", "${privateCa.serverKeyFile}",
  { minimum_protocol = "TLSv1.2" })
addCustomStat("seen")
setReport(function(lt)
  if lt.login == "wrong" then error("no good") end
  incCustomStat("seen")
  infoLog("saw", { login = lt.login })
end)
setCustomEndpoint("ask", function(args)
  if args.attrs.fail then error('a "quoted" reason') end
  if args.attrs.wrong then return "neither" end
  return args.attrs.name ~= nil, { name = args.attrs.name or "", second = (args.attrs_mv.list or {})[2] or "",
    sum = 0.1 + 0.2 }
end)
`

const auth = { authorization: basicAuth() }
const REPORT = { login: 'joe', remote: '192.0.2.1', success: true }
const OK = '{"status":"ok"}'
const NOT_FOUND = '{"status":"failure", "reason":"Not found"}'
const UNAUTHORIZED = '{"status":"failure", "reason":"Unauthorized"}'

interface Row {
  readonly what: string
  readonly send: HttpCall
  readonly status: number
  /** The whole body, or what it must match. */
  readonly answer: string | RegExp
  readonly headers?: Readonly<Record<string, string>>
}

function post(path: string, body: unknown, headers: HttpCall['headers'] = auth): HttpCall {
  return { method: 'POST', path, headers, body: typeof body === 'string' ? body : JSON.stringify(body) }
}

function get(path: string, headers: HttpCall['headers'] = auth): HttpCall {
  return { path, headers }
}

const UNAUTHORIZED_ROW = {
  status: 401,
  answer: UNAUTHORIZED,
  headers: { 'www-authenticate': 'basic realm="wforce"', 'content-type': 'application/json' },
} as const

const ROWS: readonly Row[] = [
  { what: 'a report', send: post('/command/report', REPORT), status: 200, answer: OK },
  { what: 'a report, old style', send: post('/?command=report', REPORT), status: 200, answer: OK },
  {
    what: 'a report, old style, with parameters before and behind',
    send: post('/?x=1&command=report&y=2', REPORT),
    status: 200,
    answer: OK,
  },
  {
    what: 'a report of any content type',
    send: post('/command/report', REPORT, { ...auth, 'content-type': 'text/plain' }),
    status: 200,
    answer: OK,
  },
  {
    what: 'a report at which the policy fails',
    send: post('/command/report', { ...REPORT, login: 'wrong' }),
    status: 200,
    answer: OK,
  },
  {
    what: 'a Kafka body with one wrong record',
    send: post('/command/report', {
      records: [{ value: { ...REPORT, login: 'kafka' } }, { value: { login: 'kafka' } }],
    }),
    status: 400,
    answer: '{"status":"failure", "reason":"records[1].value: The field remote is missing"}',
  },
  {
    what: 'stats',
    send: get('/command/stats'),
    status: 200,
    answer:
      /^\{"reports":\d+,"user-msec":\d+,"sys-msec":\d+,"uptime":\d+,"perfstats":\{("WT[WR]_\w+":\d+,?){10}\},"commandstats":\{.*\},"customstats":\{"seen":\d+\}\}$/,
  },
  {
    what: 'a custom endpoint',
    send: post('/command/ask', { attrs: { name: 'Bob', list: ['a', 'b'] } }),
    status: 200,
    answer: '{"success": true, "r_attrs": {"name":"Bob","second":"b","sum":"0.3"}}',
  },
  {
    what: 'a custom endpoint, old style, that returns false',
    send: post('/?command=ask', {}),
    status: 200,
    answer: /^\{"success": false, "r_attrs": \{.*\}\}$/,
  },
  {
    what: 'a custom endpoint that raises an error',
    send: post('/command/ask', { attrs: { fail: 'yes' } }),
    status: 500,
    answer: /^\{"success": false, "reason": ".*trackalert\.conf:\d+: a \\"quoted\\" reason"\}$/,
  },
  {
    what: 'a custom endpoint that returns something else',
    send: post('/command/ask', { attrs: { wrong: 'yes' } }),
    status: 500,
    answer: /^\{"success": false, "reason": ".*boolean and a table of strings"\}$/,
  },
  {
    what: 'a custom endpoint with a malformed body',
    send: post('/command/ask', '{'),
    status: 400,
    answer: /^\{"success": false, "reason": "The body is not valid JSON.*"\}$/,
  },
  { what: 'livez without a password', send: get('/command/livez', {}), status: 200, answer: '' },
  { what: 'readyz without a password', send: get('/command/readyz', {}), status: 200, answer: '' },
  { what: 'metrics without a password', send: get('/metrics', {}), ...UNAUTHORIZED_ROW },
  {
    what: 'a wrong password',
    send: get('/command/stats', { authorization: basicAuth('a secret') }),
    ...UNAUTHORIZED_ROW,
  },
  { what: 'no password', send: post('/command/report', REPORT, {}), ...UNAUTHORIZED_ROW },
  {
    what: 'any user name',
    send: post('/command/report', REPORT, { authorization: basicAuth(undefined, 'who') }),
    status: 200,
    answer: OK,
  },
  { what: 'an unknown command', send: get('/command/nothing'), status: 404, answer: NOT_FOUND },
  {
    what: 'a file of the configuration folder',
    send: get('/trackalert.conf'),
    status: 404,
    answer: NOT_FOUND,
  },
  {
    what: 'a wrong method',
    send: get('/command/report'),
    status: 405,
    answer: '{"status":"failure", "reason":"Method not allowed"}',
    headers: { allow: 'POST' },
  },
  {
    what: 'malformed JSON',
    send: post('/command/report', '{"login":"a"b"}'),
    status: 400,
    answer: /^\{"status":"failure", "reason":"The body is not valid JSON.*"\}$/,
  },
  {
    what: 'a body over 1 MiB',
    send: post('/command/report', `"${'x'.repeat(2 ** 20)}"`),
    status: 413,
    answer: '{"status":"failure", "reason":"The body is larger than 1048576 bytes"}',
    headers: { connection: 'close' },
  },
  ...(
    [
      ['is no object', [], 'A report must be a JSON object'],
      ['lacks login', { ...REPORT, login: undefined }, 'The field login is missing'],
      ['lacks remote', { ...REPORT, remote: undefined }, 'The field remote is missing'],
      ['lacks success', { ...REPORT, success: undefined }, 'The field success is missing'],
      ['has a login of another type', { ...REPORT, login: 5 }, 'The field login must be a string'],
      [
        'has a success of another type',
        { ...REPORT, success: 'yes' },
        'The field success must be true or false',
      ],
      ['has a remote that is no address', { ...REPORT, remote: 'x' }, 'The field remote is no IP address'],
    ] as const
  ).map(([fault, body, reason]) => ({
    what: `a report that ${fault}`,
    send: post('/command/report', body),
    status: 400,
    answer: `{"status":"failure", "reason":"${reason}"}`,
  })),
]

/** Names and labels that the reference's dashboards use. */
const METRICS = [
  /^trackalert_commands_total\{cmd="report"\} [1-9]/m,
  /^trackalert_custom_stats_total\{metric="seen"\} [1-9]/m,
  /^trackalert_active_http_connections [1-9]/m,
  /^trackalert_web_queue_size \d/m,
  /^trackalert_webhook_queue_size 0/m,
  ...['queue', 'response'].flatMap((kind) =>
    ['0.001', '0.01', '0.1', '1', '+Inf'].map(
      (bound) =>
        new RegExp(
          `^trackalert_worker_${kind}_duration_seconds_bucket\\{le="${bound.replace(/[.+]/g, '\\$&')}"\\} \\d`,
          'm',
        ),
    ),
  ),
  /^trackalert_webhook_events_total 0/m,
  /^# TYPE trackalert_custom_webhook_events_total counter/m,
  /^# TYPE trackalert_dns_queries_total counter/m,
  /^# TYPE trackalert_dns_query_response_seconds histogram/m,
]

test('the real server answers as the contract says', async (t) => {
  const server = await startServer(t, { configuration: CONFIGURATION })
  const [plain = '', secure = ''] = server.urls
  assert.match(secure, /^https:/)
  const certificate = readFileSync(privateCa.caFile)
  for (const [kind, url] of [
    ['plain', plain],
    ['over TLS', secure],
  ] as const) {
    for (const row of ROWS) {
      await t.test(`${kind}: ${row.what} is answered ${row.status}`, async () => {
        const answer = await call(url, { ...row.send, certificate })
        assert.equal(answer.status, row.status, answer.body)
        if (typeof row.answer === 'string') assert.equal(answer.body, row.answer)
        else assert.match(answer.body, row.answer)
        if (answer.body.startsWith('{')) assert.doesNotThrow(() => void JSON.parse(answer.body))
        for (const [name, value] of Object.entries(row.headers ?? {})) {
          assert.equal(answer.headers[name], value)
        }
      })
    }
  }
  await t.test('metrics have the names of the reference', async () => {
    await server.post('/command/report', { ...REPORT, login: 'last' })
    await server.waitFor(/saw: login="last"/)
    const answer = await call(plain, get('/metrics'))
    assert.match(answer.headers['content-type'] ?? '', /^text\/plain/)
    for (const metric of METRICS) assert.match(answer.body, metric)
  })
  await t.test('of a Kafka body with a wrong record no report is run', () => {
    assert.doesNotMatch(server.output, /login="kafka"/)
  })
})
