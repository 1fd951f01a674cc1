/** Expiry and eviction beside appends and commits. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EmbeddedStore } from '../../../src/store/embedded/embedded-store.ts'
import { openTrendReader } from '../../../src/store/embedded/trend-reader.ts'
import { atEnd } from '../../support/clean-up.ts'
import { temporaryStore } from '../../support/embedded-store.ts'
import { randomFrom } from '../../support/random-from.ts'
import { reportAt, START_MS } from '../../support/store-reports.ts'
import { append, done, readRow } from '../../support/store-suite.ts'

const MAX_KEYS = 100
const ROUNDS = 60

/** A report whose run counts one for each of these keys. */
async function count(store: EmbeddedStore, keys: readonly string[], atMs: number): Promise<void> {
  const [report] = await append(store, reportAt(START_MS))
  const changes = keys.map((key) => ({ database: 'd', key, by: 1, atMs }))
  await store.commit([done(report?.id, changes)])
}

test('rows that are made while others go for them all expire in the end', async (t) => {
  const { store } = await temporaryStore(t, { trendSetup: { maxKeys: MAX_KEYS, rangeMs: 10_000 } })
  const random = randomFrom(1)
  const ending = new AbortController()
  // After every batch, also one of appends, the store looks for databases above their maximum.
  const appending = (async () => {
    while (!ending.signal.aborted) await store.append([reportAt(START_MS)])
  })()
  for (let round = 0; round < ROUNDS; round++) {
    await count(
      store,
      Array.from({ length: 10 }, () => `k${random()}`),
      START_MS,
    )
  }
  ending.abort()
  await appending
  assert.ok(store.counts().trendRows > 0)
  await store.expire(START_MS + 60_000)
  assert.equal(store.counts().trendRows, 0)
})

/** All expire at the same time and go in the order of their keys, without those that have changed. */
function firstNotGone(all: readonly string[], changed: ReadonlySet<string>, gone: number): number {
  let index = 0
  for (let seen = 0; seen < gone && index < all.length; index++) {
    if (!changed.has(all[index] ?? '')) seen++
  }
  return index
}

// Without a cache a row that has changed is on disk alone, and no step reads from there.
for (const [kept, recentRowsBytes] of [
  ['', undefined],
  [', also when no row is kept in memory', 1],
] as const) {
  test(`a row that is changed while it waits to be removed is not removed after that${kept}`, async (t) => {
    const { store } = await temporaryStore(t, {
      trendSetup: { maxKeys: 100_000, rangeMs: 10_000 },
      ...(recentRowsBytes === undefined ? {} : { recentRowsBytes }),
    })
    const random = randomFrom(2)
    const all = Array.from({ length: 10_000 }, (_, index) => `k${String(index).padStart(5, '0')}`)
    await count(store, all, START_MS)

    const nowMs = START_MS + 60_000
    const changed = new Set<string>()
    const ending = new AbortController()
    const expiring = store.expire(nowMs).finally(() => ending.abort())
    const change = async (): Promise<void> => {
      while (!ending.signal.aborted) {
        const next = firstNotGone(all, changed, all.length - store.counts().trendRows)
        const keys = Array.from({ length: 20 }, () => all[next + Math.floor(random() * 200)] ?? 'k00000')
        for (const key of keys) changed.add(key)
        await count(store, keys, nowMs)
      }
    }
    // Several at once: while a page is read, changes are staged, are being written, and wait.
    await Promise.all([change(), change(), change()])
    await expiring
    const reader = await openTrendReader({ ...store.readerAccess(), worker: 1 })
    atEnd(t, () => reader.close())
    for (const key of all) {
      const row = await readRow(reader, 'd', key)
      assert.equal(row?.newestMs, changed.has(key) ? nowMs : undefined, key)
    }
    assert.equal(store.counts().trendRows, changed.size)
    await store.expire(nowMs + 60_000)
    assert.equal(store.counts().trendRows, 0)
  })
}
