import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseLine } from '../../../src/replay/parse-line.ts'

const GOOD = { t: 1_700_000_000, login: 'ann', remote: '192.0.2.1', success: true }

const bad: readonly (readonly [what: string, line: string | undefined, reason: RegExp])[] = [
  ['a line that is too long', undefined, /longer than 1048576 bytes/],
  ['no JSON', '{"t":1,', /not valid JSON/],
  ['a list', '[]', /must be a JSON object/],
  ['null', 'null', /must be a JSON object/],
  ['no time', JSON.stringify({ ...GOOD, t: undefined }), /field t is missing/],
  ['a time as text', JSON.stringify({ ...GOOD, t: '1700000000' }), /field t is missing/],
  ['milliseconds', JSON.stringify({ ...GOOD, t: 1_700_000_000_000 }), /in seconds since 1970/],
  ['a time before 1970', JSON.stringify({ ...GOOD, t: -1 }), /before 1970/],
  ['no login', JSON.stringify({ ...GOOD, login: undefined }), /field login is missing/],
  ['no address', JSON.stringify({ ...GOOD, remote: 'here' }), /remote is no IP address/],
  ['a label that is no text', JSON.stringify({ ...GOOD, label: 1 }), /field label must be a string/],
  [
    'a label that is too long',
    JSON.stringify({ ...GOOD, attack: 'x'.repeat(257) }),
    /field attack .* 256 characters/,
  ],
]

for (const [what, line, reason] of bad) {
  test(`${what} is a bad line that says why`, () => {
    const parsed = parseLine(line)
    assert.equal(parsed.kind, 'bad')
    assert.match(parsed.kind === 'bad' ? parsed.reason : '', reason)
  })
}

test('an empty line, or one of spaces, is none', () => {
  for (const line of ['', '  ', '\r']) assert.equal(parseLine(line).kind, 'empty')
})

test('a report keeps its time and its labels; a byte order mark and a carriage return do not matter', () => {
  const labels = { label: 'spray', attack: 'spray-1-easy' }
  const parsed = parseLine(`\uFEFF${JSON.stringify({ ...GOOD, ...labels, trap: null })}\r`)
  assert.ok(parsed.kind === 'report')
  assert.deepEqual(parsed.labels, { ...labels, trap: undefined })
  assert.deepEqual([parsed.report.t, parsed.report.login, parsed.report.remote], [GOOD.t, 'ann', '192.0.2.1'])
})
