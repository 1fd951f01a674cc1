import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseEndpointArguments } from '../../../src/login/endpoint-arguments.ts'
import { parseReportBody } from '../../../src/login/report-body.ts'

const REPORT = { login: 'joe', remote: '192.0.2.1', success: true }
const bytes = (value: unknown): Uint8Array =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))

test('one report is a list of one', () => {
  const parsed = parseReportBody(bytes(REPORT), 5)
  assert.ok(parsed.ok)
  assert.deepEqual(
    parsed.reports.map(({ login, t }) => [login, t]),
    [['joe', 5]],
  )
})

test('records of a Kafka proxy are reports in their order', () => {
  const records = ['a', 'b', 'c'].map((login) => ({ value: { ...REPORT, login } }))
  const parsed = parseReportBody(bytes({ records }), 5)
  assert.ok(parsed.ok)
  assert.deepEqual(
    parsed.reports.map(({ login }) => login),
    ['a', 'b', 'c'],
  )
})

test('a report with a field named records is a report', () => {
  const parsed = parseReportBody(bytes({ ...REPORT, records: [] }), 5)
  assert.ok(parsed.ok)
  assert.equal(parsed.reports.length, 1)
})

test('of members with the same name the last one counts', () => {
  const parsed = parseReportBody(bytes('{"login":"a","login":"b","remote":"::1","success":true}'), 5)
  assert.ok(parsed.ok)
  assert.equal(parsed.reports[0]?.login, 'b')
})

test('a byte order mark is ignored', () => {
  assert.ok(parseReportBody(bytes(`\uFEFF${JSON.stringify(REPORT)}`), 5).ok)
})

test('bytes that are not UTF-8 are kept, each as a surrogate of its own', () => {
  const body = Buffer.from('{"login":"j\xf6e","remote":"::1","success":true}', 'latin1')
  const parsed = parseReportBody(body, 5)
  assert.ok(parsed.ok)
  assert.equal(parsed.reports[0]?.login, 'j\udcf6e')
})

const REFUSED = [
  ['', /empty/],
  [' ', /not valid JSON/],
  ['{', /not valid JSON/],
  ['{"login":"joe",}', /not valid JSON.* at character 15/],
  ['null', /must be a JSON object/],
  ['[]', /must be a JSON object/],
  ['"joe"', /must be a JSON object/],
  ['{}', /login is missing/],
  ['{"records":{}}', /login is missing/],
  ['{"records":[]}', /records is empty/],
  ['{"records":[5]}', /records\[0\]\.value: A report must be/],
  ['{"records":[{"key":"x"}]}', /records\[0\]\.value: A report must be/],
  [
    JSON.stringify({ records: [{ value: REPORT }, { value: { ...REPORT, remote: 'x' } }] }),
    /records\[1\].*remote/,
  ],
  ['{"login":"joe","remote":"::1","success":true,"t":1e400}', /t must be a number/],
  ['['.repeat(400_000), /not valid JSON/],
  [`${'['.repeat(200_000)}${']'.repeat(200_000)}`, /must be a JSON object/],
  [`{"login":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, /remote is missing/],
] as const

for (const [body, reason] of REFUSED) {
  test(`the body ${JSON.stringify(body.slice(0, 50))} is refused: ${reason.source}`, () => {
    const parsed = parseReportBody(bytes(body), 5)
    assert.ok(!parsed.ok)
    assert.match(parsed.reason, reason)
  })
}

test('what is wrong with a body is said without repeating it', () => {
  const parsed = parseReportBody(bytes('{"pwhash":"hunter2" oops}'), 5)
  assert.ok(!parsed.ok)
  assert.doesNotMatch(parsed.reason, /hunter2|oops/)
})

test('the arguments of an endpoint are its attributes', () => {
  const parsed = parseEndpointArguments(bytes({ attrs: { a: 'x', b: ['y', 5], c: 1 }, other: 5 }))
  assert.ok(parsed.ok)
  assert.deepEqual({ ...parsed.args.attrs }, { a: 'x' })
  assert.deepEqual({ ...parsed.args.attrs_mv }, { b: ['y', ''] })
})

for (const body of ['{}', '{"attrs":null}', '{"attrs":{}}', '{"attrs":[]}']) {
  test(`an endpoint called with ${body} gets no attributes`, () => {
    const parsed = parseEndpointArguments(bytes(body))
    assert.ok(parsed.ok)
    assert.deepEqual([Object.keys(parsed.args.attrs), Object.keys(parsed.args.attrs_mv)], [[], []])
  })
}

for (const [body, reason] of [
  ['', /empty/],
  ['x', /not valid JSON/],
  ['[]', /must be a JSON object/],
  ['{"attrs":5}', /attrs must be an object/],
] as const) {
  test(`an endpoint called with ${JSON.stringify(body)} is refused`, () => {
    const parsed = parseEndpointArguments(bytes(body))
    assert.ok(!parsed.ok)
    assert.match(parsed.reason, reason)
  })
}
