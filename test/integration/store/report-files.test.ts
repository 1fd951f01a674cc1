import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { randomBytes } from 'node:crypto'
import { appendFile, cp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { SLOTS } from '../../../src/store/embedded/keys.ts'
import {
  encodeErasing,
  type ErasedRecord,
  ERASING_FILE,
} from '../../../src/store/embedded/reports/erasing.ts'
import { readHead, RECORD_HEAD_BYTES } from '../../../src/store/embedded/reports/record.ts'
import {
  type FileLimits,
  ReportLog,
  reportsDirectory,
} from '../../../src/store/embedded/reports/report-log.ts'
import { readSegment } from '../../../src/store/embedded/segment.ts'
import { BinaryReader } from '../../../src/store/embedded/binary-reader.ts'
import { BinaryWriter } from '../../../src/store/embedded/binary-writer.ts'
import type { ReportToAppend } from '../../../src/store/store.ts'
import { temporaryDirectory } from '../../support/embedded-store.ts'
import { batchOf } from '../../support/report-files.ts'
import { reportAt, START_MS } from '../../support/store-reports.ts'
import { atEnd } from '../../support/clean-up.ts'

const SMALL: FileLimits = { fileBytes: 8 * 1024, fileMs: Infinity }
const MINUTE_MS = 60_000

async function opened(t: TestContext, directory: string, limits = SMALL): Promise<ReportLog> {
  const log = await ReportLog.open(directory, () => limits)
  atEnd(t, () => log.close())
  return log
}

/** The report of this number: one of nine people from one of five addresses. */
function reportOf(number: number): ReportToAppend {
  return reportAt(number, {
    login: `user${number % 9}`,
    remote: `192.0.2.${number % 5}`,
    success: number % 2 === 0,
    text: `{"number":${number}}`,
  })
}

/** Appends segments of six reports each, two of them with each batch; report n is in slot n % 6 of segment 1 + n / 6. */
async function fill(log: ReportLog, from: number, until: number): Promise<void> {
  for (let number = from; number < until; number += 12) {
    const six = (first: number): ReportToAppend[] =>
      Array.from({ length: 6 }, (_, nth) => reportOf(first + nth))
    await log.append(batchOf(1 + number / 6, [six(number), six(number + 6)]), true)
  }
}

const idOf = (number: number): number => (1 + Math.floor(number / 6)) * SLOTS + (number % 6)
const slotsOf = (numbers: readonly number[]): ReadonlyMap<number, ReadonlySet<number>> =>
  new Map(
    numbers.map((number) => {
      const segment = Math.floor(idOf(number) / SLOTS)
      return [
        segment,
        new Set(
          numbers.filter((other) => Math.floor(idOf(other) / SLOTS) === segment).map((other) => other % 6),
        ),
      ]
    }),
  )

function hashOf(text: string): number {
  return new BinaryReader(new BinaryWriter().text(text).copy()).textHash()
}

/** That reports 0 to `count` are there but for those that were erased, and are found by login and address. */
async function assertHolds(
  log: ReportLog,
  count: number,
  erased: ReadonlySet<number> = new Set(),
  isHidden: (id: number) => boolean = () => false,
): Promise<void> {
  const numbers = Array.from({ length: count }, (_, number) => number).filter((number) => !erased.has(number))
  const texts: string[] = []
  for (const { file, index } of log.from(0))
    texts.push(...readSegment(file.read(index)).map(({ text }) => text))
  assert.deepEqual(
    texts,
    numbers.map((number) => reportOf(number).text),
  )
  const back = [...log.backTo(0)].map(({ file, index }) => file.table.segmentAt(index))
  assert.deepEqual(back, [...log.from(0)].map(({ file, index }) => file.table.segmentAt(index)).toReversed())
  for (const kind of ['login', 'address'] as const) {
    for (const text of new Set(numbers.map((number) => of(kind, number)))) {
      const found: { readonly id: number; readonly success: boolean }[] = []
      for await (const each of log.find(kind, hashOf(text))) if (!isHidden(each.id)) found.push(each)
      const expected = numbers.filter((number) => of(kind, number) === text).toReversed()
      assert.deepEqual(
        found,
        expected.map((number) => ({ id: idOf(number), success: number % 2 === 0 })),
      )
    }
  }
  assert.equal(log.kept.reports, numbers.length)
}

function of(kind: 'login' | 'address', number: number): string {
  const { login, remote } = reportOf(number)
  return kind === 'login' ? login : remote
}

const namesIn = async (directory: string, ending: string): Promise<readonly string[]> =>
  (await readdir(reportsDirectory(directory))).filter((name) => name.endsWith(ending)).toSorted()

/** Changes a byte of every file with this ending. */
async function flipIn(directory: string, ending: string, share: number): Promise<void> {
  for (const name of await namesIn(directory, ending)) {
    const path = join(reportsDirectory(directory), name)
    const bytes = await readFile(path)
    const at = Math.floor(bytes.length * share)
    bytes[at] = (bytes[at] ?? 0) ^ 0x10
    await writeFile(path, bytes)
  }
}

test('reports in many files are found as a plain search would, at once and after every start', async (t) => {
  const directory = await temporaryDirectory(t)
  let log = await opened(t, directory)
  await fill(log, 0, 1200)
  await assertHolds(log, 1200)
  await log.close()
  assert.ok((await namesIn(directory, '.reports')).length > 5)
  log = await opened(t, directory)
  await assertHolds(log, 1200)
  await fill(log, 1200, 1800)
  await assertHolds(log, 1800)
})

const harms: readonly (readonly [string, (directory: string) => Promise<unknown>])[] = [
  [
    'missing',
    async (directory) => {
      for (const name of await namesIn(directory, '.index')) await rm(join(reportsDirectory(directory), name))
    },
  ],
  ['changed in its mark', (directory) => flipIn(directory, '.index', 0)],
  ['changed in its head', (directory) => flipIn(directory, '.index', 0.002)],
  ['changed in a page by login', (directory) => flipIn(directory, '.index', 0.3)],
  ['changed in a page by address', (directory) => flipIn(directory, '.index', 0.8)],
  [
    'cut short',
    async (directory) => {
      for (const name of await namesIn(directory, '.index'))
        await truncate(join(reportsDirectory(directory), name), 5000)
    },
  ],
]

for (const [harm, make] of harms) {
  test(`an index that is ${harm} is made anew, and answers are right meanwhile`, async (t) => {
    const directory = await temporaryDirectory(t)
    const first = await opened(t, directory)
    await fill(first, 0, 600)
    await assertHolds(first, 600)
    await first.close()
    assert.ok((await namesIn(directory, '.index')).length > 1)
    await make(directory)
    const log = await opened(t, directory)
    await assertHolds(log, 600)
    await log.close()
    const again = await opened(t, directory)
    await assertHolds(again, 600)
  })
}

test('erased reports are gone from their files and indexes, and their neighbours stay', async (t) => {
  const directory = await temporaryDirectory(t)
  let log = await opened(t, directory)
  await fill(log, 0, 600)
  // In full files and in the one that grows.
  const numbers = [3, 4, 5, 100, 596, 599]
  assert.equal(await log.erase(slotsOf(numbers)), 6)
  assert.equal(await log.erase(slotsOf(numbers)), 0)
  // Those in the file that grows are still in its index.
  const hidden = new Set([idOf(596), idOf(599)])
  await assertHolds(log, 600, new Set(numbers), (id) => hidden.has(id))
  await fill(log, 600, 1200)
  await assertHolds(log, 1200, new Set(numbers))
  await log.close()
  for (const name of await namesIn(directory, '.reports')) {
    const bytes = await readFile(join(reportsDirectory(directory), name))
    for (const number of numbers)
      assert.ok(!bytes.includes(`{"number":${number}}`), `${number} is still in ${name}`)
  }
  log = await opened(t, directory)
  await assertHolds(log, 1200, new Set(numbers))
})

test('of a segment that was compressed any reports can be erased', async (t) => {
  const log = await opened(t, await temporaryDirectory(t), { fileBytes: Infinity, fileMs: Infinity })
  for (let round = 0; round < 40; round++) {
    const reports = Array.from({ length: 1 + (round % 32) }, (_, nth) =>
      // What cannot be compressed, what can, and both.
      reportAt(nth, {
        text: round % 3 === 0 ? 'x'.repeat(nth * 9) : randomBytes((nth * round) % 60).toString('latin1'),
      }),
    )
    await log.append(batchOf(round + 1, [reports]), true)
    const gone = new Set(reports.map((_, nth) => nth).filter((nth) => (nth * 7 + round) % 3 !== 0))
    assert.equal(await log.erase(new Map([[round + 1, gone]])), gone.size)
    const left = readSegment(log.read(round + 1) ?? assert.fail('the segment is gone'))
    assert.deepEqual(
      left.map(({ slot, text }) => [slot, text]),
      reports.map(({ text }, nth) => [nth, text]).filter(([nth]) => !gone.has(Number(nth))),
    )
  }
})

/** The record of a segment as a file has it. */
async function recordIn(directory: string, segment: number): Promise<ErasedRecord> {
  for (const fileName of await namesIn(directory, '.reports')) {
    const bytes = await readFile(join(reportsDirectory(directory), fileName))
    for (let at = bytes.indexOf('TRKr'); at !== -1; at = bytes.indexOf('TRKr', at + 1)) {
      const head = readHead(bytes, at)
      if (head?.segment !== segment) continue
      const from = at + RECORD_HEAD_BYTES
      return { fileName, at, head, sealed: bytes.subarray(from, from + head.sizeBytes) }
    }
  }
  assert.fail(`segment ${segment} is in no file`)
}

test('a crash while reports are erased leaves all of them or none', async (t) => {
  const before = await temporaryDirectory(t)
  const first = await opened(t, before)
  await fill(first, 0, 600)
  await first.close()
  const after = await temporaryDirectory(t)
  await cp(before, after, { recursive: true })
  const second = await opened(t, after)
  const numbers = [7, 8, 595]
  assert.equal(await second.erase(slotsOf(numbers)), 3)
  await second.close()
  const records = await Promise.all([2, 100].map((segment) => recordIn(after, segment)))
  const erasing = encodeErasing(records)

  // The power went while the first of the places was overwritten.
  const torn = await temporaryDirectory(t)
  await cp(before, torn, { recursive: true })
  await writeFile(join(reportsDirectory(torn), ERASING_FILE), erasing)
  const [{ fileName, at } = assert.fail('nothing was erased')] = records
  const path = join(reportsDirectory(torn), fileName)
  const bytes = await readFile(path)
  bytes.fill(0, at + RECORD_HEAD_BYTES + 20, at + RECORD_HEAD_BYTES + 60)
  await writeFile(path, bytes)
  await assertHolds(await opened(t, torn), 600, new Set(numbers))
  assert.deepEqual(await namesIn(torn, ERASING_FILE), [])

  // It went before any was.
  for (const sizeBytes of [0, 3, erasing.length - 1]) {
    const untouched = await temporaryDirectory(t)
    await cp(before, untouched, { recursive: true })
    await writeFile(join(reportsDirectory(untouched), ERASING_FILE), erasing.subarray(0, sizeBytes))
    await assertHolds(await opened(t, untouched), 600)
    assert.deepEqual(await namesIn(untouched, ERASING_FILE), [])
  }
})

test('files go when all of their segments are to go, and numbers are not given twice', async (t) => {
  const directory = await temporaryDirectory(t)
  let log = await opened(t, directory)
  await fill(log, 0, 600)
  const files = await namesIn(directory, '.reports')
  await log.removeBefore(50)
  const left = await namesIn(directory, '.reports')
  assert.deepEqual(left, files.slice(files.length - left.length))
  assert.ok(left.length < files.length && left.length > 1)
  assert.ok([...log.from(0)].some(({ file, index }) => file.table.segmentAt(index) === 50))
  await log.removeBefore(101)
  assert.deepEqual([[...log.from(0)].length, log.lastSegment], [0, 100])
  await log.close()
  assert.deepEqual(await namesIn(directory, '.index'), [])
  const leftovers = ['000000000000001.index', '000000000000101.index.new']
  for (const name of leftovers) await writeFile(join(reportsDirectory(directory), name), '')
  log = await opened(t, directory)
  assert.equal(log.lastSegment, 100)
  assert.equal((await readdir(reportsDirectory(directory))).length, 1)
  await log.append(batchOf(101, [[reportOf(0)]]), true)
  assert.equal(log.read(100), undefined)
  assert.equal(readSegment(log.read(101) ?? assert.fail('it is not there'))[0]?.text, '{"number":0}')
})

test('a file is full when its reports come from too long a time', async (t) => {
  const directory = await temporaryDirectory(t)
  const log = await opened(t, directory, { fileBytes: Infinity, fileMs: MINUTE_MS })
  for (const [nth, ms] of [0, MINUTE_MS, MINUTE_MS + 1, MINUTE_MS + 2].entries())
    await log.append(batchOf(nth + 1, [[reportAt(ms)]]), true)
  assert.equal((await namesIn(directory, '.reports')).length, 2)
})

test('a write that was cut short is cut off, and the file goes on', async (t) => {
  const directory = await temporaryDirectory(t)
  let log = await opened(t, directory, { fileBytes: Infinity, fileMs: Infinity })
  await fill(log, 0, 120)
  await log.close()
  const [name = ''] = await namesIn(directory, '.reports')
  const path = join(reportsDirectory(directory), name)
  const whole = await readFile(path)
  await fill((log = await opened(t, directory, { fileBytes: Infinity, fileMs: Infinity })), 120, 132)
  await log.close()
  const longer = await readFile(path)
  for (const more of [1, RECORD_HEAD_BYTES, longer.length - whole.length - 1]) {
    await writeFile(path, longer.subarray(0, whole.length + more))
    log = await opened(t, directory, { fileBytes: Infinity, fileMs: Infinity })
    // Of a batch that was not whole anything may be left, and it is run once if it is.
    const [next = 0] = [...log.backTo(0)].map(({ file, index }) => file.table.segmentAt(index))
    assert.equal(next, more > RECORD_HEAD_BYTES ? 21 : 20)
    await log.append(batchOf(next + 1, [[reportOf(0)]]), true)
    await log.close()
    log = await opened(t, directory, { fileBytes: Infinity, fileMs: Infinity })
    assert.equal(log.lastSegment, next + 1)
    await log.close()
  }
})

test('in the middle of the files nothing may be missing', async (t) => {
  const directory = await temporaryDirectory(t)
  const log = await opened(t, directory)
  await fill(log, 0, 600)
  await log.close()
  const [name = ''] = await namesIn(directory, '.reports')
  const path = join(reportsDirectory(directory), name)
  const bytes = await readFile(path)
  await truncate(path, bytes.length - 10)
  await assert.rejects(
    ReportLog.open(directory, () => SMALL),
    {
      code: 'TRK_STORE_DAMAGED',
      message: /\.reports ends in the middle of a record/,
    },
  )
  await writeFile(path, bytes)
  await appendFile(path, Buffer.alloc(3))
  await assert.rejects(
    ReportLog.open(directory, () => SMALL),
    { code: 'TRK_STORE_DAMAGED' },
  )
})

test('a large file of an earlier run is left as it is', async (t) => {
  const directory = await temporaryDirectory(t)
  const large = { fileBytes: Infinity, fileMs: Infinity }
  const text = randomBytes(600_000).toString('latin1')
  let log = await opened(t, directory, large)
  await log.append(batchOf(1, [[reportAt(0, { text })], [reportAt(1, { text })]]), true)
  await log.close()
  assert.equal((await namesIn(directory, '.index')).length, 1)
  log = await opened(t, directory, large)
  await log.append(batchOf(3, [[reportAt(2)]]), true)
  assert.equal((await namesIn(directory, '.reports')).length, 2)
  assert.equal(readSegment(log.read(2) ?? assert.fail('it is not there'))[0]?.receivedAtMs, START_MS + 1)
})

test('a search goes on while files are removed under it', async (t) => {
  const log = await opened(t, await temporaryDirectory(t))
  await fill(log, 0, 1200)
  const found: number[] = []
  for await (const { id } of log.find('login', hashOf('user3'))) {
    found.push(id)
    if (found.length === 20) await log.removeBefore(190)
  }
  const expected = Array.from({ length: 1200 }, (_, number) => number)
    .filter((number) => number % 9 === 3)
    .map(idOf)
    .toReversed()
  assert.ok(found.length >= 20 && found.length < expected.length, `${found.length}`)
  assert.deepEqual(found, expected.slice(0, found.length))
})
