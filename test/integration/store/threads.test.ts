import assert from 'node:assert/strict'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import type { EmbeddedStore } from '../../../src/store/embedded/embedded-store.ts'
import { openTrendReader } from '../../../src/store/embedded/trend-reader.ts'
import type { JournalledReport, Outcome } from '../../../src/store/store.ts'
import { decodeCount, encodeCounts } from '../../support/counting-trends.ts'
import { openStore, temporaryDirectory, temporaryStore } from '../../support/embedded-store.ts'
import { reportAt, START_MS } from '../../support/store-reports.ts'
import { textToBytes } from '../../support/text-bytes.ts'
import { atEnd } from '../../support/clean-up.ts'

function add(
  key: string,
  by: number,
  commit?: { readonly worker: number; readonly number: number },
): Outcome {
  const deltas = encodeCounts([{ database: 'd', key, by, atMs: START_MS }])
  return { kind: 'done', reportId: undefined, deltas, messages: [], commit }
}

function startReader(store: EmbeddedStore, worker: number): Worker {
  const access = store.readerAccess()
  return new Worker(new URL('../../support/reader-worker.ts', import.meta.url), {
    workerData: { ...access, worker },
    transferList: [access.port],
  })
}

test('readers may be terminated in the middle of reading, while commits go on', async (t) => {
  const { store } = await temporaryStore(t)
  let commits = 0
  for (let round = 0; round < 6; round++) {
    const workers = [startReader(store, round * 2), startReader(store, round * 2 + 1)]
    const reading = new Set(workers)
    for (const worker of workers) worker.once('message', () => reading.delete(worker))
    while (reading.size > 0) {
      await store.commit(Array.from({ length: 50 }, (_, key) => add(`k${key}`, 1)))
      commits++
    }
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
  const reader = await openTrendReader({ ...store.readerAccess(), worker: 100 })
  const view = await reader.openView()
  assert.equal(decodeCount(await view.readRow('d', textToBytes('k49')))?.sum, commits)
  view.close()
  await reader.close()
})

test('the store closes before its readers, and they go in any order', async (t) => {
  const directory = await temporaryDirectory(t)
  const { store } = await openStore(directory)
  const workers = [startReader(store, 1), startReader(store, 2)]
  await Promise.all(workers.map((worker) => once(worker, 'message')))
  const closed = store.close()
  await Promise.all(workers.map((worker) => worker.terminate()))
  await closed
  const again = await openStore(directory)
  await again.store.close()
})

test('a reader that does not let go holds the end of the store up for a few seconds, and is named', async (t) => {
  const directory = await temporaryDirectory(t)
  const seen: string[] = []
  const { store } = await openStore(directory, {}, seen)
  const reader = await openTrendReader({ ...store.readerAccess(), worker: 1 })
  await store.commit([add('k', 7)])
  const view = await reader.openView()
  const startedAtMs = performance.now()
  await store.close()
  assert.ok(performance.now() - startedAtMs < 20_000, 'a bound of seconds, and slack for a busy machine')
  assert.match(seen.at(-1) ?? '', /stays open until the process ends: .*a policy worker still reads from it/)
  // The database must not have been closed under the reader.
  assert.equal(decodeCount(await view.readRow('d', textToBytes('k')))?.sum, 7)
  view.close()
  await reader.close()
})

test('a lost store thread is replaced; what it had not answered is done once', async (t) => {
  const directory = await temporaryDirectory(t)
  const seen: string[] = []
  const exitMarker = join(directory, 'exited')
  const { store } = await openStore(directory, { trendSetup: { exitMarker } }, seen)
  atEnd(t, () => store.close())
  const handed: JournalledReport[] = []
  await store.subscribe((reports) => handed.push(...reports))
  await store.append([reportAt(0), reportAt(1)])
  const reader = await openTrendReader({ ...store.readerAccess(), worker: 3 })
  const [first, second] = handed
  assert.ok(first !== undefined && second !== undefined)
  await store.commit([{ ...add('k', 1), reportId: first.id }, add('k', 1, { worker: 3, number: 1 })])
  const results = await Promise.all([
    store.append([reportAt(2), reportAt(3)]),
    store.commit([add('k', 1e300, { worker: 3, number: 2 }), { ...add('k', 1), reportId: second.id }]),
    store.append([reportAt(4)]),
    store.history({ limit: 100 }),
  ])
  assert.deepEqual([results[0].kind, results[2].kind], ['durable', 'durable'])
  assert.equal(handed.length, 5)
  assert.deepEqual([store.counts().backlogReports, store.counts().historyReports], [3, 5])
  const view = await reader.openView()
  assert.equal(view.appliedCommit, 2)
  view.close()
  await reader.close()
  assert.match(seen.join('\n'), /^ready\nthe store thread was lost.*\nnot ready.*\nready$/)
})

test('a thread that replaces a lost one goes by the settings that were changed last', async (t) => {
  const directory = await temporaryDirectory(t)
  const seen: string[] = []
  const exitMarker = join(directory, 'exited')
  const { store } = await openStore(directory, {}, seen)
  atEnd(t, () => store.close())
  const trendSetup = { rangeMs: 100, maxKeys: 1_000_000, exitMarker }
  await store.reconfigure({
    durability: 'os',
    historyDays: 0,
    historyMegabytes: 0,
    alertHistoryDays: 90,
    trendSetup,
  })
  await store.commit([add('deadly', 1e300)])
  assert.match(seen.join('\n'), /the store thread was lost/)
  await store.commit([add('k', 1)])
  await store.expire(START_MS + 5_000)
  assert.equal(store.counts().trendRows, 0)
  const outcome = await store.append([reportAt(0)])
  assert.ok(outcome.kind === 'durable')
  const deltas = encodeCounts([])
  await store.commit([
    { kind: 'done', reportId: outcome.reports[0]?.id, deltas, messages: [], commit: undefined },
  ])
  assert.equal(store.counts().historyReports, 0)
})

test('changes that cannot be applied are lost with a word about it, and nothing else is', async (t) => {
  const directory = await temporaryDirectory(t)
  const seen: string[] = []
  const { store } = await openStore(directory, {}, seen)
  atEnd(t, () => store.close())
  await store.commit([add('good', 1), add('bad', NaN), add('other', 2)])
  assert.equal(store.counts().trendRows, 2)
  assert.match(seen.join('\n'), /trends were lost in database d: this change cannot be applied/)
})

test('unfinished reports come again after a restart, in order and before new ones', async (t) => {
  const directory = await temporaryDirectory(t)
  const first = await openStore(directory)
  for (let batch = 0; batch < 5; batch++) {
    await first.store.append(Array.from({ length: 50 }, (_, index) => reportAt(batch * 50 + index)))
  }
  const ids = (await first.store.history({ limit: 1000 })).map((entry) => entry.id).toReversed()
  const failed = ids[10] ?? 0
  const failure = { code: 'x', message: 'y', traceback: 'z' }
  await first.store.commit([{ kind: 'failed', reportId: failed, failure, atMs: START_MS }])
  await first.store.commit(ids.slice(0, 10).map((reportId) => ({ ...add('k', 1), reportId })))
  await first.store.rerunFailedReport(failed)
  await first.store.close()

  const { store } = await openStore(directory)
  atEnd(t, () => store.close())
  assert.equal(store.counts().backlogReports, 240)
  const handed: JournalledReport[] = []
  const appended = store.append([reportAt(9999)])
  await store.subscribe((reports) => handed.push(...reports))
  const outcome = await appended
  const newest = outcome.kind === 'durable' ? outcome.reports[0]?.id : undefined
  assert.deepEqual(
    handed.map((report) => report.id),
    [...ids.slice(10), newest],
  )
})

test('closing writes what was acknowledged from memory', async (t) => {
  const directory = await temporaryDirectory(t)
  const { store } = await openStore(directory, { durability: 'none' })
  const appends = Array.from({ length: 40 }, (_, index) =>
    store.append([reportAt(index, { text: JSON.stringify({ index, padding: 'x'.repeat(100_000) }) })]),
  )
  const outcomes = await Promise.all(appends)
  assert.ok(outcomes.every(({ kind }) => kind === 'durable'))
  const ids = outcomes.flatMap((outcome) => (outcome.kind === 'durable' ? outcome.reports : []))
  // Of reports that may not be written yet: one done, one failed.
  const failure = { code: 'x', message: 'y', traceback: 'z' }
  const [first, second] = ids
  assert.ok(first !== undefined && second !== undefined)
  await store.commit([
    { ...add('k', 1), reportId: first.id },
    { kind: 'failed', reportId: second.id, failure, atMs: START_MS },
  ])
  const last = store.append([reportAt(100)])
  assert.equal((await last).kind, 'durable')
  await store.close()
  const again = await openStore(directory)
  atEnd(t, () => again.store.close())
  const { historyReports, backlogReports, failedReports } = again.store.counts()
  assert.deepEqual([historyReports, backlogReports, failedReports], [41, 39, 1])
})

test('a hundred thousand unfinished reports come again in order, a portion at a time, each once', async (t) => {
  const directory = await temporaryDirectory(t)
  const { store } = await openStore(directory, { durability: 'os' })
  await store.subscribe(() => undefined)
  const total = 100_000
  const size = 2_000
  for (let from = 0; from < total; from += size) {
    const text = (n: number): string => JSON.stringify({ n, padding: 'x'.repeat(100) })
    const reports = Array.from({ length: size }, (_, index) =>
      reportAt(from + index, { text: text(from + index) }),
    )
    assert.equal((await store.append(reports)).kind, 'durable')
  }
  await store.close()

  const again = await openStore(directory)
  atEnd(t, () => again.store.close())
  assert.equal(again.store.counts().backlogReports, total)
  let next = 0
  let largestBytes = 0
  let portions = 0
  const appended = again.store.append([reportAt(0, { text: JSON.stringify({ n: total }) })])
  await again.store.subscribe((reports) => {
    portions++
    largestBytes = Math.max(
      largestBytes,
      reports.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    )
    for (const { text } of reports)
      assert.equal((JSON.parse(text) as { readonly n: number }).n, next++, 'the order of their arrival')
  })
  await appended
  assert.equal(next, total + 1)
  // A megabyte, and the segment with which it was reached.
  assert.ok(largestBytes < 1024 * 1024 + 64 * 1024 && portions > 10, `${portions}, ${largestBytes} bytes`)
})

test('messages that were handed out are due again after a restart, under their ids', async (t) => {
  const directory = await temporaryDirectory(t)
  const { store } = await openStore(directory)
  const message = { deliveryId: 'd1', receiver: 'hook', body: 'b', createdAtMs: 1 }
  await store.commit([{ ...add('k', 1), messages: [message] } as Outcome])
  const { entries } = await store.claimDue('hook', 5, 1)
  assert.equal(entries.length, 1)
  await store.close()
  const again = await openStore(directory)
  atEnd(t, () => again.store.close())
  assert.deepEqual((await again.store.claimDue('hook', 5, 1)).entries, entries)
})
