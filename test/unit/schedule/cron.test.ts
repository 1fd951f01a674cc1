import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseCron } from '../../../src/schedule/cron.ts'

/** Local times, since cron patterns are in the server's local time. */
const at = (text: string): number => new Date(text).getTime()

const due: readonly (readonly [pattern: string, after: string, next: string])[] = [
  ['* * * * *', '2026-03-04T05:06:07', '2026-03-04T05:07:00'],
  ['0 0 1 * *', '2026-03-04T05:06:07', '2026-04-01T00:00:00'],
  ['*/15 * * * *', '2026-03-04T05:06:07', '2026-03-04T05:15:00'],
  ['5,50 * * * *', '2026-03-04T05:06:07', '2026-03-04T05:50:00'],
  ['0 9-17 * * 1-5', '2026-03-06T17:30:00', '2026-03-09T09:00:00'],
  ['0 9-17/4 * * *', '2026-03-04T09:30:00', '2026-03-04T13:00:00'],
  ['30 4 * * 0', '2026-03-04T05:06:07', '2026-03-08T04:30:00'],
]

describe('a cron pattern', () => {
  for (const [pattern, after, next] of due) {
    test(`${pattern} is due at ${next} after ${after}`, () => {
      const parsed = parseCron(pattern)
      assert.ok(parsed.ok)
      assert.equal(parsed.pattern.next(at(after)), at(next))
    })
  }

  test('30 February is never due', () => {
    const parsed = parseCron('0 0 30 2 *')
    assert.ok(!parsed.ok || parsed.pattern.next(Date.now()) === undefined)
  })

  for (const pattern of [
    '* * * *',
    '* * * * * *',
    '61 * * * *',
    '* 25 * * *',
    'a b c d e',
    '',
    '*/0 * * * *',
  ]) {
    test(`${JSON.stringify(pattern)} is refused with the pattern in the reason`, () => {
      const parsed = parseCron(pattern)
      assert.ok(!parsed.ok)
      assert.ok(parsed.reason.includes(JSON.stringify(pattern)), parsed.reason)
    })
  }
})
