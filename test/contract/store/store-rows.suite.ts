/**
 * What every adapter of the store's port must keep and let go of trend rows: expiry, eviction, scans.
 */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Outcome, TrendReader } from '../../../src/store/store.ts'
import { decodeCount } from '../../support/counting-trends.ts'
import { START_MS } from '../../support/store-reports.ts'
import { done, type OpenStore, readRow, titled, waitFor } from '../../support/store-suite.ts'

export function runStoreRowsSuite(name: string, open: OpenStore): void {
  const suiteTest = titled(name)

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

  suiteTest('rows of a database are scanned in the order of their keys, each once', async (t) => {
    const { store } = await open(t, {})
    const keys = ['b', '', 'a', 'a\u0000', 'aa', 'z'.repeat(300), '\u00ff', 'é']
    await store.commit([
      done(undefined, [
        ...keys.map((key, index) => ({ database: 'd', key, by: index + 1, atMs: START_MS })),
        { database: 'd2', key: 'other', by: 1, atMs: START_MS },
        { database: 'e', key: 'other', by: 1, atMs: START_MS },
      ]),
    ])
    const expected = keys
      .map((key, index) => ({ key: Buffer.from(key), sum: index + 1 }))
      .toSorted((a, b) => Buffer.compare(a.key, b.key))
    for (const limit of [1, 3, keys.length, 100]) {
      const found: { readonly key: Buffer; readonly sum: number | undefined }[] = []
      let after: Uint8Array | undefined
      for (;;) {
        const page = await store.scanTrends('d', after, limit)
        assert.ok(page.length <= limit)
        if (page.length === 0) break
        found.push(...page.map(({ key, bytes }) => ({ key: Buffer.from(key), sum: decodeCount(bytes)?.sum })))
        after = page.at(-1)?.key
      }
      assert.deepEqual(found, expected, `${limit} rows at a time`)
    }
    assert.deepEqual(await store.scanTrends('nobody', undefined, 10), [])
    assert.deepEqual(await store.scanTrends('d', undefined, 0), [])
  })
  suiteTest(
    'a database above its maximum keeps the rows that were used last, as a plain list would',
    async (t) => {
      const { store, reader } = await open(t, { maxKeys: 5 })
      const trends = await reader(1)
      const keys = Array.from({ length: 12 }, (_, index) => `k${index}`)
      /** A use that changes nothing is a reading. */
      const use = fc.record({ key: fc.constantFrom(...keys), by: fc.constantFrom(0, 1), backMs: fc.nat(40) })
      let run = 0
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(use, { minLength: 1, maxLength: 8 }), { maxLength: 8 }),
          async (batches) => {
            const database = `d${run++}`
            let lastUses: readonly (readonly [key: string, atMs: number])[] = []
            let nowMs = START_MS
            for (const batch of batches) {
              const uses = batch.map(({ key, by, backMs }) => ({
                database,
                key,
                by,
                atMs: (nowMs += 50) - backMs,
              }))
              await store.commit(uses.map((change) => done(undefined, [change])))
              const known = new Map(lastUses)
              for (const { key, atMs } of uses) known.set(key, Math.max(atMs, known.get(key) ?? 0))
              lastUses = [...known].toSorted(([, a], [, b]) => b - a).slice(0, 5)
              await waitForRows(trends, database, lastUses.length)
            }
            const kept = []
            for (const key of keys) if ((await readRow(trends, database, key)) !== undefined) kept.push(key)
            assert.deepEqual(kept.toSorted(), lastUses.map(([key]) => key).toSorted())
          },
        ),
        { numRuns: 25 },
      )
      await trends.close()
    },
  )
}

/** Eviction follows a commit: looks until a database has so many rows. */
async function waitForRows(trends: TrendReader, database: string, rows: number): Promise<void> {
  for (let tries = 0; ; tries++) {
    const view = await trends.openView()
    const found = await view.countRows(database)
    view.close()
    if (found === rows) return
    assert.ok(tries < 2000, `${found} rows, and there should be ${rows}`)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}
