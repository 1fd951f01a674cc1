/**
 * What every adapter of the store's port must do when its settings change while it is open.
 */
import assert from 'node:assert/strict'
import type { StoreChange } from '../../../src/store/store.ts'
import type { CountingSetup } from '../../support/counting-trends.ts'
import { reportAt, START_MS } from '../../support/store-reports.ts'
import { append, done, type OpenStore, readRow, titled, waitFor } from '../../support/store-suite.ts'

const SETUP: CountingSetup = { rangeMs: 10_000, maxKeys: 1_000_000 }

function changeTo(setup: Partial<CountingSetup>, more: Partial<StoreChange> = {}): StoreChange {
  const trendSetup = { ...SETUP, ...setup }
  return {
    durability: 'fsync',
    historyDays: 7,
    historyMegabytes: 1024,
    alertHistoryDays: 90,
    trendSetup,
    ...more,
  }
}

export function runStoreChangesSuite(name: string, open: OpenStore): void {
  const suiteTest = titled(name)

  suiteTest('new definitions hold for every later change; what was stored before is untouched', async (t) => {
    const { store, reader } = await open(t, {})
    const commit = (key: string): Promise<void> =>
      store.commit([done(undefined, [{ database: 'd', key, by: 1, atMs: START_MS }])])
    const before = commit('before')
    const changed = store.reconfigure(changeTo({ rangeMs: 100 }))
    await Promise.all([before, changed, commit('after')])
    const trends = await reader(1)
    assert.equal((await readRow(trends, 'd', 'before'))?.sum, 1)
    assert.equal((await readRow(trends, 'd', 'after'))?.sum, 1)
    await store.expire(START_MS + 5_000)
    assert.equal((await readRow(trends, 'd', 'before'))?.sum, 1)
    assert.equal(await readRow(trends, 'd', 'after'), undefined)
    await trends.close()
  })

  suiteTest('a smaller maximum size pushes rows out, those that expire first', async (t) => {
    const { store, reader } = await open(t, {})
    const keys = Array.from({ length: 50 }, (_, index) => index)
    await store.commit(
      keys.map((key) => done(undefined, [{ database: 'd', key: `k${key}`, by: 1, atMs: START_MS + key }])),
    )
    await store.reconfigure(changeTo({ maxKeys: 10 }))
    // It is kept where rows come in; a database that nothing is written to may wait for that.
    await store.commit([done(undefined, [{ database: 'd', key: 'k50', by: 1, atMs: START_MS + 50 }])])
    await waitFor(() => store.counts().trendRows === 10)
    assert.deepEqual([...store.counts().trendRowsByDatabase], [['d', 10]])
    const trends = await reader(1)
    assert.equal(await readRow(trends, 'd', 'k40'), undefined)
    assert.equal((await readRow(trends, 'd', 'k41'))?.sum, 1)
    await trends.close()
  })

  suiteTest(
    'history that is switched off keeps no report from then on, and can be switched on again',
    async (t) => {
      const { store } = await open(t, {})
      const finish = async (index: number): Promise<void> => {
        const [report] = await append(store, reportAt(index, { text: `{"n":${index}}` }))
        await store.commit([done(report?.id)])
      }
      const texts = async (): Promise<readonly string[]> =>
        (await store.history({ limit: 10 })).map((entry) => entry.text)
      await finish(0)
      await store.reconfigure(changeTo({}, { historyDays: 0 }))
      await finish(1)
      assert.deepEqual(await texts(), ['{"n":0}'])
      await store.reconfigure(changeTo({}))
      await finish(2)
      assert.deepEqual(await texts(), ['{"n":2}', '{"n":0}'])
      await store.reconfigure(changeTo({}, { historyDays: 1 / 86_400_000 }))
      await store.expire(START_MS + 1_000_000)
      assert.deepEqual(await texts(), [])
      assert.equal(store.counts().historyReports, 0)
    },
  )

  suiteTest('definitions that cannot be used are refused, and nothing has changed', async (t) => {
    const { store, reader } = await open(t, {})
    await assert.rejects(store.reconfigure(changeTo({ isBroken: true }, { historyDays: 0 })), /told to fail/)
    const [report] = await append(store, reportAt(0))
    await store.commit([done(report?.id, [{ database: 'd', key: 'k', by: 1, atMs: START_MS }])])
    assert.equal((await store.history({ limit: 10 })).length, 1)
    const trends = await reader(1)
    assert.equal((await readRow(trends, 'd', 'k'))?.sum, 1)
    await trends.close()
  })
}
