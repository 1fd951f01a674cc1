import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { makeLogFile, readLogFile } from '../../../src/store/embedded/log-file.ts'
import { copySound } from '../../../src/store/embedded/sound-copy.ts'
import { temporaryDirectory } from '../../support/embedded-store.ts'

const record = (byte: number): Uint8Array => new Uint8Array(100).fill(byte)
/** LevelDB's version_edit.cc: table 5 of 300 bytes on level 0 with keys A to B; logs from number 4 on. */
const MANIFEST = makeLogFile([Uint8Array.of(7, 0, 5, 0xac, 2, 1, 65, 1, 66, 2, 4)])

async function directoryWith(t: TestContext, files: Readonly<Record<string, Uint8Array>>): Promise<string> {
  const directory = await temporaryDirectory(t)
  await mkdir(join(directory, 'store'))
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(directory, 'store', name), bytes)
  return directory
}

const FILES = {
  CURRENT: Buffer.from('MANIFEST-000002\n'),
  'MANIFEST-000002': MANIFEST,
  '000003.log': makeLogFile([record(3)]),
  '000004.log': makeLogFile([record(4)]),
  '000005.ldb': new Uint8Array(300),
  '000006.ldb': new Uint8Array(300),
}

test('what the database has left is not copied, since it may have what was removed since', async (t) => {
  const directory = await directoryWith(t, FILES)
  const copied = copySound(join(directory, 'store'), join(directory, 'copy'))
  assert.deepEqual(copied, { files: 1, damagedParts: 1, failure: undefined })
  assert.deepEqual(await readdir(join(directory, 'copy')), ['000004.log'])
})

test('when nobody knows what belongs to it, every file is looked at', async (t) => {
  const directory = await directoryWith(t, FILES)
  await rm(join(directory, 'store', 'CURRENT'))
  const copied = copySound(join(directory, 'store'), join(directory, 'copy'))
  assert.deepEqual(copied, { files: 2, damagedParts: 2, failure: undefined })
  assert.deepEqual(await readdir(join(directory, 'copy')), ['000003.log', '000004.log'])
})

test('of a damaged log the copy has the intact writes; what was cut short at its end is no damage', async (t) => {
  const damaged = makeLogFile([1, 2, 3, 4].map(record)).subarray(0, -1)
  damaged[150] = 0
  const directory = await directoryWith(t, { ...FILES, '000004.log': damaged })
  const copied = copySound(join(directory, 'store'), join(directory, 'copy'))
  assert.deepEqual(copied, { files: 1, damagedParts: 2, failure: undefined })
  const { records, tornBytes } = readLogFile(await readFile(join(directory, 'copy', '000004.log')))
  assert.deepEqual([records.map((each) => each[0]), tornBytes], [[1, 3], 0])
})

test('a write that was cut short does not go into the copy', async (t) => {
  const torn = makeLogFile([1, 2].map(record)).subarray(0, -1)
  const directory = await directoryWith(t, { ...FILES, '000004.log': torn })
  copySound(join(directory, 'store'), join(directory, 'copy'))
  const { records, tornBytes } = readLogFile(await readFile(join(directory, 'copy', '000004.log')))
  assert.deepEqual([records.map((each) => each[0]), tornBytes], [[1], 0])
})
