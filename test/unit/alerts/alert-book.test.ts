import assert from 'node:assert/strict'
import fc from 'fast-check'
import { test } from 'node:test'
import { AlertBook } from '../../../src/alerts/alert-book.ts'
import type { AlertEffect } from '../../../src/alerts/alert.ts'
import { MemoryAlerts } from '../../../src/store/memory-alerts.ts'
import { HOUR_MS, raise } from '../../support/alert-fixtures.ts'
import { START_MS } from '../../support/store-reports.ts'

const effect = fc
  .record({
    // Often just as long as the spans below, or nearly.
    waitMs: fc.oneof(
      fc.integer({ min: 0, max: 3 * HOUR_MS }),
      fc.constantFrom(0, HOUR_MS - 1, HOUR_MS, HOUR_MS + 1, 2 * HOUR_MS, 4 * HOUR_MS),
    ),
    rule: fc.constantFrom('spray', 'brute'),
    key: fc.constantFrom('ann', 'bob'),
    isResolve: fc.boolean(),
    severity: fc.constantFrom('low' as const, 'high' as const),
    dedupMs: fc.constantFrom(0, HOUR_MS, 4 * HOUR_MS),
    resolveAfterMs: fc.constantFrom(HOUR_MS, 2 * HOUR_MS),
    reportId: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
  })
  .map(({ isResolve, ...drawn }) => ({
    ...drawn,
    kind: isResolve && drawn.waitMs % 4 === 0 ? 'resolve' : 'raise',
  }))

test('alerts are those of a store that looks for quiet ones at every moment', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(effect, { maxLength: 40 }), async (drawn) => {
      const book = new AlertBook()
      const store = new MemoryAlerts({
        later: (work) => Promise.resolve(work()),
        addMessage: () => undefined,
        maxOpenAlerts: 1000,
        alertHistoryMs: Infinity,
      })
      let atMs = START_MS
      for (const { waitMs, kind, rule, key, reportId, ...more } of drawn) {
        atMs += waitMs
        const made: AlertEffect =
          kind === 'raise' ? raise({ rule, key, atMs, ...more }) : { kind: 'resolve', rule, key, atMs }
        store.expire(atMs)
        store.apply(made, reportId)
        const raised = book.apply([made], reportId)
        assert.deepEqual(
          raised.map((alert) => [alert.rule, alert.key, alert.state]),
          kind === 'raise' ? [[rule, key, 'open']] : [],
        )
      }
      store.expire(atMs)
      book.expire(atMs)
      const stored = (await store.list({ limit: 1000 })).toSorted((a, b) => a.id - b.id)
      // The store resolves a quiet alert when it looks, the book says when it was due.
      const withoutMoment = (alert: (typeof stored)[number]): object => {
        const { resolved, changedAtMs: _, ...rest } = alert
        return { ...rest, resolved: resolved?.comment }
      }
      assert.deepEqual(book.all().map(withoutMoment), stored.map(withoutMoment))
    }),
  )
})

test('what is forgotten leaves no open alert, and no number comes twice', () => {
  const book = new AlertBook()
  const [first] = book.apply([raise()], undefined)
  book.clear()
  const [second] = book.apply([raise()], undefined)
  assert.deepEqual([first?.id, second?.id, second?.count, book.size], [1, 2, 1, 1])
})
