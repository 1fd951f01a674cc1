/**
 * What every adapter of the store's port must keep and let go: history, outgoing messages, rows; forgetting and bounds.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import type { HistoryQuery, OutboxClaim } from '../../../src/store/store.ts'
import { reportAt, START_MS } from '../../support/store-reports.ts'
import { append, done, failure, message, type OpenStore, readRow, titled } from '../../support/store-suite.ts'

const DAY_MS = 86_400_000

export function runStoreKeepingSuite(name: string, open: OpenStore): void {
  const suiteTest = titled(name)

  suiteTest('history answers as a plain search would', async (t) => {
    const { store } = await open(t, {})
    const logins = ['ann', 'bob', 'Ann', 'é', 'a\u0000b', '\udc80x', '']
    const reports = Array.from({ length: 300 }, (_, index) =>
      reportAt(index, {
        login: logins[index % logins.length] ?? '',
        remote: `10.0.0.${index % 5}`,
        success: index % 3 === 0,
        text: `{"n":${index}}`,
      }),
    )
    const numbers: number[] = []
    for (let from = 0; from < reports.length; from += 70)
      numbers.push(...(await append(store, ...reports.slice(from, from + 70))).map(({ id }) => id))
    const query = fc.record(
      {
        login: fc.constantFrom(...logins, 'nobody'),
        remote: fc.constantFrom('10.0.0.1', '10.0.0.3', '10.9.9.9'),
        sinceMs: fc.integer({ min: START_MS - 10, max: START_MS + 310 }),
        untilMs: fc.integer({ min: START_MS - 10, max: START_MS + 310 }),
        success: fc.boolean(),
        afterId: fc.integer({ min: -1, max: 310 }),
        limit: fc.constantFrom(0, 1, 7, 10_000),
      },
      { requiredKeys: ['limit'] },
    )
    await fc.assert(
      fc.asyncProperty(query, async (asked: HistoryQuery) => {
        const expected = reports
          .filter((report) => asked.login === undefined || report.login === asked.login)
          .filter((report) => asked.remote === undefined || report.remote === asked.remote)
          .filter((report) => asked.success === undefined || report.success === asked.success)
          .filter((report) => report.receivedAtMs >= (asked.sinceMs ?? -Infinity))
          .filter((report) => report.receivedAtMs < (asked.untilMs ?? Infinity))
          .filter((report) => (numbers[reports.indexOf(report)] ?? 0) > (asked.afterId ?? -Infinity))
        const inOrder = (asked.afterId === undefined ? expected.toReversed() : expected)
          .slice(0, asked.limit)
          .map(({ receivedAtMs, text }) => ({ receivedAtMs, text }))
        const found = await store.history(asked)
        assert.deepEqual(
          found.map(({ receivedAtMs, text }) => ({ receivedAtMs, text })),
          inOrder,
        )
      }),
      { numRuns: 60 },
    )
  })

  suiteTest('history lets done reports go by age', async (t) => {
    const { store } = await open(t, { historyDays: 2 })
    const [old] = await append(store, reportAt(0))
    const [unfinished] = await append(store, reportAt(1))
    const [young] = await append(store, reportAt(DAY_MS))
    assert.ok(old !== undefined && unfinished !== undefined && young !== undefined)
    await store.commit([done(old.id), done(young.id)])
    await store.expire(START_MS + 2 * DAY_MS + 5)
    const kept = (await store.history({ limit: 10 })).map((entry) => entry.id)
    assert.deepEqual(kept, [young.id, unfinished.id])
    assert.deepEqual(
      await store.history({ login: 'ann', sinceMs: START_MS, untilMs: START_MS + 1, limit: 10 }),
      [],
    )
  })

  suiteTest('history lets the oldest go by size', async (t) => {
    const { store } = await open(t, { historyMegabytes: 0.01 })
    for (let index = 0; index < 30; index++) {
      const [report] = await append(store, reportAt(index, { text: randomBytes(500).toString('hex') }))
      await store.commit([done(report?.id)])
    }
    await store.expire(START_MS + 1)
    const { historyBytes, historyReports } = store.counts()
    assert.ok(historyBytes <= 0.01 * 1024 * 1024 && historyBytes > 4_000, `${historyBytes} bytes`)
    const kept = await store.history({ limit: 100 })
    assert.equal(kept.length, historyReports)
    assert.equal(kept[0]?.receivedAtMs, START_MS + 29)
  })

  suiteTest('without history nothing is kept of a done report', async (t) => {
    const { store } = await open(t, { historyMegabytes: 0 })
    const reports = await append(store, ...Array.from({ length: 40 }, (_, index) => reportAt(index)))
    await store.commit(reports.slice(0, 39).map((report) => done(report.id)))
    await store.commit([done(reports[39]?.id)])
    assert.deepEqual(await store.history({ limit: 10 }), [])
    assert.deepEqual([store.counts().historyReports, store.counts().historyBytes], [0, 0])
  })

  suiteTest(
    'due messages of a receiver are handed out oldest first, as many as asked for, and once',
    async (t) => {
      const { store } = await open(t, {})
      await store.commit([
        done(undefined, [], {
          messages: [
            message('b', 'slow', 20),
            message('a', 'slow', 10),
            message('c', 'slow', 30),
            message('x', 'other', 25),
          ],
        }),
      ])
      assert.deepEqual(await store.claimDue('slow', 9, 5), { entries: [], nextDueAtMs: 10 })
      assert.deepEqual(await store.claimDue('nobody', 9, 5), { entries: [], nextDueAtMs: undefined })
      const { entries: claimed, nextDueAtMs } = await store.claimDue('slow', 29, 1)
      assert.deepEqual([claimed.map((entry) => entry.deliveryId), nextDueAtMs], [['a'], 20])
      assert.deepEqual(ids(await store.claimDue('slow', 29, 5)), ['b'])
      assert.deepEqual(await store.claimDue('slow', 29, 5), { entries: [], nextDueAtMs: 30 })
      assert.deepEqual(ids(await store.claimDue('other', 29, 5)), ['x'])
      const [entry] = claimed
      assert.deepEqual(
        { ...entry, id: 0 },
        {
          ...message('a', 'slow', 10),
          id: 0,
          tries: 0,
          nextTryAtMs: 10,
        },
      )
    },
  )

  suiteTest('a message is delivered, tried again, or dies; the dead can be sent again', async (t) => {
    const { store } = await open(t, {})
    await store.commit([
      done(undefined, [], {
        messages: [message('a', 'r', 1), message('b', 'r', 2), message('c', 'r', 3)],
      }),
    ])
    const [a, b, c] = (await store.claimDue('r', 10, 10)).entries
    assert.ok(a !== undefined && b !== undefined && c !== undefined)
    await store.settleDelivered([a.id])
    await store.settleRetry(b.id, 1, 500)
    await store.settleRetry(b.id, 1, 500)
    await store.settleDead(c.id, 7, 50, 'status 400')
    assert.deepEqual([store.counts().outboxEntries, store.counts().deadLetters], [1, 1])
    assert.equal(store.counts().outboxByReceiver.get('r'), 1)
    assert.deepEqual(await store.claimDue('r', 499, 10), { entries: [], nextDueAtMs: 500 })
    assert.deepEqual(
      (await store.claimDue('r', 500, 10)).entries.map(({ deliveryId, tries }) => ({ deliveryId, tries })),
      [{ deliveryId: 'b', tries: 1 }],
    )
    assert.deepEqual(ids(await store.claimDue('r', 500, 10)), [])
    const letter = {
      ...message('c', 'r', 3),
      id: c.id,
      tries: 7,
      diedAtMs: 50,
      reason: 'status 400',
    }
    assert.deepEqual(await store.deadLetters(5), [letter])
    assert.equal(await store.resendDeadLetter(c.id, 900), true)
    assert.equal(await store.resendDeadLetter(c.id, 900), false)
    assert.deepEqual(
      (await store.claimDue('r', 900, 10)).entries.map(({ deliveryId, tries }) => ({ deliveryId, tries })),
      [{ deliveryId: 'c', tries: 0 }],
    )
    assert.deepEqual([store.counts().outboxEntries, store.counts().deadLetters], [2, 0])
    // Whether it waits or is handed out.
    assert.equal(store.counts().outboxByReceiver.get('r'), 2)
  })

  suiteTest('a message that is rewritten keeps all but its body, also when it is tried again', async (t) => {
    const { store } = await open(t, {})
    await store.commit([done(undefined, [], { messages: [message('a', 'r', 1)] })])
    const [entry] = (await store.claimDue('r', 10, 1)).entries
    assert.ok(entry !== undefined)
    await store.rewriteMessage(entry.id, 'another body')
    await store.rewriteMessage(entry.id + 1, 'of nothing')
    assert.deepEqual(ids(await store.claimDue('r', 10, 1)), [])
    await store.settleRetry(entry.id, 1, 20)
    assert.deepEqual((await store.claimDue('r', 20, 5)).entries, [
      { ...entry, body: 'another body', tries: 1, nextTryAtMs: 20 },
    ])
    await store.settleDead(entry.id, 1, 50, 'status 400')
    assert.equal((await store.deadLetters(1))[0]?.body, 'another body')
    assert.equal(store.counts().outboxEntries, 0)
  })

  suiteTest('a dead letter that is sent again counts its age from then', async (t) => {
    const { store } = await open(t, {})
    await store.commit([done(undefined, [], { messages: [message('a', 'r', 1)] })])
    const [entry] = (await store.claimDue('r', 10, 1)).entries
    assert.ok(entry !== undefined)
    await store.settleDead(entry.id, 1, 50, 'too old after 24 h: status 503')
    assert.equal(await store.resendDeadLetter(entry.id, 900), true)
    assert.equal((await store.claimDue('r', 900, 1)).entries[0]?.createdAtMs, 900)
  })

  suiteTest('messages that nobody will claim become dead letters once they are old', async (t) => {
    const { store } = await open(t, {})
    const messages = [
      message('old', 'gone', 10),
      message('held', 'gone', 11),
      message('young', 'gone', 100),
      message('other', 'sink:gone', 12),
      message('named', 'there', 10),
    ]
    await store.commit([done(undefined, [], { messages })])
    await store.claimDue('gone', 10, 1).then(({ entries }) => store.settleRetry(entries[0]?.id ?? -1, 3, 500))
    const held = (await store.claimDue('gone', 11, 1)).entries
    assert.equal(held[0]?.deliveryId, 'held')
    const rule = { named: ['there'], createdBeforeMs: 100, atMs: 200, reason: 'no such webhook' }
    assert.deepEqual(
      new Set(await store.buryOrphans(rule)),
      new Set([
        { receiver: 'gone', buried: 1, waiting: 2 },
        { receiver: 'sink:gone', buried: 1, waiting: 0 },
      ]),
    )
    assert.deepEqual(
      (await store.deadLetters(9)).map(({ deliveryId, tries, reason, diedAtMs }) => [
        deliveryId,
        tries,
        reason,
        diedAtMs,
      ]),
      [
        ['other', 0, 'no such webhook', 200],
        ['old', 3, 'no such webhook', 200],
      ],
    )
    assert.deepEqual(await store.buryOrphans(rule), [{ receiver: 'gone', buried: 0, waiting: 2 }])
    assert.deepEqual([store.counts().outboxEntries, store.counts().deadLetters], [3, 2])
    assert.deepEqual(
      (await store.claimDue('gone', 1000, 9)).entries.map(({ deliveryId }) => deliveryId),
      ['young'],
    )
  })

  suiteTest(
    'forgetting a login erases its done and failed reports and its rows, and nothing else',
    async (t) => {
      const { store, reader } = await open(t, {})
      const reports = await append(
        store,
        reportAt(0, { login: 'ann' }),
        reportAt(1, { login: 'bob' }),
        reportAt(2, { login: 'ann' }),
        reportAt(3, { login: 'ann' }),
      )
      const [first, bobs, failed, open4] = reports
      assert.ok(first !== undefined && bobs !== undefined && failed !== undefined && open4 !== undefined)
      await store.commit([
        done(first.id, [
          { database: 'd1', key: 'ann', by: 1, atMs: START_MS },
          { database: 'd2', key: 'ann', by: 1, atMs: START_MS },
          { database: 'd2', key: 'bob', by: 1, atMs: START_MS },
        ]),
        done(bobs.id),
        { kind: 'failed', reportId: failed.id, failure, atMs: START_MS },
      ])
      assert.deepEqual(await store.forgetLogin('ann'), { reports: 2, trendRows: 2, alerts: 0, mails: 0 })
      assert.deepEqual(
        (await store.history({ limit: 10 })).map((entry) => entry.id),
        [open4.id, bobs.id],
      )
      assert.deepEqual(
        (await store.history({ login: 'ann', limit: 10 })).map((entry) => entry.id),
        [open4.id],
      )
      assert.deepEqual([await store.failedReports(10), store.counts().trendRows], [[], 1])
      const trends = await reader(1)
      assert.equal(await readRow(trends, 'd1', 'ann'), undefined)
      assert.equal((await readRow(trends, 'd2', 'bob'))?.sum, 1)
      await trends.close()
      assert.deepEqual(await store.forgetLogin('ann'), { reports: 0, trendRows: 0, alerts: 0, mails: 0 })
      await store.commit([done(open4.id)])
      assert.deepEqual(await store.forgetLogin('ann'), { reports: 1, trendRows: 0, alerts: 0, mails: 0 })
    },
  )

  suiteTest('appends beyond the backlog are refused whole, and go on when runs end', async (t) => {
    const { store } = await open(t, { backlogReports: 3 })
    const kept = await append(store, reportAt(0), reportAt(1))
    const refused = await store.append([reportAt(2), reportAt(3)])
    assert.equal(refused.kind === 'refused' && refused.reason, 'backlog')
    assert.equal(store.counts().backlogReports, 2)
    await store.commit([done(kept[0]?.id)])
    await append(store, reportAt(2), reportAt(3))
  })

  suiteTest('after close every call is refused', async (t) => {
    const { store } = await open(t, {})
    await store.close()
    assert.equal(store.readiness().ready, false)
    await assert.rejects(store.append([reportAt(0)]), { code: 'TRK_STOPPING' })
    await assert.rejects(store.history({ limit: 1 }), { code: 'TRK_STOPPING' })
    await assert.rejects(store.commit([done(undefined)]), { code: 'TRK_STOPPING' })
  })
}

function ids({ entries }: OutboxClaim): readonly string[] {
  return entries.map((entry) => entry.deliveryId)
}
