/**
 * What every adapter of the store's port does with alerts: raising, dedup, states, searching, routing's queue, what was
 * told of them, silences, and their end.
 */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { createFilter } from '../../../src/alerts/alert-filter.ts'
import type { Alert, AlertEffect } from '../../../src/alerts/alert.ts'
import { SEVERITIES } from '../../../src/alerts/severity.ts'
import type { AlertQuery, NotificationCommit } from '../../../src/store/alert-store.ts'
import type { Store } from '../../../src/store/store.ts'
import { DAY_MS, HOUR_MS, raise, raising } from '../../support/alert-fixtures.ts'
import { reportAt, START_MS } from '../../support/store-reports.ts'
import { append, done, failure, message, type OpenStore, titled } from '../../support/store-suite.ts'

const ALL = { limit: 100 } as const
const NOTHING: NotificationCommit = {
  handled: [],
  handledErased: [],
  messages: [],
  groups: [],
  goneGroups: [],
  notifications: [],
}

export function runStoreAlertsSuite(name: string, open: OpenStore): void {
  const suiteTest = titled(name)

  suiteTest('an alert is raised with its run, once, however often the outcome comes', async (t) => {
    const { store } = await open(t, {})
    const [report] = await append(store, reportAt(0))
    assert.ok(report !== undefined)
    const of = { login: 'ann', remote: '192.0.2.1', t: 17 }
    const outcome = done(report.id, [], {
      alerts: [raise({ value: 7, threshold: 5, data: '{"a":[1]}', user: 'ann', report: of })],
    })
    await store.commit([outcome])
    await store.commit([outcome, done(9_999_999, [], { alerts: [raise({ key: 'other' })] })])
    const [alert, ...others] = await store.alerts.list(ALL)
    assert.deepEqual(others, [])
    assert.deepEqual(
      { ...alert, id: 0 },
      {
        id: 0,
        rule: 'spray',
        key: '192.0.2.1',
        severity: 'medium',
        message: 'many users from one address',
        value: 7,
        threshold: 5,
        data: '{"a":[1]}',
        user: 'ann',
        count: 1,
        state: 'open',
        firstAtMs: START_MS,
        lastAtMs: START_MS,
        changedAtMs: START_MS,
        resolveAfterMs: DAY_MS,
        firstReport: { ...of, id: report.id },
        lastReport: { ...of, id: report.id },
        comments: [],
        revision: 1,
      },
    )
    assert.deepEqual(store.counts().alerts, { open: [0, 0, 1, 0, 0], resolved: 0, evicted: 0 })
  })

  suiteTest('a failed run raises nothing', async (t) => {
    const { store } = await open(t, {})
    const [report] = await append(store, reportAt(0))
    assert.ok(report !== undefined)
    await store.commit([
      { kind: 'failed', reportId: report.id, failure, atMs: START_MS },
      done(report.id, [], { alerts: [raise()] }),
    ])
    assert.deepEqual(await store.alerts.list(ALL), [])
  })

  suiteTest(
    'raised again within its interval it is the same alert, with the latest message and the worst severity',
    async (t) => {
      const { store } = await open(t, {})
      await store.commit([
        raising(
          raise({ severity: 'high', value: 1 }),
          raise({ severity: 'low', message: 'still', atMs: START_MS + HOUR_MS }),
        ),
      ])
      await store.commit([raising(raise({ message: 'and still', atMs: START_MS + 2 * HOUR_MS }))])
      const [alert, ...others] = await store.alerts.list(ALL)
      assert.deepEqual(others, [])
      const { severity, message: text, count, firstAtMs, lastAtMs, value, revision } = alert ?? never()
      assert.deepEqual(
        { severity, text, count, firstAtMs, lastAtMs, value, revision },
        {
          severity: 'high',
          text: 'and still',
          count: 3,
          firstAtMs: START_MS,
          lastAtMs: START_MS + 2 * HOUR_MS,
          value: undefined,
          revision: 1,
        },
      )
    },
  )

  suiteTest('raised after its interval it is a new alert, and the old one is resolved', async (t) => {
    const { store } = await open(t, {})
    await store.commit([raising(raise({ dedupMs: 1000 }))])
    await store.commit([raising(raise({ atMs: START_MS + 1001, dedupMs: 1000 }))])
    assert.deepEqual(states(await store.alerts.list(ALL)), ['open 1', 'resolved 1'])
    assert.deepEqual(store.counts().alerts, { open: [0, 0, 1, 0, 0], resolved: 1, evicted: 0 })
  })

  suiteTest(
    'operators acknowledge, comment and resolve; one that gets worse or comes anew is open',
    async (t) => {
      const { store } = await open(t, {})
      await store.commit([raising(raise())])
      const [{ id }] = await only(store)
      const act = (kind: 'acknowledge' | 'resolve' | 'comment', atMs: number) =>
        store.alerts.act({ id, kind, author: 'eve', comment: kind, atMs })
      assert.equal((await act('acknowledge', 1))?.state, 'acknowledged')
      assert.deepEqual((await act('acknowledge', 2))?.acknowledged?.atMs, 1)
      assert.deepEqual((await act('comment', 3))?.comments, [{ author: 'eve', comment: 'comment', atMs: 3 }])
      await store.commit([raising(raise())])
      assert.deepEqual(states(await store.alerts.list(ALL)), ['acknowledged 2'])
      await store.commit([raising(raise({ severity: 'critical' }))])
      assert.deepEqual(states(await store.alerts.list(ALL)), ['open 3'])
      const resolved = await act('resolve', 4)
      assert.deepEqual(
        [resolved?.state, resolved?.resolved],
        ['resolved', { author: 'eve', comment: 'resolve', atMs: 4 }],
      )
      assert.equal((await act('resolve', 5))?.resolved?.atMs, 4)
      assert.equal((await store.alerts.act({ ...never2, id: id + 1 }))?.state, undefined)
      await store.commit([raising(raise({ atMs: START_MS + 5 }))])
      assert.deepEqual(states(await store.alerts.list(ALL)), ['open 1', 'resolved 3'])
    },
  )

  suiteTest('a run resolves the open alert of a rule and key, and no other', async (t) => {
    const { store } = await open(t, {})
    await store.commit([
      raising(raise(), raise({ key: 'b' }), { kind: 'resolve', rule: 'spray', key: 'b', atMs: START_MS }),
    ])
    await store.commit([raising({ kind: 'resolve', rule: 'other', key: '192.0.2.1', atMs: START_MS })])
    assert.deepEqual(states(await store.alerts.list({ ...ALL, key: 'b' })), ['resolved 1'])
    assert.deepEqual(states(await store.alerts.list({ ...ALL, key: '192.0.2.1' })), ['open 1'])
  })

  suiteTest('quiet alerts are resolved, and gone when the history ends', async (t) => {
    const { store } = await open(t, { alertHistoryDays: 10 })
    await store.commit([
      raising(raise({ resolveAfterMs: 5000 }), raise({ key: 'b', resolveAfterMs: 5000, atMs: START_MS + 1 })),
    ])
    await store.expire(START_MS + 5000)
    assert.deepEqual(states(await store.alerts.list(ALL)), ['open 1', 'resolved 1'])
    await store.expire(START_MS + 5000 + 10 * DAY_MS)
    assert.deepEqual(states(await store.alerts.list(ALL)), ['resolved 1'])
    await store.expire(START_MS + 5000 + 20 * DAY_MS)
    assert.deepEqual(await store.alerts.list(ALL), [])
    assert.deepEqual(store.counts().alerts, { open: [0, 0, 0, 0, 0], resolved: 0, evicted: 0 })
  })

  suiteTest('above the bound on open alerts the least severe and oldest are resolved', async (t) => {
    const { store } = await open(t, { maxOpenAlerts: 200 })
    const at = (index: number) => ({ key: `k${index}`, atMs: START_MS + index })
    await store.commit([
      raising(
        ...Array.from({ length: 200 }, (_, index) =>
          raise({ ...at(index), severity: index < 50 ? 'high' : 'info' }),
        ),
      ),
    ])
    await store.commit([raising(raise({ ...at(200), severity: 'low' }))])
    assert.deepEqual(store.counts().alerts, { open: [148 - 1, 1, 0, 50, 0], resolved: 3, evicted: 3 })
    const gone = await store.alerts.list({ ...ALL, states: ['resolved'] })
    assert.deepEqual(gone.map(({ key }) => key).toSorted(), ['k50', 'k51', 'k52'])
  })

  suiteTest('a new alert that is the least severe goes itself when there are too many', async (t) => {
    const { store } = await open(t, { maxOpenAlerts: 200 })
    const keys = Array.from({ length: 200 }, (_, index) => `k${index}`)
    await store.commit([raising(...keys.map((key) => raise({ key, severity: 'high' })))])
    await store.commit([raising(raise({ key: 'new', severity: 'low', atMs: START_MS + 1 }))])
    assert.deepEqual(store.counts().alerts, { open: [0, 0, 0, 200, 0], resolved: 1, evicted: 1 })
    assert.deepEqual(states(await store.alerts.list({ ...ALL, key: 'new' })), ['resolved 1'])
  })

  suiteTest('a search finds what a plain search would, raised last first', async (t) => {
    const { store } = await open(t, {})
    const effects: AlertEffect[] = Array.from({ length: 120 }, (_, index) =>
      raise({
        rule: ['spray', 'travel', 'a*b', '\udc80x'][index % 4] ?? '',
        key: `10.0.${index % 7}.${index}`,
        severity: SEVERITIES[index % 5] ?? 'info',
        atMs: START_MS + ((index * 37) % 120) * 1000,
      }),
    )
    await store.commit([raising(...effects.slice(0, 60))])
    await store.commit([raising(...effects.slice(60))])
    for (const { id } of await store.alerts.list({ ...ALL, key: '10.0.3.*' }))
      await store.alerts.act({ id, kind: 'resolve', author: 'e', comment: '', atMs: START_MS })
    for (const { id } of await store.alerts.list({ ...ALL, key: '10.0.4.*' }))
      await store.alerts.act({ id, kind: 'acknowledge', author: 'e', comment: '', atMs: START_MS })
    const everything = await store.alerts.list({ limit: 10_000 })
    assert.equal(everything.length, 120)
    const query = fc.record(
      {
        sinceMs: fc.integer({ min: START_MS - 10, max: START_MS + 130_000 }),
        leastSeverity: fc.constantFrom(...SEVERITIES),
        states: fc.subarray(['open', 'acknowledged', 'resolved'] as const),
        rule: fc.constantFrom('spray', 'tra*', '*', '?dc80', 'nothing', '*x'),
        key: fc.constantFrom('10.0.1.*', '*.5?', '10.0.3.3'),
        limit: fc.constantFrom(0, 1, 5, 10_000),
      },
      { requiredKeys: ['limit'] },
    )
    await fc.assert(
      fc.asyncProperty(query, async (asked: AlertQuery) => {
        const expected = everything.filter(createFilter(asked)).slice(0, asked.limit)
        assert.deepEqual(await store.alerts.list(asked), expected)
      }),
      { numRuns: 60 },
    )
    const times = everything.map(({ lastAtMs }) => lastAtMs)
    assert.deepEqual(
      times,
      times.toSorted((a, b) => b - a),
    )
  })

  suiteTest('routing is given what has changed until it says that it has looked at it', async (t) => {
    const { store } = await open(t, {})
    await store.commit([raising(raise(), raise({ key: 'b' }))])
    const first = await store.alerts.changes(10)
    assert.deepEqual(
      first.alerts.map(({ key, revision }) => [key, revision]),
      [
        ['192.0.2.1', 1],
        ['b', 1],
      ],
    )
    await store.commit([raising(raise({ key: 'b', severity: 'critical' }), raise())])
    await store.alerts.commitNotifications({ ...NOTHING, handled: first.alerts })
    const second = await store.alerts.changes(10)
    assert.deepEqual(
      second.alerts.map(({ key, revision }) => [key, revision]),
      [['b', 2]],
    )
    await store.alerts.commitNotifications({ ...NOTHING, handled: second.alerts })
    // Raised once more and not worse: routing has nothing to look at.
    await store.commit([raising(raise())])
    assert.deepEqual(await store.alerts.changes(10), { alerts: [], erased: [] })
    assert.deepEqual(
      (await store.alerts.unresolved(0, 10)).map(({ key }) => key),
      ['192.0.2.1', 'b'],
    )
  })

  suiteTest('what is told is in the outbox, in the history of its alerts, and in its group', async (t) => {
    const { store } = await open(t, {})
    await store.commit([raising(raise(), raise({ key: 'b' }))])
    const [a, b] = (await store.alerts.changes(10)).alerts
    assert.ok(a !== undefined && b !== undefined)
    const group = { key: 'g\udc80', sentAtMs: START_MS, notified: [[a.id, 'low']] } as const
    const delivery = {
      sink: 'mail',
      deliveryId: 'd1',
      state: 'queued',
      tries: 0,
      atMs: 5,
      to: '',
      answer: '',
    } as const
    const notification = {
      atMs: 5,
      group: 'rule=spray',
      reason: 'new',
      total: 2,
      alertIds: [a.id, b.id],
      deliveries: [delivery, { ...delivery, sink: 'log', deliveryId: 'd2' }],
    } as const
    await store.alerts.commitNotifications({
      ...NOTHING,
      messages: [message('d1', 'sink:mail'), message('d2', 'sink:log')],
      groups: [group, { ...group, key: 'h' }],
      notifications: [notification],
    })
    await store.alerts.commitNotifications({
      ...NOTHING,
      goneGroups: ['h', 'i'],
      notifications: [{ ...notification, reason: 'repeat', alertIds: [b.id], deliveries: [] }],
    })
    const due = await store.claimDue('sink:mail', START_MS, 5)
    assert.deepEqual(
      due.entries.map(({ deliveryId }) => deliveryId),
      ['d1'],
    )
    assert.deepEqual(await store.alerts.groups(), [group])
    const reasons = async (id: number) =>
      (await store.alerts.notifications(id)).map((told) => told.reason).join()
    assert.deepEqual([await reasons(a.id), await reasons(b.id), await reasons(99)], ['new', 'repeat,new', ''])
    const note = {
      sink: 'mail',
      state: 'delivered',
      tries: 2,
      atMs: 9,
      to: 'ops@example.com',
      answer: '250 ok',
    } as const
    const noted = await Promise.all([
      store.alerts.noteDelivery({ ...note, sink: 'log', deliveryId: 'd2', answer: 'none' }),
      store.alerts.noteDelivery({ ...note, deliveryId: 'd1' }),
      store.alerts.noteDelivery({ ...note, deliveryId: 'd3' }),
    ])
    assert.deepEqual(noted, [true, true, false])
    assert.deepEqual((await store.alerts.notifications(a.id))[0]?.deliveries, [
      { ...note, deliveryId: 'd1' },
      { ...note, sink: 'log', deliveryId: 'd2', answer: 'none' },
    ])
  })

  suiteTest('silences are kept until they are over or removed', async (t) => {
    const { store } = await open(t, {})
    const silence = {
      author: 'eve',
      comment: 'move',
      fromMs: START_MS,
      untilMs: START_MS + 10,
      rule: 'spray',
    }
    const first = await store.alerts.addSilence(silence)
    const second = await store.alerts.addSilence({ ...silence, untilMs: START_MS + 20, key: '10.*' })
    assert.deepEqual(await store.alerts.silences(), [first, second])
    assert.deepEqual(first, { ...silence, id: 's1' })
    await store.expire(START_MS + 10)
    assert.deepEqual(await store.alerts.silences(), [second])
    assert.deepEqual(
      [
        await store.alerts.removeSilence('s1'),
        await store.alerts.removeSilence('nothing'),
        await store.alerts.removeSilence('s2'),
        await store.alerts.removeSilence('s2'),
      ],
      [false, false, true, false],
    )
    assert.deepEqual(await store.alerts.silences(), [])
    assert.equal((await store.alerts.addSilence(silence))?.id, 's3')
  })

  suiteTest('forgetting a login erases the alerts that name it, and routing learns it', async (t) => {
    const { store } = await open(t, {})
    const [report] = await append(store, reportAt(0, { login: 'ann' }))
    assert.ok(report !== undefined)
    const of = { login: 'ann', remote: '192.0.2.1', t: 17 }
    await store.commit([
      done(report.id, [], { alerts: [raise({ key: 'by report', report: of })] }),
      raising(raise({ key: 'ann' }), raise({ key: 'by user', user: 'ann' }), raise({ key: 'bob' })),
    ])
    const before = (await store.alerts.changes(10)).alerts
    await store.alerts.commitNotifications({ ...NOTHING, handled: before })
    assert.deepEqual(await store.forgetLogin('ann'), { reports: 1, trendRows: 0, alerts: 3, mails: 0 })
    assert.deepEqual(
      (await store.alerts.list(ALL)).map(({ key }) => key),
      ['bob'],
    )
    const { alerts, erased } = await store.alerts.changes(10)
    assert.deepEqual([alerts.length, erased.length], [0, 3])
    await store.alerts.commitNotifications({ ...NOTHING, handledErased: erased })
    assert.deepEqual(await store.alerts.changes(10), { alerts: [], erased: [] })
    assert.deepEqual(store.counts().alerts, { open: [0, 0, 1, 0, 0], resolved: 0, evicted: 0 })
  })
}

const never2 = { kind: 'comment', author: '', comment: '', atMs: 0 } as const

function never(): never {
  assert.fail('there is no alert')
}

async function only(store: Store): Promise<readonly [Alert]> {
  const [alert] = await store.alerts.list(ALL)
  return [alert ?? never()]
}

function states(alerts: readonly Alert[]): readonly string[] {
  return alerts.map(({ state, count }) => `${state} ${count}`)
}
