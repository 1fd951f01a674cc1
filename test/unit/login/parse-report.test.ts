import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseLoginReport } from '../../../src/login/parse-report.ts'

const RECEIVED_AT = 1_750_000_000.25
const LEAST = { login: 'joe', remote: '192.0.2.1', success: true }
const none = Object.create(null) as object

test('a report with the least that it must have gets a default for everything else', () => {
  const parsed = parseLoginReport(LEAST, RECEIVED_AT)
  assert.deepEqual(parsed, {
    ok: true,
    report: {
      t: RECEIVED_AT,
      login: 'joe',
      remote: '192.0.2.1',
      remote_port: 0,
      pwhash: '',
      success: true,
      policy_reject: false,
      fail_type: '',
      protocol: '',
      tls: false,
      device_id: '',
      session_id: '',
      device_attrs: none,
      attrs: none,
      attrs_mv: none,
    },
  })
})

const REMOTES = [
  ['1.2.3.4:55', '1.2.3.4', 55],
  ['[2001:DB8::1]:99', '2001:db8::1', 99],
  ['::ffff:1.2.3.4', '1.2.3.4', 0],
  ['[::ffff:1.2.3.4]:7', '1.2.3.4', 7],
  ['fe80::1%eth0', 'fe80::1%eth0', 0],
] as const

for (const [remote, address, port] of REMOTES) {
  test(`the remote ${remote} is ${address}, port ${port}`, () => {
    const parsed = parseLoginReport({ ...LEAST, remote }, RECEIVED_AT)
    assert.ok(parsed.ok)
    assert.equal(parsed.report.remote, address)
    assert.equal(parsed.report.remote_port, port)
  })
}

const ACCEPTED = [
  [{ login: '' }, 'login', ''],
  [{ success: false }, 'success', false],
  [{ t: 12.5 }, 't', 12.5],
  [{ t: 0 }, 't', 0],
  [{ t: null }, 't', RECEIVED_AT],
  [{ pwhash: null }, 'pwhash', ''],
  [{ tls: null }, 'tls', false],
  [{ tls: true }, 'tls', true],
  [{ policy_reject: true }, 'policy_reject', true],
  [{ fail_type: 'something new' }, 'fail_type', 'something new'],
  [{ login: 'a\udc80b' }, 'login', 'a\udc80b'],
  [{ login: 'x'.repeat(4096) }, 'login', 'x'.repeat(4096)],
] as const

for (const [fields, name, expected] of ACCEPTED) {
  test(`${JSON.stringify(fields).slice(0, 60)} is accepted`, () => {
    const parsed = parseLoginReport({ ...LEAST, ...fields }, RECEIVED_AT)
    assert.ok(parsed.ok)
    assert.equal(parsed.report[name], expected)
  })
}

const REFUSED = [
  [{ login: undefined }, /login is missing/],
  [{ login: null }, /login is missing/],
  [{ login: 5 }, /login must be a string/],
  [{ login: ['joe'] }, /login must be a string/],
  [{ login: 'x'.repeat(4097) }, /login is longer than 4096/],
  [{ remote: undefined }, /remote is missing/],
  [{ remote: 5 }, /remote must be a string/],
  [{ remote: '' }, /remote is no IP address/],
  [{ remote: 'example.com' }, /remote is no IP address/],
  [{ remote: '1'.repeat(200) }, /remote is longer/],
  [{ success: undefined }, /success is missing/],
  [{ success: null }, /success is missing/],
  [{ success: 'true' }, /success must be true or false/],
  [{ success: 1 }, /success must be true or false/],
  [{ tls: 'yes' }, /tls must be true or false/],
  [{ policy_reject: 0 }, /policy_reject must be true or false/],
  [{ pwhash: 5 }, /pwhash must be a string/],
  [{ protocol: {} }, /protocol must be a string/],
  [{ fail_type: [] }, /fail_type must be a string/],
  [{ session_id: true }, /session_id must be a string/],
  [{ device_id: 'x'.repeat(65_537) }, /device_id is longer/],
  [{ t: '5' }, /t must be a number/],
  [{ t: Infinity }, /t must be a number/],
  [{ t: Number.NaN }, /t must be a number/],
  [{ t: 1e300 }, /t must be a number/],
  [{ attrs: 'x' }, /attrs must be an object/],
  [{ attrs: ['x'] }, /attrs must be an object/],
  [{ device_attrs: 5 }, /device_attrs must be an object/],
  [{ attrs: { a: 'x'.repeat(65_537) } }, /attrs has a value longer/],
  [{ attrs: { a: ['x'.repeat(65_537)] } }, /attrs has a value longer/],
  [{ attrs: { a: Array.from({ length: 1_025 }, () => '') } }, /list of more than 1024/],
  [{ attrs: { ['x'.repeat(1_025)]: '' } }, /attrs has a member whose name is longer/],
  [{ attrs: Object.fromEntries(Array.from({ length: 1_025 }, (_, i) => [i, ''])) }, /at most 1024 members/],
  [{ device_attrs: { a: 'x'.repeat(65_537) } }, /device_attrs has a value longer/],
] as const

for (const [fields, reason] of REFUSED) {
  test(`${JSON.stringify(fields).slice(0, 60)} is refused: ${reason.source}`, () => {
    const parsed = parseLoginReport({ ...LEAST, ...fields }, RECEIVED_AT)
    assert.ok(!parsed.ok)
    assert.match(parsed.reason, reason)
    assert.ok(parsed.reason.length < 200)
  })
}

for (const value of [undefined, null, 5, 'joe', true, [], [LEAST]]) {
  test(`${JSON.stringify(value)} is no report`, () => {
    const parsed = parseLoginReport(value, RECEIVED_AT)
    assert.deepEqual(parsed, { ok: false, reason: 'A report must be a JSON object' })
  })
}

test('attributes are split into single values and lists, and what is neither is dropped', () => {
  const parsed = parseLoginReport(
    {
      ...LEAST,
      attrs: { a: 'x', b: ['y', 5, null, 'z'], c: 5, d: { e: 'f' }, g: true, h: null, i: [] },
      device_attrs: { 'os.family': 'Linux', n: 5, l: ['x'] },
    },
    RECEIVED_AT,
  )
  assert.ok(parsed.ok)
  assert.deepEqual({ ...parsed.report.attrs }, { a: 'x' })
  assert.deepEqual({ ...parsed.report.attrs_mv }, { b: ['y', '', '', 'z'], i: [] })
  assert.deepEqual({ ...parsed.report.device_attrs }, { 'os.family': 'Linux' })
})

test('an empty array is an empty map, as PHP writes it', () => {
  const parsed = parseLoginReport({ ...LEAST, attrs: [], device_attrs: [] }, RECEIVED_AT)
  assert.ok(parsed.ok)
  assert.deepEqual(parsed.report.attrs, none)
})

test('an attribute may have any name without changing what an object is', () => {
  const body = '{"login":"joe","remote":"::1","success":true,"attrs":{"__proto__":"x","constructor":["y"]}}'
  const parsed = parseLoginReport(JSON.parse(body), RECEIVED_AT)
  assert.ok(parsed.ok)
  assert.equal(parsed.report.attrs['__proto__'], 'x')
  assert.deepEqual(parsed.report.attrs_mv['constructor'], ['y'])
  assert.equal(parsed.report.attrs['toString'], undefined)
})

test('a field that only the prototype has is missing', () => {
  const parsed = parseLoginReport(
    JSON.parse('{"__proto__":{"login":"joe","remote":"::1","success":true}}'),
    0,
  )
  assert.deepEqual(parsed, { ok: false, reason: 'The field login is missing' })
})
