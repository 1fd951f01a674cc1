import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test, type TestContext } from 'node:test'
import type { EmbeddedStore } from '../../../src/store/embedded/embedded-store.ts'
import { openTrendReader } from '../../../src/store/embedded/trend-reader.ts'
import { encodeCounts } from '../../support/counting-trends.ts'
import { openStore, temporaryDirectory } from '../../support/embedded-store.ts'
import { assertCountedOnce, readAcknowledgements } from '../../support/store-audit.ts'
import { reportAt, START_MS } from '../../support/store-reports.ts'
import { atEnd } from '../../support/clean-up.ts'

const MIB = 1024 * 1024

/** A file system of a few megabytes; undefined where this user cannot mount one. */
async function smallDisk(t: TestContext, sizeMib: number): Promise<string | undefined> {
  const directory = join(await temporaryDirectory(t), 'disk')
  await mkdir(directory)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMib}m`, 'tmpfs', directory], { stdio: 'ignore' })
  } catch {
    t.skip('only root can mount a small disk')
    return undefined
  }
  atEnd(t, () => execFileSync('umount', ['-l', directory]))
  return directory
}

/** Appends until something else than success comes; the numbers of what was acknowledged. */
async function appendUntilRefused(
  store: EmbeddedStore,
  acknowledged: Set<number>,
  most: number,
): Promise<string> {
  for (let tries = 0; tries < most; tries++) {
    const n = acknowledged.size
    // Random, so that it takes as much room on disk as in the log.
    const text = JSON.stringify({ n, padding: randomBytes(7_500).toString('base64') })
    const outcome = await store.append([reportAt(n, { text })])
    if (outcome.kind === 'refused') return outcome.reason
    acknowledged.add(n)
  }
  return 'never'
}

async function becomesReady(store: EmbeddedStore): Promise<void> {
  for (let tries = 0; !store.readiness().ready; tries++) {
    assert.ok(tries < 1000, 'it did not heal within ten seconds')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

test('with little room left appends are refused, outcomes and reads go on, and it heals when there is room', async (t) => {
  const disk = await smallDisk(t, 64)
  if (disk === undefined) return
  const seen: string[] = []
  const { store } = await openStore(disk, { reserveBytes: 24 * MIB }, seen)
  atEnd(t, () => store.close())
  const acknowledged = new Set<number>()
  await appendUntilRefused(store, acknowledged, 10)
  await writeFile(join(disk, 'ballast'), Buffer.alloc(25 * MIB))
  assert.equal(await appendUntilRefused(store, acknowledged, 10_000), 'disk-full')
  const readiness = store.readiness()
  assert.match(
    readiness.ready ? '' : readiness.reason,
    /reports cannot be stored: .* has 2\d MiB free, and 24 are kept/,
  )
  const [newest] = await store.history({ limit: 1 })
  assert.equal(newest?.receivedAtMs, START_MS + acknowledged.size - 1)
  await store.commit([
    { kind: 'done', reportId: newest.id, deltas: encodeCounts([]), messages: [], commit: undefined },
  ])
  await rm(join(disk, 'ballast'))
  await becomesReady(store)
  await appendUntilRefused(store, acknowledged, 5)
  assert.equal(store.counts().historyReports, acknowledged.size)
  assert.deepEqual(
    seen.map((text) => text.replace(/:.*/, '')),
    ['ready', 'not ready', 'ready'],
  )
})

test('when LevelDB itself finds no room nothing acknowledged is lost, and it is opened again when there is', async (t) => {
  const disk = await smallDisk(t, 40)
  if (disk === undefined) return
  const { store } = await openStore(disk, { reserveBytes: 4096 })
  const trends = await openTrendReader({ ...store.readerAccess(), worker: 1 })
  const acknowledged = new Set<number>()
  await writeFile(join(disk, 'ballast'), Buffer.alloc(24 * MIB))
  assert.equal(await appendUntilRefused(store, acknowledged, 10_000), 'disk-full')
  const before = await trends.openView()
  assert.equal((await store.history({ limit: 1 }))[0]?.receivedAtMs, START_MS + acknowledged.size - 1)
  assert.equal(await before.readRow('d', new Uint8Array(1)), undefined)
  const entries = await store.history({ limit: 3 })
  const committed = store.commit(
    entries.map(({ id }) => ({
      kind: 'done',
      reportId: id,
      deltas: encodeCounts([{ database: 'd', key: 'k', by: 1, atMs: START_MS }]),
      messages: [],
      commit: { worker: 1, number: id },
    })),
  )
  before.close()
  await rm(join(disk, 'ballast'))
  await committed
  await becomesReady(store)
  const after = await trends.openView()
  assert.equal(after.appliedCommit, entries[0]?.id)
  assert.equal(after.countRows('d'), 1)
  after.close()
  await appendUntilRefused(store, acknowledged, 20)
  await trends.close()
  await store.close()
  const again = await openStore(disk)
  atEnd(t, () => again.store.close())
  assert.equal(again.store.counts().historyReports, acknowledged.size)
  assert.equal(again.store.counts().backlogReports, acknowledged.size - 3)
})

test('under a limit of file sizes the store goes on, and loses nothing that it acknowledged', async (t) => {
  const directory = await temporaryDirectory(t)
  const child = join(import.meta.dirname, '../../support/store-child.ts')
  // Blocks of 1 KiB; a log may reach eight times as much.
  const shell = spawn(
    'bash',
    ['-c', `ulimit -f 1024; exec "$0" "$1" "$2"`, process.execPath, child, directory],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  atEnd(t, () => shell.kill('SIGKILL'))
  let output = ''
  // Refused and acknowledged by turns: it healed each time.
  let turns = 0
  for await (const line of createInterface({ input: shell.stdout, signal: AbortSignal.timeout(30_000) })) {
    output += `${line}\n`
    if (line.startsWith(turns % 2 === 0 ? 'refused disk-full' : 'a ')) turns++
    if (turns === 4) break
  }
  assert.equal(turns, 4, output.slice(-200))
  shell.kill('SIGKILL')
  await once(shell, 'close')
  const { store } = await openStore(directory)
  atEnd(t, () => store.close())
  await assertCountedOnce(store, readAcknowledgements(output))
})
