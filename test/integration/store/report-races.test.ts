import assert from 'node:assert/strict'
import { closeSync, readdirSync, readlinkSync } from 'node:fs'
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { test, type TestContext } from 'node:test'
import { BinaryReader } from '../../../src/store/embedded/binary-reader.ts'
import { BinaryWriter } from '../../../src/store/embedded/binary-writer.ts'
import { History } from '../../../src/store/embedded/history.ts'
import { numberKey, PREFIX, SLOTS } from '../../../src/store/embedded/keys.ts'
import { encodeErasing, ERASING_FILE } from '../../../src/store/embedded/reports/erasing.ts'
import { FileHandles } from '../../../src/store/embedded/reports/file-handles.ts'
import { readHead, RECORD_HEAD_BYTES } from '../../../src/store/embedded/reports/record.ts'
import { ReportFile } from '../../../src/store/embedded/reports/report-file.ts'
import {
  type FileLimits,
  ReportLog,
  reportsDirectory,
} from '../../../src/store/embedded/reports/report-log.ts'
import { FILE_HEAD } from '../../../src/store/embedded/reports/scan-records.ts'
import { seal, unseal } from '../../../src/store/embedded/sealed-value.ts'
import { eraseSlots } from '../../../src/store/embedded/segment.ts'
import { atEnd } from '../../support/clean-up.ts'
import { openStore, temporaryDirectory } from '../../support/embedded-store.ts'
import { batchOf } from '../../support/report-files.ts'
import { reportAt, START_MS } from '../../support/store-reports.ts'

const ONE_FILE: FileLimits = { fileBytes: Infinity, fileMs: Infinity }

async function opened(t: TestContext, directory: string, limits = ONE_FILE): Promise<ReportLog> {
  const log = await ReportLog.open(directory, () => limits)
  atEnd(t, () => log.close())
  return log
}

const append = (log: ReportLog, segment: number): Promise<void> =>
  log.append(batchOf(segment, [[reportAt(segment)]]), true)

const segmentsOf = (log: ReportLog): readonly number[] =>
  [...log.from(0)].map(({ file, index }) => file.table.segmentAt(index))

const namesIn = async (directory: string): Promise<readonly string[]> =>
  (await readdir(reportsDirectory(directory))).toSorted()

const hashOf = (text: string): number => new BinaryReader(new BinaryWriter().text(text).copy()).textHash()

test('reports that are appended while retention removes all others stay', async (t) => {
  const directory = await temporaryDirectory(t)
  let log = await opened(t, directory)
  for (let segment = 1; segment < 60; segment += 2) {
    await append(log, segment)
    // Before the disk has the next one, and after; everything that is known before it may go.
    const first = append(log, segment + 1)
    await log.removeBefore(segment + 1)
    await first
    assert.ok(segmentsOf(log).includes(segment + 1), `segment ${segment + 1} is gone`)
  }
  await append(log, 61)
  const removing = log.removeBefore(62)
  await Promise.all([append(log, 62), removing])
  assert.deepEqual(segmentsOf(log), [62])
  await log.close()
  log = await opened(t, directory)
  assert.deepEqual(segmentsOf(log), [62])
})

/** Takes a file away from under those who write to it: from now on the system refuses. */
function closeUnder(path: string): void {
  for (const name of readdirSync('/proc/self/fd')) {
    try {
      if (readlinkSync(join('/proc/self/fd', name)) === path) closeSync(Number(name))
    } catch {
      // The handle of this very listing.
    }
  }
}

test(
  'a file whose end cannot be cut off is not passed over',
  { skip: process.platform !== 'linux' },
  async (t) => {
    const directory = await temporaryDirectory(t)
    const log = await ReportLog.open(directory, () => ONE_FILE)
    await append(log, 1)
    const [name = ''] = await namesIn(directory)
    closeUnder(join(reportsDirectory(directory), name))
    await assert.rejects(append(log, 2), { code: 'EBADF' })
    for (let attempt = 0; attempt < 2; attempt++) await assert.rejects(log.startNewFile(), { code: 'EBADF' })
    await assert.rejects(append(log, 3), { code: 'TRK_STORE_FAILED' })
    assert.deepEqual(await namesIn(directory), [name])
  },
)

test('a search goes on when a file is removed whose index is being made', async (t) => {
  const directory = await temporaryDirectory(t)
  let log = await opened(t, directory)
  const one = [reportAt(0, { login: 'user' })]
  await log.append(
    batchOf(
      1,
      Array.from({ length: 8000 }, () => one),
    ),
    true,
  )
  await log.startNewFile()
  await log.append(batchOf(8001, [one]), true)
  await log.close()
  for (const name of await namesIn(directory))
    if (name.endsWith('.index')) await rm(join(reportsDirectory(directory), name))
  log = await opened(t, directory)
  const search = log.find('login', hashOf('user'))
  assert.deepEqual(await search.next(), { value: { id: 8001 * SLOTS, success: true }, done: false })
  const next = search.next()
  await log.removeBefore(8001)
  assert.deepEqual(await next, { value: undefined, done: true })
})

test('an index that could not be made is made when it is asked for again', async (t) => {
  const directory = await temporaryDirectory(t)
  const log = await opened(t, directory)
  await log.append(batchOf(1, [[reportAt(0, { login: 'user' })]]), true)
  await log.close()
  const path = join(reportsDirectory(directory), '000000000000001.reports')
  const handles = new FileHandles()
  t.after(() => handles.close())
  const file = new ReportFile({ path, firstSegment: 1, handles })
  file.load(handles.sizeBytes(path))
  handles.forget(path)
  await rename(path, `${path}.away`)
  const find = (): Promise<unknown> => file.find('login', hashOf('user')).next()
  await assert.rejects(find(), { code: 'ENOENT' })
  await rename(`${path}.away`, path)
  assert.deepEqual(await find(), { value: { index: 0, slot: 0, success: true }, done: false })
})

test('an index that is made while reports are erased does not name them', async (t) => {
  const directory = await temporaryDirectory(t)
  const log = await opened(t, directory)
  await log.append(batchOf(1, [[reportAt(0, { login: 'user' }), reportAt(1, { login: 'other' })]]), true)
  await log.startNewFile()
  const ids = async (): Promise<number[]> => {
    const found: number[] = []
    for await (const { id } of log.find('login', hashOf('user'))) found.push(id)
    return found
  }
  assert.deepEqual(await ids(), [SLOTS])
  const erasing = log.erase(new Map([[1, new Set([0])]]))
  for (let looks = 0; looks < 200; looks++) {
    await ids()
    await turn()
  }
  assert.equal(await erasing, 1)
  assert.deepEqual(await ids(), [])
  assert.equal(log.kept.reports, 1)
})

test('a store whose power went while reports were erased starts, and ends that', async (t) => {
  const directory = await temporaryDirectory(t)
  const { store } = await openStore(directory)
  await store.append(Array.from({ length: 40 }, (_, nth) => reportAt(nth, { login: `user${nth % 2}` })))
  await store.append([reportAt(40)])
  await store.close()
  const folder = reportsDirectory(join(directory, 'store'))
  const path = join(folder, '000000000000001.reports')
  const bytes = await readFile(path)
  const at = FILE_HEAD.length
  const head = readHead(bytes, at) ?? assert.fail('there is no record')
  const key = numberKey(PREFIX.segment, head.segment)
  const from = at + RECORD_HEAD_BYTES
  const rest = eraseSlots(unseal(key, bytes.subarray(from, from + head.sizeBytes)), new Set([0, 2]))
  const record = { fileName: basename(path), at, head, sealed: seal(key, rest) }
  await writeFile(join(folder, ERASING_FILE), encodeErasing([record]))
  await writeFile(path, bytes.fill(0, from + 10, from + 20))
  const { store: again, report } = await openStore(directory)
  atEnd(t, () => again.close())
  assert.equal(report.tornBytes, 0)
  assert.equal(again.counts().backlogReports, 41)
  assert.equal((await again.history({ login: 'user0', limit: 100 })).length, 18)
})

test('a login can be erased from among reports that are alike, and from part of a segment', async (t) => {
  const log = await opened(t, await temporaryDirectory(t))
  // A linear congruence, so that every run takes the same ones.
  let state = 7
  const next = (below: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return Math.floor((state / 2_147_483_648) * below)
  }
  const text = '{"protocol":"imap","pwhash":"1234","device_id":"","policy_reject":false}'
  const erased = new Map<number, ReadonlySet<number>>()
  for (let segment = 1; segment <= 3000; segment++) {
    const logins = 1 + next(8)
    const stepMs = next(2)
    const reports = Array.from({ length: 16 + next(17) }, (_, nth) =>
      reportAt(nth * stepMs, { login: `u${next(logins)}`, text }),
    )
    await log.append(batchOf(segment, [reports]), false)
    const end = next(2) === 0 ? reports.length : 1 + next(reports.length)
    const gone = new Set(reports.keys().filter((nth) => nth < end && reports[nth]?.login === 'u0'))
    if (gone.size > 0) erased.set(segment, gone)
  }
  await log.erase(erased)
})

test('a search through many reports of a login lets others pass, also where none is wanted', async (t) => {
  const log = await opened(t, await temporaryDirectory(t))
  const full = Array.from({ length: SLOTS }, () => reportAt(0))
  await log.append(
    batchOf(
      1,
      Array.from({ length: 500 }, () => full),
    ),
    false,
  )
  const database = (): never => assert.fail('the database is not needed')
  const history = new History({ database, reports: () => log, keepMs: 1, keepBytes: 1 })
  let turns = 0
  const count = (): void => {
    turns++
    counting = setImmediate(count)
  }
  let counting = setImmediate(count)
  t.after(() => clearImmediate(counting))
  assert.deepEqual(await history.query({ login: 'ann', sinceMs: START_MS + 1, limit: 10 }), [])
  assert.ok(turns >= 5, `${turns}`)
})
