/** What is told when, as a table of expected times. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { newAlert, raisedAgain } from '../../../src/alerts/alert-changes.ts'
import { type AlertRoute, ROUTE_DEFAULTS } from '../../../src/alerts/alert-route.ts'
import type { Alert } from '../../../src/alerts/alert.ts'
import { raise } from '../../support/alert-fixtures.ts'
import {
  alertOf,
  createRouter,
  cron,
  run,
  type Setup,
  silence,
  type Step,
} from '../../support/alert-routing.ts'

interface Case extends Setup {
  readonly title: string
  readonly steps: readonly Step[]
  readonly until: number
  readonly told: readonly string[]
}

const CASES: readonly Case[] = [
  {
    title: 'the first is told after groupWait, later ones after groupInterval, the end once',
    steps: [
      { at: 0, alert: [1, 'open'] },
      { at: 10, alert: [2, 'open', 'high'] },
      { at: 40, alert: [3, 'open'] },
      { at: 100, alert: [2, 'resolved', 'high'] },
      { at: 400, alert: [1, 'resolved'] },
      { at: 410, alert: [3, 'resolved'] },
    ],
    until: 100_000,
    told: ['30 new 2,1 → all (rule=r)', '330 changed 2,3 → all (rule=r)', '630 resolved 3,1 → all (rule=r)'],
  },
  {
    title: 'unchanged and open it is told again after repeatInterval, without those that were acknowledged',
    steps: [
      { at: 0, alert: [1, 'open'] },
      { at: 0, alert: [2, 'open'] },
      { at: 100, alert: [2, 'acknowledged'] },
    ],
    until: 40_000,
    told: ['30 new 2,1 → all (rule=r)', '14430 repeat 1 → all (rule=r)', '28830 repeat 1 → all (rule=r)'],
  },
  {
    title: 'when all are acknowledged nothing is repeated; their end is told',
    steps: [
      { at: 0, alert: [1, 'open'] },
      { at: 100, alert: [1, 'acknowledged'] },
      { at: 50_000, alert: [1, 'resolved'] },
    ],
    until: 100_000,
    told: ['30 new 1 → all (rule=r)', '50030 resolved 1 → all (rule=r)'],
  },
  {
    title: 'what is acknowledged or resolved before it was told is not told',
    steps: [
      { at: 0, alert: [1, 'open'] },
      { at: 0, alert: [2, 'open', 'low', 'q'] },
      { at: 10, alert: [1, 'resolved'] },
      { at: 10, alert: [2, 'acknowledged', 'low', 'q'] },
    ],
    until: 100_000,
    told: [],
  },
  {
    title: 'one that gets worse is told again',
    steps: [
      { at: 0, alert: [1, 'open', 'low'] },
      { at: 50, alert: [1, 'open', 'critical'] },
      { at: 400, alert: [1, 'open', 'critical'] },
    ],
    until: 1000,
    told: ['30 new 1 → all (rule=r)', '330 changed 1 → all (rule=r)'],
  },
  {
    title: 'a burst into a group that was quiet for long is one notification, not two',
    steps: [
      { at: 0, alert: [1, 'open'] },
      { at: 5000, alert: [2, 'open'] },
      { at: 5001, alert: [3, 'open'] },
    ],
    until: 6000,
    told: ['30 new 1 → all (rule=r)', '5030 changed 3,2 → all (rule=r)'],
  },
  {
    title: 'the first route that fits takes an alert, unless it continues',
    routes: [
      { rule: 'spray*', sinks: ['a'], continues: true, groupBy: [] },
      { leastSeverity: 'high', sinks: ['b'], groupBy: ['key'] },
      { sinks: ['c'], groupBy: ['rule', 'severity'] },
    ],
    steps: [
      { at: 0, alert: [1, 'open', 'high', 'spray-slow'] },
      { at: 0, alert: [2, 'open', 'low', 'spray'] },
      { at: 0, alert: [3, 'open', 'low', 'travel'] },
    ],
    until: 100,
    told: [
      '30 new 1,2 → a (all)',
      '30 new 1 → b (key=k1)',
      '30 new 2 → c (rule=spray severity=low)',
      '30 new 3 → c (rule=travel severity=low)',
    ],
  },
  {
    title: 'with routes, an alert that none fits is told to nobody; without sinks nobody is told',
    routes: [{ rule: 'other' }],
    steps: [{ at: 0, alert: [1, 'open'] }],
    until: 100_000,
    told: [],
  },
  {
    title: 'without routes and sinks nobody is told',
    sinks: [],
    steps: [{ at: 0, alert: [1, 'open'] }],
    until: 100,
    told: [],
  },
  {
    title: 'an alert that moves to another group by getting worse is told there and not in the old one',
    routes: [{ groupBy: ['severity'] }],
    steps: [
      { at: 0, alert: [1, 'open', 'low'] },
      { at: 60, alert: [1, 'open', 'high'] },
      { at: 500, alert: [1, 'resolved', 'high'] },
    ],
    until: 100_000,
    told: [
      '30 new 1 → s (severity=low)',
      '90 new 1 → s (severity=high)',
      '530 resolved 1 → s (severity=high)',
    ],
  },
  {
    title: 'what is silenced is told when the silence ends, if it is still open',
    silences: [silence(0, 1000, { rule: 'r' })],
    steps: [
      { at: 10, alert: [1, 'open'] },
      { at: 20, alert: [2, 'open'] },
      { at: 30, alert: [3, 'open', 'high', 'q'] },
      { at: 500, alert: [2, 'resolved'] },
    ],
    until: 2000,
    told: ['60 new 3 → all (rule=q)', '1000 new 1 → all (rule=r)'],
  },
  {
    title: 'a silence holds back repeats and ends, and an alert worse than it says is told',
    silences: [silence(100, 20_000, { mostSeverity: 'medium' })],
    steps: [
      { at: 0, alert: [1, 'open'] },
      { at: 0, alert: [2, 'open'] },
      { at: 200, alert: [1, 'resolved'] },
      { at: 300, alert: [2, 'open', 'high'] },
    ],
    until: 21_000,
    told: [
      '30 new 2,1 → all (rule=r)',
      '330 changed 2 → all (rule=r)',
      '14730 repeat 2 → all (rule=r)',
      '20000 changed 1 → all (rule=r)',
    ],
  },
  {
    title: 'a silence that is removed before its end does not silence any more',
    silences: [silence(0, 1000)],
    steps: [
      { at: 10, alert: [1, 'open'] },
      { at: 500, silences: [] },
    ],
    until: 2000,
    told: ['500 new 1 → all (rule=r)'],
  },
  {
    title: 'a maintenance window silences while it lasts, every time',
    windows: [{ id: 'm1', cron: cron('*/10 * * * *'), durationMs: 300_000, comment: 'c' }],
    routes: [{ groupBy: ['key'] }],
    steps: [
      { at: 10, alert: [1, 'open'] },
      { at: 310, alert: [2, 'open'] },
      { at: 700, alert: [3, 'open'] },
    ],
    until: 1199,
    told: ['300 new 1 → s (key=k1)', '340 new 2 → s (key=k2)', '900 new 3 → s (key=k3)'],
  },
  {
    title: 'after a restart nothing is told twice, and an end that was missed is told',
    stored: [
      {
        key: '0[null,null,null,["rule"]]["r"]',
        sentAtMs: 0,
        notified: [
          [1, 'medium'],
          [2, 'medium'],
          [9, 'low'],
        ],
      },
    ],
    steps: [
      { at: 1, alert: [1, 'open'] },
      { at: 1, alert: [2, 'resolved'] },
    ],
    until: 20_000,
    told: ['300 changed 2 → all (rule=r)', '14700 repeat 1 → all (rule=r)'],
  },
  {
    title: 'an alert that was erased is told no more',
    steps: [
      { at: 0, alert: [1, 'open'] },
      { at: 0, alert: [2, 'open', 'low', 'q'] },
      { at: 20, drop: 1 },
      { at: 50, drop: 2 },
    ],
    until: 100_000,
    told: ['30 new 2 → all (rule=q)'],
  },
]

describe('what is told when', () => {
  for (const { title, steps, until, told, ...setup } of CASES)
    test(title, () => assert.deepEqual(run(setup, steps, until), told))
})

describe('ten thousand alerts of one rule in a minute, on a clock that stops at each of them and at each due time', () => {
  const MINUTE_MS = 60_000
  const COUNT = 10_000
  const { groupWaitMs, groupIntervalMs, repeatIntervalMs } = ROUTE_DEFAULTS

  /** Raises what `raiseOne` makes of each number, to the end of the second groupInterval; what was told, when. */
  function flood(route: Partial<AlertRoute>, raiseOne: (n: number, atMs: number) => Alert | undefined) {
    const router = createRouter({ routes: [route] })
    const told: { readonly atMs: number; readonly alertIds: readonly number[] }[] = []
    const tellUntil = (toMs: number): void => {
      while (router.nextDueAtMs() <= toMs) {
        const atMs = router.nextDueAtMs()
        const due = router.due(atMs, 100)
        for (const { alertIds } of due.plans) told.push({ atMs, alertIds })
        router.confirm(due)
      }
    }
    for (let n = 0; n < COUNT; n++) {
      const atMs = (n * MINUTE_MS) / COUNT
      tellUntil(atMs)
      const changed = raiseOne(n, atMs)
      if (changed !== undefined) router.note(changed, atMs)
    }
    tellUntil(groupWaitMs + 2 * groupIntervalMs)
    return { router, told }
  }

  const another = (n: number, atMs: number): Alert => alertOf(atMs, [n + 1, 'open'])

  test('are one notification when groupWait is as long, and nothing more is told', () => {
    const { told, router } = flood({ groupWaitMs: MINUTE_MS }, another)
    assert.deepEqual(
      told.map(({ atMs, alertIds }) => [atMs, alertIds.length]),
      [[MINUTE_MS, COUNT]],
    )
    assert.equal(router.nextDueAtMs(), MINUTE_MS + repeatIntervalMs)
  })

  test('are one notification in each groupInterval, and each alert is told once', () => {
    const { told, router } = flood({}, another)
    assert.deepEqual(
      told.map(({ atMs }) => atMs),
      [groupWaitMs, groupWaitMs + groupIntervalMs],
    )
    const ids = told.flatMap(({ alertIds }) => alertIds)
    assert.equal(ids.length, COUNT)
    assert.equal(new Set(ids).size, COUNT)
    assert.equal(router.size, COUNT)
  })

  test('of one key are one alert that counts them, told once', () => {
    let alert: Alert | undefined
    const { told, router } = flood({}, (_n, atMs) => {
      const effect = raise({ atMs })
      const before = alert
      alert = before === undefined ? newAlert(1, effect, undefined) : raisedAgain(before, effect, undefined)
      return alert.revision === before?.revision ? undefined : alert
    })
    assert.equal(alert?.count, COUNT)
    assert.deepEqual(told, [{ atMs: groupWaitMs, alertIds: [1] }])
    assert.equal(router.size, 1)
  })
})

test('a plan that is not carried out is due again', () => {
  const router = createRouter({})
  router.note(alertOf(0, [1, 'open']), 0)
  assert.deepEqual(router.due(30_000, 10), router.due(30_000, 10))
  assert.equal(router.due(40_000, 10).plans.length, 1)
})

test('at most as many as asked for are planned at once, and nothing is lost', () => {
  const router = createRouter({ routes: [{ groupBy: ['key'] }] })
  for (let id = 1; id <= 25; id++) router.note(alertOf(0, [id, 'open']), 0)
  const sizes: number[] = []
  for (let round = 0; round < 4; round++) {
    const due = router.due(30_000, 10)
    sizes.push(due.plans.length)
    router.confirm(due)
  }
  assert.deepEqual(sizes, [10, 10, 5, 0])
})

test('groups of the last process that nothing belongs to any more are named to be removed, once', () => {
  const router = createRouter({ stored: [{ key: 'old', sentAtMs: 0, notified: [[1, 'low']] }] })
  router.restored()
  const due = router.due(0, 10)
  assert.deepEqual(due, { plans: [], goneGroups: ['old'] })
  router.confirm(due)
  assert.deepEqual(router.due(0, 10).goneGroups, [])
})

test('the router follows nothing that is over', () => {
  const router = createRouter({})
  for (let id = 1; id <= 100; id++) router.note(alertOf(0, [id, 'open']), 0)
  router.confirm(router.due(30_000, 10))
  for (let id = 1; id <= 100; id++) router.note(alertOf(0, [id, 'resolved']), 40_000)
  router.confirm(router.due(400_000, 10))
  assert.equal(router.size, 0)
})
