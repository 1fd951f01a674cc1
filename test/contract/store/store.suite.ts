/**
 * What every adapter of the store's port must do with reports, outcomes and trends, as tests that each adapter's own file
 * runs. What is kept, and for how long, is in store-keeping.suite.ts.
 */
import assert from 'node:assert/strict'
import type { JournalledReport, Outcome, TrendView } from '../../../src/store/store.ts'
import { decodeCount } from '../../support/counting-trends.ts'
import { reportAt, START_MS } from '../../support/store-reports.ts'
import {
  append,
  done,
  failure,
  message,
  type OpenStore,
  readRow,
  titled,
  waitFor,
} from '../../support/store-suite.ts'
import { bytesToText, textToBytes } from '../../support/text-bytes.ts'

const DAY_MS = 86_400_000

export function runStoreSuite(name: string, open: OpenStore): void {
  const suiteTest = titled(name)

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

  suiteTest('a row and its chunks change together, and a view keeps both', async (t) => {
    const { store, reader } = await open(t, {})
    const trends = await reader(1)
    const change = (by: number, ms: number): Outcome =>
      done(undefined, [{ database: 'apart', key: 'k', by, atMs: START_MS + ms }])
    await store.commit([change(1, 0), change(2, 1), change(5, 0)])
    const before = await trends.openView()
    await store.commit([change(10, 1)])
    await store.commit([change(0, 0), change(3, 2)])
    const after = await trends.openView()
    assert.deepEqual(await readChunks(before, 'apart', 'k'), { [`t${START_MS}`]: 6, [`t${START_MS + 1}`]: 2 })
    assert.deepEqual(await readChunks(after, 'apart', 'k'), {
      [`t${START_MS + 1}`]: 12,
      [`t${START_MS + 2}`]: 3,
    })
    assert.equal(await after.readChunk('apart', textToBytes('k'), `t${START_MS}`), undefined)
    assert.equal(await after.readChunk('apart', textToBytes('kt'), `${START_MS + 1}`), undefined)
    for (const view of [before, after]) view.close()
    await trends.close()
  })

  suiteTest('a row that goes takes its chunks along, whatever removes it', async (t) => {
    const { store, reader } = await open(t, { maxKeys: 3 })
    const change = (database: string, key: string, ms: number): Outcome =>
      done(undefined, [
        { database, key, by: 1, atMs: START_MS + ms },
        { database, key, by: 1, atMs: START_MS + ms + 1 },
      ])
    await store.commit([change('apart', 'expires', 0), change('apart', 'ann', 20_000)])
    await store.expire(START_MS + 15_000)
    await store.forgetLogin('ann')
    const crowd = ['evicted', 'b', 'c', 'd'].map((key, index) => change('apart2', key, 20_000 + index * 10))
    await store.commit(crowd)
    await waitFor(() => store.counts().trendRowsEvicted === 1)
    assert.equal(store.counts().trendRows, 3)
    const trends = await reader(1)
    const view = await trends.openView()
    for (const [database, key, ms] of [
      ['apart', 'expires', 0],
      ['apart', 'ann', 20_000],
      ['apart2', 'evicted', 20_000],
    ] as const) {
      assert.equal(await view.readRow(database, textToBytes(key)), undefined, key)
      for (const chunk of [`t${START_MS + ms}`, `t${START_MS + ms + 1}`])
        assert.equal(await view.readChunk(database, textToBytes(key), chunk), undefined, key)
    }
    assert.deepEqual(Object.values((await readChunks(view, 'apart2', 'd')) ?? {}), [1, 1])
    view.close()
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
}

/** The chunks of a row by name; undefined when there is no row. */
async function readChunks(
  view: TrendView,
  database: string,
  key: string,
): Promise<Readonly<Record<string, number>> | undefined> {
  const row = decodeCount(await view.readRow(database, textToBytes(key)))
  if (row === undefined) return undefined
  const chunks: Record<string, number> = {}
  for (const name of row.chunks ?? []) {
    const bytes = await view.readChunk(database, textToBytes(key), name)
    chunks[name] = bytes === undefined ? Number.NaN : Number(bytesToText(bytes))
  }
  return chunks
}
