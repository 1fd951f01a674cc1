import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { Database } from '../../../src/store/embedded/database.ts'
import { fullMask, maskOf, OPEN_FROM, putMask } from '../../../src/store/embedded/journal.ts'
import { metaKey, numberKey, numberOfKey, PREFIX, wholePrefix } from '../../../src/store/embedded/keys.ts'
import { putNumbers, readNumbers } from '../../../src/store/embedded/meta.ts'
import { migrate, type Migration } from '../../../src/store/embedded/migrations.ts'
import { ReportBatch } from '../../../src/store/embedded/reports/report-batch.ts'
import { ReportLog, reportsDirectory } from '../../../src/store/embedded/reports/report-log.ts'
import { decodeRow } from '../../../src/store/embedded/row-value.ts'
import { seal, unseal } from '../../../src/store/embedded/sealed-value.ts'
import { openTrendReader } from '../../../src/store/embedded/trend-reader.ts'
import { WriteBatch } from '../../../src/store/embedded/write-batch.ts'
import type { HistoryQuery, Outcome } from '../../../src/store/store.ts'
import { encodeCounts } from '../../support/counting-trends.ts'
import { openStore, temporaryDirectory } from '../../support/embedded-store.ts'
import { reportAt, START_MS } from '../../support/store-reports.ts'
import { readRow } from '../../support/store-suite.ts'
import { atEnd } from '../../support/clean-up.ts'

async function openDatabase(t: TestContext): Promise<Database> {
  const database = await Database.open(join(await temporaryDirectory(t), 'store'))
  atEnd(t, () => database.close())
  return database
}

function put(name: string, value: number): Migration {
  return async (database) => {
    const batch = new WriteBatch()
    putNumbers(batch, metaKey(name), [value])
    await database.write(batch, true)
  }
}

test('a database of an old version is brought up to date once, step by step', async (t) => {
  const database = await openDatabase(t)
  assert.equal(await migrate(database, []), undefined)
  const order: string[] = []
  const first: Migration = async (of) => {
    order.push('first')
    await put('a', 1)(of)
  }
  const second: Migration = async (of) => {
    order.push('second')
    assert.deepEqual(readNumbers(of, metaKey('a')), [1])
    await put('a', 2)(of)
  }
  assert.equal(await migrate(database, [first]), 1)
  assert.equal(await migrate(database, [first, second]), 2)
  assert.equal(await migrate(database, [first, second]), undefined)
  assert.deepEqual(order, ['first', 'second'])
  assert.deepEqual(readNumbers(database, metaKey('a')), [2])
})

test('a migration that fails leaves the version before it', async (t) => {
  const database = await openDatabase(t)
  await migrate(database, [])
  const fails: Migration = () => Promise.reject(new Error('no'))
  await assert.rejects(migrate(database, [put('a', 1), fails]), /no/)
  assert.equal(await migrate(database, [put('a', 1), put('b', 2)]), 2)
  assert.deepEqual(readNumbers(database, metaKey('b')), [2])
})

/** Turns a database into one of the first version: flat indexes of history, and rows in their first form. */
async function toFirstVersion(directory: string): Promise<void> {
  await toOldVersion(directory, 1, async (batch, database) => {
    await stageOldReports(batch, { directory, database, prefix: 0x6a })
    // Old index entries: prefix, eight bytes of hash, complement of the id; their value had five bytes.
    stageOldIndex(batch, [0x6c, 0x61], (prefix, entry) =>
      Uint8Array.of(prefix, 1, 2, 3, 4, 5, 6, 7, 8, 255, 255, 255, 255, entry >> 8, entry),
    )
    for (const [key, value] of await database.scan({ ...wholePrefix(PREFIX.row), limit: 10_000 })) {
      const row = decodeRow(key, value)
      const content = new Uint8Array(8 + row.bytes.length)
      new DataView(content.buffer).setFloat64(0, row.expiresAtMs)
      content.set(row.bytes, 8)
      batch.put(key, seal(key, content))
    }
  })
}

/** Turns a database into one of the second version: segments and indexes by era among the other keys. */
async function toSecondVersion(directory: string): Promise<void> {
  await toOldVersion(directory, 2, async (batch, database) => {
    await stageOldReports(batch, { directory, database, prefix: 0x6a })
    // Index entries: prefix, era, hash, complement of the id in its era.
    stageOldIndex(batch, [0x69, 0x62], (prefix, entry) =>
      Uint8Array.of(prefix, 0, 0, 0, 0, 9, 9, 9, 9, 255, entry >> 8, entry),
    )
  })
}

/** Turns a database into one of the third version: segments and indexes at the ends of the order of keys. */
async function toThirdVersion(directory: string): Promise<void> {
  await toOldVersion(directory, 3, async (batch, database) => {
    await stageOldReports(batch, { directory, database, prefix: 0x01 })
    stageOldIndex(batch, [0xf0], (prefix, entry) =>
      Uint8Array.of(prefix, 255, 255, 255, 255, 9, 9, 9, 9, 255, entry >> 8, entry),
    )
  })
}

async function toOldVersion(
  directory: string,
  version: number,
  stage: (batch: WriteBatch, database: Database) => Promise<void>,
): Promise<void> {
  const database = await Database.open(join(directory, 'store'))
  const batch = new WriteBatch()
  await stage(batch, database)
  putNumbers(batch, metaKey('format'), [version])
  await database.write(batch, true)
  await database.close()
  await rm(reportsDirectory(join(directory, 'store')), { recursive: true })
}

/** Segments where old versions had them, and a mask for each that is not finished. */
async function stageOldReports(
  batch: WriteBatch,
  from: { readonly directory: string; readonly database: Database; readonly prefix: number },
): Promise<void> {
  const { directory, database, prefix } = from
  const log = await ReportLog.open(join(directory, 'store'), () => ({
    fileBytes: Infinity,
    fileMs: Infinity,
  }))
  const [openFrom = 0] = readNumbers(database, OPEN_FROM) ?? []
  for (const { file, index } of log.from(0)) {
    const segment = file.table.segmentAt(index)
    const stored = file.read(index)
    const key = numberKey(prefix, segment)
    batch.put(key, seal(key, stored))
    const maskKey = numberKey(PREFIX.open, segment)
    const sealed = database.get(maskKey)
    const mask = sealed === undefined ? undefined : maskOf(unseal(maskKey, sealed))
    if (mask === 0) batch.delete(maskKey)
    if (mask === undefined && segment >= openFrom) putMask(batch, segment, fullMask(stored[0] ?? 0))
  }
  putNumbers(batch, metaKey('next-segment'), [log.lastSegment + 1])
  putNumbers(batch, metaKey('history'), [300, 30_000])
  batch.delete(OPEN_FROM)
  await log.close()
}

function stageOldIndex(
  batch: WriteBatch,
  prefixes: readonly number[],
  key: (prefix: number, entry: number) => Uint8Array,
): void {
  for (const prefix of prefixes)
    for (let entry = 0; entry < 300; entry++) batch.put(key(prefix, entry), new Uint8Array(5))
}

const oldVersions = [
  { version: 1, make: toFirstVersion },
  { version: 2, make: toSecondVersion },
  { version: 3, make: toThirdVersion },
] as const

for (const { version, make } of oldVersions) {
  test(`a store of version ${version} keeps its history and its rows`, async (t) => {
    await keepsEverything(t, version, make)
  })
}

async function keepsEverything(
  t: TestContext,
  version: number,
  makeOld: (directory: string) => Promise<void>,
): Promise<void> {
  const directory = await temporaryDirectory(t)
  const first = await openStore(directory)
  const reports = Array.from({ length: 300 }, (_, index) =>
    reportAt(index * 1000, { login: `u${index % 7}`, remote: `10.0.0.${index % 5}`, text: `{"n":${index}}` }),
  )
  const ids: number[] = []
  for (let from = 0; from < reports.length; from += 50) {
    const outcome = await first.store.append(reports.slice(from, from + 50))
    if (outcome.kind === 'durable') ids.push(...outcome.reports.map(({ id }) => id))
  }
  const count = (by: number, ms: number): Outcome => ({
    kind: 'done',
    reportId: undefined,
    deltas: encodeCounts([{ database: 'd', key: 'k', by, atMs: START_MS + ms }]),
    messages: [],
    commit: undefined,
  })
  await first.store.commit([count(5, 0)])
  // The first 40 reports are finished, and every third one of the rest.
  const finished = ids.filter((_, index) => index < 40 || index % 3 === 0)
  await first.store.commit(
    finished.map((reportId) => ({ ...count(0, 0), reportId, deltas: encodeCounts([]) })),
  )
  const queries: readonly HistoryQuery[] = [
    { login: 'u3', limit: 1000 },
    { remote: '10.0.0.2', sinceMs: START_MS + 90_500, untilMs: START_MS + 200_000, limit: 1000 },
  ]
  const before = await Promise.all(queries.map((query) => first.store.history(query)))
  await first.store.close()
  await makeOld(directory)

  const { store, report } = await openStore(directory)
  atEnd(t, () => store.close())
  assert.equal(report.migratedFrom, version)
  assert.deepEqual(await Promise.all(queries.map((query) => store.history(query))), before)
  assert.ok((before[0]?.length ?? 0) > 40 && (before[1]?.length ?? 0) > 20)
  const open: number[] = []
  await store.subscribe((handed) => open.push(...handed.map(({ id }) => id)))
  assert.deepEqual(
    open,
    ids.filter((id) => !finished.includes(id)),
  )
  assert.equal(store.counts().historyReports, 300)
  await store.commit([count(2, 5000)])
  const reader = await openTrendReader({ ...store.readerAccess(), worker: 1 })
  assert.deepEqual(await readRow(reader, 'd', 'k'), { sum: 7, newestMs: START_MS + 5000 })
  await reader.close()
  await store.expire(START_MS + 15_000)
  assert.equal(store.counts().trendRows, 0)
  await store.close()
  await hasNoOldKeys(directory)
}

async function hasNoOldKeys(directory: string): Promise<void> {
  const database = await Database.open(join(directory, 'store'))
  for (const prefix of [0x01, 0x6a, 0x6c, 0x61, 0x69, 0x62, 0xf0])
    assert.deepEqual(await database.scan({ ...wholePrefix(prefix), limit: 1 }), [])
  await database.close()
}

test('a move of reports to files that was cut short is gone on with', async (t) => {
  await keepsEverything(t, 3, async (directory) => {
    await toThirdVersion(directory)
    // The crash came when some were in their file already, and none was removed from the database.
    const store = join(directory, 'store')
    const database = await Database.open(store)
    const log = await ReportLog.open(store, () => ({ fileBytes: Infinity, fileMs: Infinity }))
    const batch = new ReportBatch()
    for (const [key, sealed] of await database.scan({ ...wholePrefix(PREFIX.segment), limit: 5 }))
      batch.addStored(numberOfKey(key), unseal(key, sealed))
    await log.append(batch, true)
    await log.close()
    await database.close()
  })
})

test('what is salvaged from a damaged store of version 2 keeps its history', async (t) => {
  const directory = await temporaryDirectory(t)
  const first = await openStore(directory)
  for (let from = 0; from < 200; from += 50)
    await first.store.append(Array.from({ length: 50 }, (_, index) => reportAt((from + index) * 1000)))
  const query = { login: 'ann', limit: 1000 }
  const before = await first.store.history(query)
  assert.equal(before.length, 200)
  await first.store.close()
  await toSecondVersion(directory)
  await rm(join(directory, 'store', 'CURRENT'))
  const { store, report } = await openStore(directory, { recover: true })
  atEnd(t, () => store.close())
  assert.equal(report.salvage?.dropped, 0)
  assert.deepEqual(await store.history(query), before)
  assert.equal(store.counts().backlogReports, 200)
})

test('a database of a newer version is refused in words', async (t) => {
  const directory = await temporaryDirectory(t)
  const { store } = await openStore(directory)
  await store.close()
  const database = await Database.open(join(directory, 'store'))
  await put('format', 99)(database)
  await database.close()
  await assert.rejects(openStore(directory), {
    code: 'TRK_STORE_FORMAT',
    message: /version 99.*newer trackalert/,
  })
})
