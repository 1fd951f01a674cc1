import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatLogLine } from '../../../src/telemetry/log-line.ts'

const TIME = Date.UTC(2026, 10, 21, 7, 0, 0)
const line = (fields: object, msg = 'login'): string =>
  formatLogLine(JSON.stringify({ level: 'info', time: TIME, fields, msg }))

test('a line is time, level, message and the fields as the reference writes them', () => {
  assert.equal(
    line({ login: 'ann', success: true, count: 3 }),
    '2026-11-21T07:00:00.000Z info  login: login="ann" success="true" count="3"\n',
  )
})

test('a line without fields ends with the message', () => {
  assert.equal(line({}), '2026-11-21T07:00:00.000Z info  login\n')
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
