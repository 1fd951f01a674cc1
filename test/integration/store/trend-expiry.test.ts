/** Expiry and eviction beside appends and commits. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeCounts } from '../../support/counting-trends.ts'
import { temporaryStore } from '../../support/embedded-store.ts'
import { randomFrom } from '../../support/random-from.ts'
import { reportAt, START_MS } from '../../support/store-reports.ts'

const MAX_KEYS = 100
const ROUNDS = 60

test('rows that are made while others go for them all expire in the end', async (t) => {
  const { store } = await temporaryStore(t, { trendSetup: { maxKeys: MAX_KEYS, rangeMs: 10_000 } })
  const random = randomFrom(1)
  const ending = new AbortController()
  // After every batch, also one of appends, the store looks for databases above their maximum.
  const appending = (async () => {
    while (!ending.signal.aborted) await store.append([reportAt(START_MS)])
  })()
  for (let round = 0; round < ROUNDS; round++) {
    const deltas = encodeCounts(
      Array.from({ length: 10 }, () => ({
        database: 'd',
        key: `k${random()}`,
        by: 1,
        atMs: START_MS,
      })),
    )
    const appended = await store.append([reportAt(START_MS)])
    assert.equal(appended.kind, 'durable')
    if (appended.kind !== 'durable') return
    await store.commit(
      appended.reports.map(({ id }) => ({
        kind: 'done',
        reportId: id,
        deltas,
        messages: [],
        commit: undefined,
      })),
    )
  }
  ending.abort()
  await appending
  assert.ok(store.counts().trendRows > 0)
  await store.expire(START_MS + 60_000)
  assert.equal(store.counts().trendRows, 0)
})
