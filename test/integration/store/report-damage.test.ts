import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdir, readFile, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { EmbeddedStore } from '../../../src/store/embedded/embedded-store.ts'
import { RECORD_HEAD_BYTES } from '../../../src/store/embedded/reports/record.ts'
import { reportsDirectory } from '../../../src/store/embedded/reports/report-log.ts'
import { scanRecords } from '../../../src/store/embedded/reports/scan-records.ts'
import type { HistoryEntry, Outcome } from '../../../src/store/store.ts'
import { atEnd } from '../../support/clean-up.ts'
import { encodeCounts } from '../../support/counting-trends.ts'
import { openStore, temporaryDirectory } from '../../support/embedded-store.ts'
import { flip, harmed, reportsOf, size, writeBatch, writtenStore } from '../../support/harmed-store.ts'
import { reportAt } from '../../support/store-reports.ts'

test('a byte changed in a file of reports stops the start, unless it is in the last write', async (t) => {
  const original = await writtenStore(t)
  const { sizeBytes, filled } = await bytesOf(original)
  let refused = 0
  for (let step = 0; step < 16; step++) {
    const at = filled[Math.floor((filled.length * (step + 0.5)) / 16)] ?? 0
    const directory = await harmed(t, original, async (copy) => flip(await reportsOf(copy), at))
    try {
      const { store, report } = await openStore(directory)
      const { historyReports, backlogReports, trendRows } = store.counts()
      await store.close()
      assert.ok(report.tornBytes >= sizeBytes - at, `byte ${at} of ${sizeBytes}`)
      // Nothing of the last batch can be told from what was never acknowledged.
      assert.ok(historyReports >= 1400 && backlogReports + trendRows <= 1500)
    } catch (error) {
      assert.match(String(error), /the store is damaged.*\.reports: the record at byte \d+ .*--recover/)
      refused++
    }
  }
  assert.ok(refused >= 14 && refused < 16, `${refused} of 16 were refused`)
})

test('a byte changed in the room that a segment does not fill changes nothing', async (t) => {
  const original = await writtenStore(t)
  const { spare } = await bytesOf(original)
  assert.ok(spare.length > 0)
  for (const at of [spare[0] ?? 0, spare.at(-1) ?? 0]) {
    const directory = await harmed(t, original, async (copy) => flip(await reportsOf(copy), at))
    const { store, report } = await openStore(directory)
    atEnd(t, () => store.close())
    assert.equal(report.tornBytes, 0)
    assert.equal(store.counts().historyReports, 1500)
  }
})

test('a file of reports that ends anywhere opens with every whole record', async (t) => {
  const original = await writtenStore(t)
  const sizeBytes = await size(await reportsOf(original))
  let before = Infinity
  for (const share of [1, 0.97, 0.6, 0.31, 0.05, 0]) {
    const directory = await harmed(t, original, async (copy) =>
      truncate(await reportsOf(copy), Math.floor(sizeBytes * share)),
    )
    const { store } = await openStore(directory)
    atEnd(t, () => store.close())
    const { historyReports } = store.counts()
    assert.ok(historyReports <= before && historyReports <= 1500 * share, `${historyReports}`)
    before = historyReports
    // What is lost was run before, and its numbers are not given again.
    await writeBatch(store, 5000)
    assert.equal(store.counts().historyReports, historyReports + 100)
    assert.equal(store.counts().trendRows, 1350 + 90)
    const unfinished = await append50(store)
    await store.close()
    const again = await openStore(directory)
    atEnd(t, () => again.store.close())
    assert.equal(again.store.counts().backlogReports, unfinished)
  }
  assert.equal(before, 0)
})

/** Places in its file of reports: which bytes say something, and which are only kept free. */
async function bytesOf(directory: string): Promise<{
  readonly sizeBytes: number
  readonly filled: readonly number[]
  readonly spare: readonly number[]
}> {
  const file = await readFile(await reportsOf(directory))
  const spare: number[] = []
  for (const { at, head } of scanRecords(file)) {
    const end = at + RECORD_HEAD_BYTES + head.sizeBytes
    for (let nth = head.sizeBytes; nth < head.roomBytes; nth++) spare.push(end + nth - head.sizeBytes)
  }
  const isSpare = new Set(spare)
  const filled = Array.from(file.keys()).filter((at) => !isSpare.has(at))
  return { sizeBytes: file.length, filled, spare }
}

/** Appends fifty more that are not finished; how many are unfinished then. */
async function append50(store: EmbeddedStore): Promise<number> {
  const before = store.counts().backlogReports
  const outcome = await store.append(Array.from({ length: 50 }, (_, nth) => reportAt(6000 + nth)))
  assert.equal(outcome.kind, 'durable')
  return before + 50
}

/** A store with several full files of reports; the texts of all of them. */
async function storeWithFullFiles(t: TestContext, isFinished: boolean): Promise<string> {
  const directory = await temporaryDirectory(t)
  const { store } = await openStore(directory, { historyMegabytes: 64 })
  for (let from = 0; from < 60; from += 10) {
    const reports = Array.from({ length: 10 }, (_, nth) =>
      reportAt(from + nth, { login: `u${from + nth}`, text: randomBytes(50_000).toString('hex') }),
    )
    const outcome = await store.append(reports)
    assert.ok(outcome.kind === 'durable')
    const done = (reportId: number | undefined): Outcome => ({
      kind: 'done',
      reportId,
      deltas: encodeCounts([]),
      messages: [],
      commit: undefined,
    })
    if (isFinished) await store.commit(outcome.reports.map(({ id }) => done(id)))
  }
  await store.close()
  return directory
}

const fullFile = async (directory: string): Promise<string> => {
  const [first = ''] = (await readdir(reportsDirectory(join(directory, 'store'))))
    .filter((name) => name.endsWith('.reports'))
    .toSorted()
  return join(reportsDirectory(join(directory, 'store')), first)
}

test('damage in a full file of reports is found at the start if there is time, else when it is read or beside the work', async (t) => {
  const directory = await storeWithFullFiles(t, true)
  const file = await fullFile(directory)
  await flip(file, 400_000)
  await assert.rejects(openStore(directory), {
    code: 'TRK_STORE_DAMAGED',
    message: /\.reports: the record at byte \d+ .*--recover/,
  })
  const seen: string[] = []
  const { store } = await openStore(directory, { checkMs: -1 }, seen)
  atEnd(t, () => store.close())
  await assert.rejects(readAll(store), {
    code: 'TRK_STORE_DAMAGED',
    message: /\.reports: the record at byte \d+/,
  })
  assert.match(seen.at(-1) ?? '', /not ready: the store is damaged: .*\.reports/)
  await store.close()
  // Nobody reads it this time.
  const later: string[] = []
  const again = await openStore(directory, { checkMs: -1 }, later)
  atEnd(t, () => again.store.close())
  const endMs = performance.now() + 20_000
  while (!/not ready: the store is damaged: .*\.reports/.test(later.at(-1) ?? '')) {
    assert.ok(performance.now() < endMs, `it was not found: ${later.join('\n')}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
})

async function readAll(store: EmbeddedStore): Promise<readonly HistoryEntry[]> {
  return await store.history({ limit: 10_000 })
}

test('what was finished when a file of reports was damaged is not run again', async (t) => {
  const directory = await storeWithFullFiles(t, true)
  await flip(await fullFile(directory), 400_000)
  const { store } = await openStore(directory, { recover: true })
  atEnd(t, () => store.close())
  assert.equal(store.counts().historyReports, 59)
  assert.equal(store.counts().backlogReports, 0)
})

test('what is intact of a damaged file of reports is taken over, with what was unfinished', async (t) => {
  const directory = await storeWithFullFiles(t, false)
  await flip(await fullFile(directory), 400_000)
  await assert.rejects(openStore(directory, { checkMs: -1 }), {
    code: 'TRK_STORE_DAMAGED',
    message: /\.reports: the record at byte \d+ .*--recover/,
  })
  const { store, report } = await openStore(directory, { checkMs: -1, recover: true })
  atEnd(t, () => store.close())
  const history = await readAll(store)
  assert.ok(history.length >= 55 && history.length < 60, `${history.length}`)
  assert.equal(store.counts().backlogReports, history.length)
  assert.ok((report.salvage?.dropped ?? 0) <= 1)
  const open: number[] = []
  await store.subscribe((reports) => open.push(...reports.map(({ id }) => id)))
  assert.deepEqual(open, history.map(({ id }) => id).toReversed())
})
