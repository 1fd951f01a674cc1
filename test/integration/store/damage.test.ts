import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { EmbeddedStore } from '../../../src/store/embedded/embedded-store.ts'
import { openTrendReader } from '../../../src/store/embedded/trend-reader.ts'
import type { JournalledReport, StoreCounts } from '../../../src/store/store.ts'
import { decodeCount } from '../../support/counting-trends.ts'
import type { FoundDamage } from '../../support/damaged-store-child.ts'
import { openStore, temporaryDirectory } from '../../support/embedded-store.ts'
import {
  fileOf,
  flip,
  harmed,
  reportsOf,
  size,
  writeBatch,
  writtenStore,
} from '../../support/harmed-store.ts'
import { START_MS } from '../../support/store-reports.ts'
import { textToBytes } from '../../support/text-bytes.ts'
import { atEnd } from '../../support/clean-up.ts'

test('a byte changed anywhere in a table stops the start', async (t) => {
  const original = await writtenStore(t)
  const table = await fileOf(original, /\.ldb$/)
  const sizeBytes = await size(table)
  const places = [
    0,
    1,
    sizeBytes - 1,
    sizeBytes - 9,
    sizeBytes - 20,
    sizeBytes - 40,
    sizeBytes - 48,
    sizeBytes - 60,
  ]
  for (let step = 0; step < 12; step++) places.push(Math.floor((sizeBytes * (step + 0.5)) / 12))
  const directory = await harmed(t, original, async () => undefined)
  const copied = await fileOf(directory, /\.ldb$/)
  for (const at of places) {
    await flip(copied, at)
    await assert.rejects(
      openStore(directory),
      { code: 'TRK_STORE_DAMAGED', message: /\.ldb.*--recover/ },
      `byte ${at}`,
    )
    await flip(copied, at)
  }
  const { store, report } = await openStore(directory)
  assert.equal(report.tornBytes, 0)
  await store.close()
})

test('a byte changed in the log stops the start, unless it is in the last write, which was then cut short', async (t) => {
  const original = await writtenStore(t)
  const log = await fileOf(original, /\.log$/)
  const sizeBytes = await size(log)
  let refused = 0
  for (let step = 0; step < 16; step++) {
    const at = Math.floor((sizeBytes * (step + 0.5)) / 16)
    const directory = await harmed(t, original, async (copy) => flip(await fileOf(copy, /\.log$/), at))
    try {
      const { store, report } = await openStore(directory)
      await store.close()
      assert.ok(report.tornBytes >= sizeBytes - at, `byte ${at} of ${sizeBytes}`)
    } catch (error) {
      assert.match(String(error), /the store is damaged.*\.log.*--recover/)
      refused++
    }
  }
  assert.ok(refused >= 14, `${refused} of 16 were refused`)
})

test('a log that ends anywhere opens with every whole write and without the last one; those reports run again', async (t) => {
  const original = await writtenStore(t)
  const sizeBytes = await size(await fileOf(original, /\.log$/))
  let before = Infinity
  for (const share of [1, 0.97, 0.6, 0.31, 0.05, 0]) {
    const directory = await harmed(t, original, async (copy) =>
      truncate(await fileOf(copy, /\.log$/), Math.floor(sizeBytes * share)),
    )
    const { store } = await openStore(directory)
    const { historyReports, trendRows, backlogReports } = store.counts()
    await store.close()
    assert.ok(trendRows % 90 === 0 && trendRows <= before && trendRows >= 450, `${trendRows}`)
    assert.deepEqual([historyReports, trendRows + backlogReports], [1500, 1500])
    before = trendRows
  }
  assert.equal(before, 450)
})

test('damage that is found after the start stops all changes and says in which file it is', async (t) => {
  const original = await writtenStore(t)
  const sizeBytes = await size(await fileOf(original, /\.ldb$/))
  let foundLater = 0
  for (let step = 0; step < 8; step++) {
    const at = Math.floor((sizeBytes * (step + 0.5)) / 8)
    const directory = await harmed(t, original, async (copy) => flip(await fileOf(copy, /\.ldb$/), at))
    const found = await damageFoundLater(directory)
    if (found !== undefined) {
      foundLater++
      assert.match(found.reason ?? '', /the store is damaged: .*\.ldb/, `byte ${at}`)
      assert.match(found.lastSeen ?? '', /not ready: the store is damaged/)
      assert.match(found.refused ?? '', /the store is damaged/)
      assert.equal(found.commit, 'TRK_STORE_DAMAGED')
    }
    await assert.rejects(openStore(directory), { code: 'TRK_STORE_DAMAGED', message: /\.ldb.*--recover/ })
  }
  assert.ok(foundLater >= 2, `${foundLater} of 8`)
})

/** What a process says that looks at tables beside its work; undefined when it came across the damage before that. */
async function damageFoundLater(directory: string): Promise<FoundDamage | undefined> {
  const child = spawn(process.execPath, [DAMAGED_CHILD, directory], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  await once(child, 'close')
  // LevelDB ended it in the middle of what it read; the next start looks at every table.
  if (child.signalCode !== null) return undefined
  assert.equal(child.exitCode, 0)
  const found = JSON.parse(output) as FoundDamage
  if (found.atStart === undefined) return found
  // It lies in what is read at the start anyway.
  assert.equal(found.atStart, 'TRK_STORE_DAMAGED')
  return undefined
}

const DAMAGED_CHILD = join(import.meta.dirname, '../../support/damaged-store-child.ts')
const RECOVERING_CHILD = join(import.meta.dirname, '../../support/recovering-child.ts')
const CHILD = join(import.meta.dirname, '../../support/store-child.ts')

/** A process that writes to the store until it is killed in the middle of its work. */
async function writeUntilKilled(directory: string, firstNumber: number): Promise<void> {
  const child = spawn(process.execPath, [CHILD, directory, String(firstNumber)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  while (!output.includes('\nc ')) {
    assert.equal(child.exitCode, null, 'the child ended')
    await once(child.stdout, 'data', { signal: AbortSignal.timeout(20_000) })
  }
  child.kill('SIGKILL')
  await once(child, 'close')
}

test('after kill -9 every table is checked before the store is opened, whatever the time for it', async (t) => {
  const directory = await temporaryDirectory(t)
  for (let round = 0; round < 3; round++) await writeUntilKilled(directory, round * 100_000)
  const { store } = await openStore(directory)
  for (let batch = 0; batch < 5; batch++) await writeBatch(store, 1_000_000 + batch * 100)
  await store.close()
  // The start writes what was in the log into a table; the killed process leaves more in the log.
  await writeUntilKilled(directory, 2_000_000)
  const before = await readdir(join(directory, 'store'))
  // The newest may be one that the killed process had not finished.
  for (const name of before.filter((each) => each.endsWith('.ldb'))) {
    const table = join(directory, 'store', name)
    await flip(table, Math.floor((await size(table)) / 2))
  }
  for (let start = 0; start < 2; start++) {
    await assert.rejects(openStore(directory, { checkMs: -1 }), {
      code: 'TRK_STORE_DAMAGED',
      message: /\.ldb: .*nothing was changed\..*--recover/,
    })
    assert.deepEqual(await readdir(join(directory, 'store')), before)
  }
  const recovered = await openStore(directory, { checkMs: -1, recover: true })
  atEnd(t, () => recovered.store.close())
  assert.match(recovered.report.salvage?.damage ?? '', /\.ldb/)
  assert.ok((recovered.report.salvage?.kept ?? 0) > 0)
  await writeBatch(recovered.store, 3_000_000)
})

test('after a close in order tables are checked beside the work, after kill -9 before it', async (t) => {
  const directory = await temporaryDirectory(t)
  await writeUntilKilled(directory, 0)
  for (const tablesToCheck of [0, 1]) {
    const { store, report } = await openStore(directory, { checkMs: -1 })
    assert.equal(report.tablesToCheck, tablesToCheck)
    await store.close()
  }
})

const harms: readonly (readonly [string, (directory: string) => Promise<unknown>])[] = [
  ['a MANIFEST with a changed byte', async (copy) => flip(await fileOf(copy, /^MANIFEST/), 9)],
  ['an empty MANIFEST', async (copy) => truncate(await fileOf(copy, /^MANIFEST/), 0)],
  ['a missing MANIFEST', async (copy) => rm(await fileOf(copy, /^MANIFEST/))],
  ['a CURRENT that names nothing', async (copy) => writeFile(await fileOf(copy, /^CURRENT$/), 'x')],
  ['a missing CURRENT', async (copy) => rm(await fileOf(copy, /^CURRENT$/))],
  ['a missing table', async (copy) => rm(await fileOf(copy, /\.ldb$/))],
  ['a table cut short', async (copy) => truncate(await fileOf(copy, /\.ldb$/), 1000)],
  ['a table that is a directory', async (copy) => replaceByDirectory(await fileOf(copy, /\.ldb$/))],
  ['a changed byte in a table', async (copy) => flip(await fileOf(copy, /\.ldb$/), 5000)],
  ['a changed byte in the log', async (copy) => flip(await fileOf(copy, /\.log$/), 50)],
  ['a changed byte in a file of reports', async (copy) => flip(await reportsOf(copy), 5000)],
  ['a file of reports that begins otherwise', async (copy) => flip(await reportsOf(copy), 0)],
  ['reports without a database', async (copy) => removeDatabase(copy)],
]

test('a recovery that was cut short is begun again, or ended', async (t) => {
  const directory = await harmed(t, await writtenStore(t), async (copy) => flip(await reportsOf(copy), 5000))
  // The crash came while the sound store was made.
  await mkdir(join(directory, 'store.salvaged'))
  await writeFile(join(directory, 'store.salvaged', 'CURRENT'), 'x')
  await assert.rejects(openStore(directory), { code: 'TRK_STORE_DAMAGED' })
  const { store } = await openStore(directory, { recover: true })
  const counts = store.counts()
  await store.close()
  // It came when the damaged one was out of the way, and the sound one not in its place.
  await rename(join(directory, 'store'), join(directory, 'store.salvaged'))
  const { store: again } = await openStore(directory)
  atEnd(t, () => again.close())
  assert.ok(counts.historyReports > 1000)
  assert.deepEqual(again.counts(), counts)
  assert.equal((await readdir(directory)).filter((name) => /salvage|repair/.test(name)).length, 0)
})

test('a recovery that finds no room for the sound store says so and changes nothing', async (t) => {
  const directory = await harmed(t, await writtenStore(t), async (copy) =>
    flip(await fileOf(copy, /\.ldb$/), 5000),
  )
  const before = [await readdir(directory), await readdir(join(directory, 'store'))]
  // The log has some 60 KiB.
  const limited = spawnSync(
    'bash',
    ['-c', `ulimit -f 32; exec "$0" "$1" "$2"`, process.execPath, RECOVERING_CHILD, directory],
    {
      encoding: 'utf8',
      timeout: 30_000,
    },
  )
  assert.match(
    limited.stdout,
    /store is damaged \(.*\.ldb: its block .*\), and what is intact of it cannot be taken over: EFBIG/,
  )
  assert.deepEqual([await readdir(directory), await readdir(join(directory, 'store'))], before)
  const { store, report } = await openStore(directory, { recover: true })
  atEnd(t, () => store.close())
  assert.ok((report.salvage?.kept ?? 0) > 1000)
})

async function removeDatabase(directory: string): Promise<void> {
  for (const name of await readdir(join(directory, 'store')))
    if (name !== 'reports') await rm(join(directory, 'store', name), { recursive: true })
}

async function replaceByDirectory(path: string): Promise<void> {
  await rm(path)
  await mkdir(path)
}

for (const [name, harm] of harms) {
  test(`${name}: a clear refusal that changes nothing; with recover it is set aside and the store starts`, async (t) => {
    const directory = await harmed(t, await writtenStore(t), harm)
    const before = await readdir(join(directory, 'store'))
    await assert.rejects(openStore(directory), { code: 'TRK_STORE_DAMAGED', message: /store.*--recover/ })
    assert.deepEqual(await readdir(join(directory, 'store')), before)

    const { store, report } = await openStore(directory, { recover: true })
    atEnd(t, () => store.close())
    assert.match(report.salvage?.setAside ?? '', /store\.damaged-20260921T141320Z$/)
    assert.deepEqual(await readdir(report.salvage?.setAside ?? ''), before)
    t.diagnostic(
      `${report.salvage?.kept} records kept, ${report.salvage?.dropped} dropped ${report.salvage?.failure ?? ''}`,
    )
    await assertConsistent(store)
  })
}

test('recovery from a changed byte anywhere in a table: what is taken over is right, and only a part is missing', async (t) => {
  await recoverFromEveryByte(t, /\.ldb$/, 24, ({ historyReports, trendRows }, dropped) => {
    assert.ok(historyReports === 1500 && dropped > 0)
    // A block has some 75 rows. 450 are in the table, and where its blocks are only its index says.
    assert.ok(trendRows >= 1350 - 80 || trendRows === 900, `${trendRows} rows`)
  })
})

test('recovery from a changed byte anywhere in the log: every report is counted or runs again, and none twice', async (t) => {
  await recoverFromEveryByte(t, /\.log$/, 12, ({ historyReports, trendRows, backlogReports }) => {
    assert.deepEqual([historyReports, trendRows + backlogReports], [1500, 1500])
    assert.ok(trendRows >= 1350 - 90, `${trendRows} rows`)
  })
})

async function recoverFromEveryByte(
  t: TestContext,
  pattern: RegExp,
  places: number,
  check: (counts: StoreCounts, dropped: number) => void,
): Promise<void> {
  const original = await writtenStore(t)
  const sizeBytes = await size(await fileOf(original, pattern))
  for (let place = 0; place < places; place++) {
    const at = Math.floor((sizeBytes * (place + 0.5)) / places)
    const directory = await harmed(t, original, async (copy) => flip(await fileOf(copy, pattern), at))
    const { store, report } = await openStore(directory, { recover: true })
    try {
      t.diagnostic(`byte ${at}: ${report.salvage?.kept} kept, ${report.salvage?.dropped} dropped`)
      check(store.counts(), report.salvage?.dropped ?? 0)
      await assertConsistent(store)
    } finally {
      await store.close()
    }
  }
}

/** Whatever was taken over is right, and the store works. */
async function assertConsistent(store: EmbeddedStore): Promise<void> {
  const open: JournalledReport[] = []
  await store.subscribe((reports) => open.push(...reports))
  const history = await store.history({ limit: 10_000 })
  assert.equal(history.length, store.counts().historyReports)
  const byLogin = await store.history({ login: 'u7', limit: 10_000 })
  assert.ok(byLogin.every((entry) => (JSON.parse(entry.text) as { readonly n: number }).n % 100 === 7))
  const expected = history.filter((entry) => (JSON.parse(entry.text) as { readonly n: number }).n % 100 === 7)
  assert.deepEqual(byLogin, expected)
  const reader = await openTrendReader({ ...store.readerAccess(), worker: 1 })
  const view = await reader.openView()
  let rows = 0
  for (let key = 0; key < 1500; key++) {
    const row = decodeCount(await view.readRow('d', textToBytes(`k${key}`)))
    if (row !== undefined) rows++
    assert.ok(row === undefined || row.sum === 1)
  }
  assert.equal(rows, store.counts().trendRows)
  view.close()
  await reader.close()
  await writeBatch(store, 5000)
  assert.equal((await store.history({ login: 'u7', limit: 1 }))[0]?.receivedAtMs, START_MS + 5007)
}
