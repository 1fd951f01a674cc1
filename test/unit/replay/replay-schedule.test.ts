import assert from 'node:assert/strict'
import fc from 'fast-check'
import { test } from 'node:test'
import { ReplaySchedule } from '../../../src/replay/replay-schedule.ts'

const START_MS = Date.UTC(2026, 0, 5, 9, 0, 30)
const every = (seconds: number, background = `every ${seconds}`) =>
  ({ background, when: { kind: 'interval', seconds } }) as const

test('runs come at the times of their intervals, in order, however the clock moves on', () => {
  const steps = fc.array(fc.integer({ min: 1, max: 100_000 }), { maxLength: 20 })
  const spans = fc.uniqueArray(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 3 })
  fc.assert(
    fc.property(spans, steps, (seconds, waits) => {
      const schedule = new ReplaySchedule(
        seconds.map((span) => every(span)),
        START_MS,
      )
      let nowMs = START_MS
      const runs: { readonly background: string; readonly atMs: number }[] = []
      for (const waitMs of waits) {
        nowMs += waitMs
        const before = runs.length
        const isDue = schedule.isDue(nowMs)
        runs.push(...schedule.dueUntil(nowMs))
        assert.equal(isDue, runs.length > before)
      }
      const expected = seconds
        .flatMap((span) =>
          Array.from({ length: Math.floor((nowMs - START_MS) / (span * 1000)) }, (_, index) => ({
            background: `every ${span}`,
            atMs: START_MS + (index + 1) * span * 1000,
          })),
        )
        .toSorted((a, b) => a.atMs - b.atMs)
      assert.deepEqual(
        runs.map(({ atMs }) => atMs),
        expected.map(({ atMs }) => atMs),
      )
      assert.deepEqual(
        new Set(runs.map((run) => JSON.stringify(run))),
        new Set(expected.map((run) => JSON.stringify(run))),
      )
      assert.equal(schedule.gaps, 0)
    }),
  )
})

test('a cron pattern is due at its minutes; the same schedule twice runs once', () => {
  const cron = { background: 'cron', when: { kind: 'cron', pattern: '*/5 * * * *' } } as const
  const schedule = new ReplaySchedule([cron, cron], START_MS)
  const runs = [...schedule.dueUntil(START_MS + 11 * 60_000)]
  assert.deepEqual(
    runs.map(({ atMs }) => (atMs - Date.UTC(2026, 0, 5, 9)) / 60_000),
    [5, 10],
  )
})

test('in a gap of years so many runs come and no more, which is counted', () => {
  const schedule = new ReplaySchedule([every(1)], START_MS)
  const afterYears = START_MS + 3 * 366 * 86_400_000
  assert.equal([...schedule.dueUntil(afterYears)].length, 10_000)
  assert.equal(schedule.gaps, 1)
  const next = [...schedule.dueUntil(afterYears + 1500)]
  assert.ok(next.length >= 1 && next.length <= 2)
  assert.ok(next.every(({ atMs }) => atMs > afterYears))
})
