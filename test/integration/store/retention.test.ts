import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { EmbeddedStore } from '../../../src/store/embedded/embedded-store.ts'
import { reportsDirectory } from '../../../src/store/embedded/reports/report-log.ts'
import type { Outcome } from '../../../src/store/store.ts'
import { atEnd } from '../../support/clean-up.ts'
import { encodeCounts } from '../../support/counting-trends.ts'
import { openStore, temporaryDirectory, type TestStoreOptions } from '../../support/embedded-store.ts'
import { reportAt, START_MS } from '../../support/store-reports.ts'

const DAY_MS = 86_400_000

async function opened(
  t: TestContext,
  options: TestStoreOptions,
  directory?: string,
): Promise<{ readonly store: EmbeddedStore; readonly directory: string }> {
  const folder = directory ?? (await temporaryDirectory(t))
  const { store } = await openStore(folder, options)
  atEnd(t, () => store.close())
  return { store, directory: folder }
}

/** Appends a report of each of these times, in segments of their own, and finishes them. */
async function finish(store: EmbeddedStore, times: readonly number[], text = 'x'): Promise<void> {
  for (const ms of times) {
    const outcome = await store.append([reportAt(ms, { text: `{"text":"${text}"}` })])
    assert.ok(outcome.kind === 'durable')
    const done = (reportId: number): Outcome => ({
      kind: 'done',
      reportId,
      deltas: encodeCounts([]),
      messages: [],
      commit: undefined,
    })
    await store.commit(outcome.reports.map(({ id }) => done(id)))
  }
}

const times = async (store: EmbeddedStore): Promise<readonly number[]> =>
  (await store.history({ limit: 100 })).map(({ receivedAtMs }) => receivedAtMs - START_MS)

test('reports from a time when the clock was ahead go with those that came after them', async (t) => {
  const { store, directory } = await opened(t, { historyDays: 2 })
  const ahead = 400 * DAY_MS
  await finish(store, [0, ahead, ahead + 1, 2, DAY_MS])
  await store.expire(START_MS + 2 * DAY_MS + 1)
  assert.deepEqual(await times(store), [DAY_MS, 2, ahead + 1, ahead])
  await store.expire(START_MS + 2 * DAY_MS + 2)
  assert.deepEqual(await times(store), [DAY_MS])
  assert.equal(store.counts().historyReports, 1)
  await store.close()
  const { store: again } = await opened(t, { historyDays: 2 }, directory)
  assert.deepEqual(await times(again), [DAY_MS])
  assert.equal(again.counts().historyReports, 1)
})

test('what history does not keep is gone from the disk when it is looked at next', async (t) => {
  const { store, directory } = await opened(t, { historyDays: 0 })
  const secret = randomBytes(8).toString('hex')
  await finish(store, [0, 1, 2], secret)
  await store.expire(START_MS + 3)
  const folder = reportsDirectory(join(directory, 'store'))
  for (const name of await readdir(folder)) {
    // The index of a file that is removed while it is made goes a moment later.
    const content = await readFile(join(folder, name)).catch(nothingIfGone)
    assert.ok(!content?.includes(secret), `it is still in ${name}`)
  }
  await finish(store, [4])
  assert.equal(store.counts().backlogReports, 0)
})

test('a report that waits is kept with all that came after it, whatever its age', async (t) => {
  const { store, directory } = await opened(t, { historyDays: 1 })
  await finish(store, [0])
  assert.equal((await store.append([reportAt(1)])).kind, 'durable')
  await finish(store, [2])
  await store.expire(START_MS + 5 * DAY_MS)
  assert.deepEqual(await times(store), [2, 1])
  await store.close()
  const { store: again } = await opened(t, { historyDays: 1 }, directory)
  assert.equal(again.counts().backlogReports, 1)
})

test('the disk has not much more than the megabytes that history may have', async (t) => {
  const { store, directory } = await opened(t, { historyMegabytes: 3 })
  const folder = reportsDirectory(join(directory, 'store'))
  for (let round = 0; round < 4; round++) {
    await finish(
      store,
      Array.from({ length: 20 }, (_, nth) => round * 20 + nth),
      randomBytes(60_000).toString('base64'),
    )
    await store.expire(START_MS + 1)
    const names = await readdir(folder)
    const sizes = await Promise.all(
      names.map(async (name) => (await stat(join(folder, name)).catch(nothingIfGone))?.size ?? 0),
    )
    const total = sizes.reduce((sum, bytes) => sum + bytes, 0)
    assert.ok(total <= 4.3 * 1024 * 1024, `${total} bytes after round ${round}`)
  }
  const kept = await times(store)
  assert.ok(kept.length >= 35 && kept.length < 60, `${kept.length}`)
  assert.deepEqual(
    kept,
    Array.from({ length: kept.length }, (_, nth) => 79 - nth),
  )
})

function nothingIfGone(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}
