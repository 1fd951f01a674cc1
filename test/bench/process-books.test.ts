import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  MemoryWatch,
  ownMemoryBytes,
  peakWithFilesBytes,
  settledBytes,
  writtenBytes,
} from './process-books.ts'

const SIZE = 64 * 1024 * 1024
const TOLERANCE = 1024 * 1024
const skip = existsSync('/proc/self/io') ? false : 'this system keeps no such books'
/** The system's other book of memory (proc(5)): it counts the pages one by one, and says kilobytes. */
const OTHER_BOOK = '/proc/self/smaps_rollup'

test('memory that a process takes and fills is its own', { skip }, () => {
  const before = ownMemoryBytes(process.pid)
  const filled = Buffer.alloc(SIZE, 1)
  assert.ok(ownMemoryBytes(process.pid) - before > SIZE / 2)
  assert.ok(peakWithFilesBytes(process.pid) > SIZE)
  assert.equal(filled.at(-1), 1)
})

const noOther = existsSync(OTHER_BOOK) ? skip : 'this system counts pages in one way only'

test('pages of files, such as those of the program, are not its own', { skip: noOther }, () => {
  // Other threads of this process take memory between two looks: one pair of many must agree.
  const differences = Array.from({ length: 50 }, () => {
    const own = ownMemoryBytes(process.pid)
    const { all, anonymous } = residentBytes()
    assert.ok(all - anonymous > 2 * TOLERANCE, 'no page of the program itself is in memory')
    return Math.abs(anonymous - own)
  })
  assert.ok(Math.min(...differences) < TOLERANCE, String(Math.min(...differences)))
})

/** What this process has in memory: all, and what of it is of no file. */
function residentBytes(): { readonly all: number; readonly anonymous: number } {
  const book = readFileSync(OTHER_BOOK, 'latin1')
  const bytes = (line: RegExp): number => 1024 * Number(line.exec(book)?.[1])
  return { all: bytes(/^Rss:\s+(\d+) kB$/m), anonymous: bytes(/^Anonymous:\s+(\d+) kB$/m) }
}

test('a watch keeps the most', { skip }, () => {
  const watch = new MemoryWatch(process.pid)
  assert.ok(watch.stop() > 10_000_000)
})

test('a watch of a process that has ended says what it saw', { skip }, () => {
  const watch = new MemoryWatch(2 ** 30)
  assert.equal(watch.stop(), 0)
})

test('bytes are counted once they are written', { skip }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'trackalert-bench-test-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const before = writtenBytes(process.pid)
  const file = await open(join(folder, 'file'), 'w')
  await file.write(Buffer.alloc(1024 * 1024, 1))
  await file.sync()
  await file.close()
  const written = (await settledBytes(process.pid)) - before
  if (written === 0) return t.skip('temporary files of this system are in memory')
  assert.ok(written >= 1024 * 1024 && written < 4 * 1024 * 1024, `${written} bytes`)
})
