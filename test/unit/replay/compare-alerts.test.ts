import assert from 'node:assert/strict'
import fc from 'fast-check'
import { test } from 'node:test'
import type { Alert } from '../../../src/alerts/alert.ts'
import { newAlert } from '../../../src/alerts/alert-changes.ts'
import { compareAlerts } from '../../../src/replay/compare-alerts.ts'
import { HOUR_MS, raise } from '../../support/alert-fixtures.ts'
import { START_MS } from '../../support/store-reports.ts'

const alertAt = (key: string, fromHour: number, hours: number, id = 1): Alert => ({
  ...newAlert(id, raise({ key, atMs: START_MS + fromHour * HOUR_MS }), undefined),
  lastAtMs: START_MS + (fromHour + hours) * HOUR_MS,
})

test('the same alert may come earlier, later, and more often', () => {
  const [before, after] = [alertAt('ann', 5, 2), alertAt('ann', 6, 9)]
  assert.deepEqual(compareAlerts([before], [after]), {
    both: [[before, after]],
    onlyFirst: [],
    onlySecond: [],
  })
})

test('another key, rule or day is another alert', () => {
  const alert = alertAt('ann', 0, 1)
  for (const other of [alertAt('bob', 0, 1), { ...alert, rule: 'other' }, alertAt('ann', 3, 1)]) {
    const { both, onlyFirst, onlySecond } = compareAlerts([alert], [other])
    assert.deepEqual({ both, onlyFirst, onlySecond }, { both: [], onlyFirst: [alert], onlySecond: [other] })
  }
})

/** As a store keeps them: one of a rule and key at a time, in order. */
const history = fc
  .array(
    fc.record({
      key: fc.constantFrom('ann', 'bob'),
      pause: fc.integer({ min: 1, max: 9 }),
      hours: fc.integer({ min: 0, max: 5 }),
    }),
  )
  .map((drawn) => {
    let hour = 0
    return drawn.map(({ key, pause, hours }, index) => {
      hour += pause
      const alert = alertAt(key, hour, hours, index + 1)
      hour += hours
      return alert
    })
  })

test('each alert is in one place, pairs overlap, and no pair is left among the rest', () => {
  const overlap = (a: Alert, b: Alert): boolean =>
    a.key === b.key && a.firstAtMs <= b.lastAtMs + HOUR_MS && b.firstAtMs <= a.lastAtMs + HOUR_MS
  fc.assert(
    fc.property(history, history, (first, second) => {
      const { both, onlyFirst, onlySecond } = compareAlerts(first, second)
      assert.deepEqual(new Set([...both.map(([a]) => a), ...onlyFirst]), new Set(first))
      assert.deepEqual(new Set([...both.map(([, b]) => b), ...onlySecond]), new Set(second))
      assert.equal(both.length + onlyFirst.length, first.length)
      assert.ok(both.every(([a, b]) => overlap(a, b)))
      assert.ok(!onlyFirst.some((a) => onlySecond.some((b) => overlap(a, b))))
    }),
  )
})
