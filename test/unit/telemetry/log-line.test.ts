import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatJsonLine, formatLogLine, type LineLayout } from '../../../src/telemetry/log-line.ts'

const TIME = '2026-11-21T07:00:00.042Z'
const PLAIN: LineLayout = { time: 'utc', hasColours: false }
const json = (fields: object, msg = 'login', level = 'info'): string =>
  `${JSON.stringify({ level, time: TIME, fields, msg })}\n`
const line = (fields: object, msg?: string, layout = PLAIN): string =>
  formatLogLine(json(fields, msg), layout)

test('a line is time, level, message and the fields as the reference writes them', () => {
  assert.equal(
    line({ login: 'ann', success: true, count: 3 }),
    '2026-11-21T07:00:00.042Z info  login: login="ann" success="true" count="3"\n',
  )
})

test('a line without fields ends with the message', () => {
  assert.equal(line({}), '2026-11-21T07:00:00.042Z info  login\n')
})

test('where the time is known a line begins with the level', () => {
  assert.equal(line({}, 'ready', { ...PLAIN, time: 'none' }), 'info  ready\n')
})

test("for a container a line begins with the reference's time, which is local", () => {
  const text = line({}, 'ready', { ...PLAIN, time: 'docker' })
  const [, day, clock] = /^\[(\S+) (\S+),042\] info {2}ready\n$/.exec(text) ?? []
  // Without a zone a time is read as local.
  assert.equal(new Date(`${day}T${clock}.042`).toISOString(), TIME, text)
})

test('on a terminal the levels that matter have a colour', () => {
  const layout = { ...PLAIN, hasColours: true }
  assert.ok(formatLogLine(json({}, 'bad', 'error'), layout).endsWith(' \u001B[31merror\u001B[0m bad\n'))
  assert.ok(formatLogLine(json({}, 'well', 'info'), layout).endsWith('Z info  well\n'))
})

test('whatever a login contains, it stays one line, without control characters, and its quotes are escaped', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (login, message) => {
      const text = line({ login }, message)
      assert.ok(text.endsWith('\n'))
      // oxlint-disable-next-line no-control-regex -- what a terminal would obey
      assert.doesNotMatch(text.slice(0, -1), /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/)
      const value = /: login="((?:[^"\\]|\\.)*)"$/s.exec(text.slice(0, -1))
      assert.ok(value !== null, text)
    }),
  )
})

test('a line of JSON is one line that says the same, without what a terminal would obey', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (login) => {
      const source = json({ login })
      const text = formatJsonLine(source)
      // oxlint-disable-next-line no-control-regex -- what a terminal would obey
      assert.match(text, /^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*\n$/)
      assert.deepEqual(JSON.parse(text), JSON.parse(source))
    }),
  )
})
