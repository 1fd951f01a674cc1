/**
 * What every adapter of the store's port must do, as tests that each adapter's own file runs.
 */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import fc from 'fast-check'
import type {
  CommitStamp,
  HistoryQuery,
  JournalledReport,
  Outcome,
  OutboxClaim,
  OutboxMessage,
  Store,
  TrendReader,
} from '../../../src/store/store.ts'
import { decodeCount, encodeCounts, type CountChange, type CountRow } from '../../support/counting-trends.ts'
import { reportAt, START_MS } from '../../support/store-reports.ts'
import { textToBytes } from '../../support/text-bytes.ts'

const DAY_MS = 86_400_000

export interface SuiteOptions {
  readonly historyDays?: number
  readonly historyMegabytes?: number
  readonly backlogReports?: number
  readonly maxKeys?: number
}

/** One store under test. */
export interface SuiteStore {
  readonly store: Store
  readonly reader: (worker: number) => Promise<TrendReader>
}

type OpenStore = (t: TestContext, options: SuiteOptions) => Promise<SuiteStore>

const failure = { code: 'TRK_LUA_ERROR', message: 'boom', traceback: 'stack traceback: policy.lua:7' }

function done(
  reportId: number | undefined,
  changes: readonly CountChange[] = [],
  more: { readonly messages?: readonly OutboxMessage[]; readonly commit?: CommitStamp } = {},
): Outcome {
  return { kind: 'done', reportId, deltas: encodeCounts(changes), messages: [], commit: undefined, ...more }
}

async function append(
  store: Store,
  ...reports: ReturnType<typeof reportAt>[]
): Promise<readonly JournalledReport[]> {
  const outcome = await store.append(reports)
  assert.equal(outcome.kind, 'durable')
  return outcome.kind === 'durable' ? outcome.reports : []
}

async function readRow(reader: TrendReader, database: string, key: string): Promise<CountRow | undefined> {
  const view = await reader.openView()
  const bytes = await view.readRow(database, textToBytes(key))
  view.close()
  return decodeCount(bytes)
}

function message(deliveryId: string, receiver: string, createdAtMs = START_MS): OutboxMessage {
  return { deliveryId, receiver, body: `{"to":"${receiver}"}`, createdAtMs }
}

export function runStoreSuite(name: string, open: OpenStore): void {
  const suiteTest = (title: string, body: (t: TestContext) => Promise<void>): void => {
    test(`${name}: ${title}`, body)
  }

  suiteTest('durable reports go to the subscriber once, in order, with growing ids', async (t) => {
    const { store } = await open(t, {})
    const handed: JournalledReport[] = []
    await store.subscribe((reports) => handed.push(...reports))
    const texts = Array.from({ length: 100 }, (_, index) => `{"n":${index}}`)
    await Promise.all(texts.map((text) => append(store, reportAt(0, { text }))))
    assert.deepEqual(
      handed.map((report) => report.text),
      texts,
    )
    const ids = handed.map((report) => report.id)
    assert.deepEqual(
      ids,
      [...new Set(ids)].toSorted((a, b) => a - b),
    )
    assert.equal(store.counts().backlogReports, 100)
  })

  suiteTest('an append says which reports it kept, under the ids that the subscriber sees', async (t) => {
    const { store } = await open(t, {})
    const handed: JournalledReport[] = []
    await store.subscribe((reports) => handed.push(...reports))
    const [first, second] = await Promise.all([
      append(store, reportAt(0), reportAt(1)),
      append(store, reportAt(2, { login: 'other' })),
    ])
    assert.deepEqual([...first, ...second], handed)
    assert.equal(handed[2]?.login, 'other')
  })

  suiteTest('an outcome takes place once: changes, messages and done together', async (t) => {
    const { store, reader } = await open(t, {})
    await store.subscribe(() => undefined)
    const [report] = await append(store, reportAt(0))
    const change = { database: 'logins', key: 'ann', by: 3, atMs: START_MS }
    const outcome = done(report?.id, [change], { messages: [message('d1', 'hook')] })
    await store.commit([outcome])
    await store.commit([outcome, outcome])
    const trends = await reader(1)
    assert.deepEqual(await readRow(trends, 'logins', 'ann'), { sum: 3, newestMs: START_MS })
    assert.equal(store.counts().outboxEntries, 1)
    assert.equal(store.counts().backlogReports, 0)
    await trends.close()
  })

  suiteTest('changes of many outcomes to one row add up', async (t) => {
    const { store, reader } = await open(t, {})
    const outcomes = Array.from({ length: 200 }, (_, index) =>
      done(undefined, [{ database: 'd', key: `k${index % 3}`, by: 1, atMs: START_MS + index }]),
    )
    await Promise.all([store.commit(outcomes.slice(0, 50)), store.commit(outcomes.slice(50))])
    await store.commit([done(undefined, [{ database: 'd', key: 'k0', by: 10, atMs: 5 }])])
    const trends = await reader(1)
    assert.deepEqual(await readRow(trends, 'd', 'k0'), { sum: 77, newestMs: START_MS + 198 })
    assert.deepEqual(await readRow(trends, 'd', 'k1'), { sum: 67, newestMs: START_MS + 199 })
    assert.equal(await readRow(trends, 'other', 'k1'), undefined)
    assert.equal(store.counts().trendRows, 3)
    await trends.close()
  })

  suiteTest('a view does not change, and says which commits of its worker are in it', async (t) => {
    const { store, reader } = await open(t, {})
    const trends = await reader(4)
    const commit = (number: number): Promise<void> =>
      store.commit([
        done(undefined, [{ database: 'd', key: 'k', by: 1, atMs: START_MS }], {
          commit: { worker: 4, number },
        }),
      ])
    const empty = await trends.openView()
    assert.equal(empty.appliedCommit, -1)
    await commit(0)
    const first = await trends.openView()
    await commit(1)
    await commit(2)
    const last = await trends.openView()
    assert.deepEqual([empty.appliedCommit, first.appliedCommit, last.appliedCommit], [-1, 0, 2])
    const sums = []
    for (const view of [empty, first, last])
      sums.push(decodeCount(await view.readRow('d', textToBytes('k')))?.sum)
    assert.deepEqual(sums, [undefined, 1, 3])
    assert.deepEqual([await empty.countRows('d'), await last.countRows('d')], [0, 1])
    for (const view of [empty, first, last]) view.close()
    await trends.close()
  })

  suiteTest('a run without a report that is committed again under its number changes nothing', async (t) => {
    const { store, reader } = await open(t, {})
    const outcome = done(undefined, [{ database: 'd', key: 'k', by: 1, atMs: START_MS }], {
      commit: { worker: 1, number: 5 },
    })
    await store.commit([outcome])
    await store.commit([outcome])
    const trends = await reader(1)
    assert.equal((await readRow(trends, 'd', 'k'))?.sum, 1)
    await trends.close()
  })

  suiteTest('a failed run changes nothing, keeps report and traceback, and can be run again', async (t) => {
    const { store } = await open(t, { historyDays: 0 })
    const handed: JournalledReport[] = []
    await store.subscribe((reports) => handed.push(...reports))
    const [report, other] = await append(store, reportAt(0, { text: '{"a":1}' }), reportAt(1))
    assert.ok(report !== undefined && other !== undefined)
    await store.commit([{ kind: 'failed', reportId: report.id, failure, atMs: START_MS }, done(other.id)])
    assert.deepEqual(await store.failedReports(10), [
      { id: report.id, login: 'ann', text: '{"a":1}', failedAtMs: START_MS, failure },
    ])
    assert.deepEqual([store.counts().failedReports, store.counts().backlogReports], [1, 0])
    assert.equal(await store.rerunFailedReport(report.id), true)
    assert.equal(await store.rerunFailedReport(report.id), false)
    assert.equal(await store.rerunFailedReport(other.id), false)
    const again = handed
      .slice(2)
      .map(({ id, login, text, receivedAtMs }) => ({ id, login, text, receivedAtMs }))
    assert.deepEqual(again, [{ id: report.id, login: 'ann', text: '{"a":1}', receivedAtMs: START_MS }])
    await store.commit([{ kind: 'failed', reportId: report.id, failure, atMs: START_MS + 1 }])
    assert.equal((await store.failedReports(10))[0]?.failedAtMs, START_MS + 1)
    await store.rerunFailedReport(report.id)
    await store.commit([done(report.id)])
    assert.deepEqual([store.counts().failedReports, store.counts().backlogReports], [0, 0])
  })

  suiteTest('a failed report is kept for seven days', async (t) => {
    const { store } = await open(t, { historyDays: 0 })
    const [report] = await append(store, reportAt(0))
    await store.commit([{ kind: 'failed', reportId: report?.id ?? 0, failure, atMs: START_MS }])
    await store.expire(START_MS + 7 * DAY_MS - 1)
    assert.equal(store.counts().failedReports, 1)
    await store.expire(START_MS + 7 * DAY_MS)
    assert.deepEqual([store.counts().failedReports, await store.failedReports(1)], [0, []])
  })

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
    for (let from = 0; from < reports.length; from += 70)
      await append(store, ...reports.slice(from, from + 70))
    const query = fc.record(
      {
        login: fc.constantFrom(...logins, 'nobody'),
        remote: fc.constantFrom('10.0.0.1', '10.0.0.3', '10.9.9.9'),
        sinceMs: fc.integer({ min: START_MS - 10, max: START_MS + 310 }),
        untilMs: fc.integer({ min: START_MS - 10, max: START_MS + 310 }),
        success: fc.boolean(),
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
          .toReversed()
          .slice(0, asked.limit)
          .map(({ receivedAtMs, text }) => ({ receivedAtMs, text }))
        const found = await store.history(asked)
        assert.deepEqual(
          found.map(({ receivedAtMs, text }) => ({ receivedAtMs, text })),
          expected,
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
      const [report] = await append(store, reportAt(index, { text: 'x'.repeat(1000) }))
      await store.commit([done(report?.id)])
    }
    await store.expire(START_MS + 1)
    const { historyBytes, historyReports } = store.counts()
    assert.ok(historyBytes <= 0.01 * 1024 * 1024 && historyBytes > 8_000, `${historyBytes} bytes`)
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
      assert.deepEqual(await store.forgetLogin('ann'), { reports: 2, trendRows: 2 })
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
      assert.deepEqual(await store.forgetLogin('ann'), { reports: 0, trendRows: 0 })
      await store.commit([done(open4.id)])
      assert.deepEqual(await store.forgetLogin('ann'), { reports: 1, trendRows: 0 })
    },
  )

  suiteTest('rows expire when nothing of them can be read, however often they were touched', async (t) => {
    const { store, reader } = await open(t, {})
    const change = (key: string, atMs: number): Outcome =>
      done(undefined, [{ database: 'd', key, by: 1, atMs }])
    await store.commit([change('old', START_MS), change('kept', START_MS)])
    await store.commit([change('kept', START_MS + 5000)])
    await store.expire(START_MS + 9_999)
    assert.equal(store.counts().trendRows, 2)
    await store.expire(START_MS + 10_000)
    assert.equal(store.counts().trendRows, 1)
    const trends = await reader(1)
    assert.equal((await readRow(trends, 'd', 'kept'))?.sum, 2)
    await store.commit([change('old', START_MS + 20_000)])
    assert.equal((await readRow(trends, 'd', 'old'))?.sum, 1)
    await store.expire(START_MS + 15_000)
    await store.expire(START_MS + 30_000)
    assert.equal(store.counts().trendRows, 0)
    await trends.close()
  })

  suiteTest('a database above its maximum loses the rows that were changed longest ago', async (t) => {
    const { store, reader } = await open(t, { maxKeys: 500 })
    const change = (key: number, atMs: number): Outcome =>
      done(undefined, [{ database: 'd', key: `k${key}`, by: 1, atMs }])
    const all = Array.from({ length: 700 }, (_, index) => index)
    await store.commit(all.map((key) => change(key, START_MS + key)))
    // The oldest hundred are used again before the next comes.
    await store.commit(all.slice(200, 300).map((key) => change(key, START_MS + 2000 + key)))
    await store.commit([change(1000, START_MS + 3000)])
    await waitFor(() => store.counts().trendRowsEvicted === 201)
    assert.equal(store.counts().trendRows, 500)
    const trends = await reader(1)
    assert.equal(await readRow(trends, 'd', 'k199'), undefined)
    assert.equal((await readRow(trends, 'd', 'k200'))?.sum, 2)
    assert.equal(await readRow(trends, 'd', 'k300'), undefined)
    assert.equal((await readRow(trends, 'd', 'k301'))?.sum, 1)
    await trends.close()
  })

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

/** Eviction goes on after the commit's answer. */
async function waitFor(isTrue: () => boolean): Promise<void> {
  for (let tries = 0; !isTrue(); tries++) {
    assert.ok(tries < 500, 'it did not happen within five seconds')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

function ids({ entries }: OutboxClaim): readonly string[] {
  return entries.map((entry) => entry.deliveryId)
}
