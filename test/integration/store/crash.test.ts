import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openStore, temporaryDirectory } from '../../support/embedded-store.ts'
import { assertCountedOnce, readAcknowledgements } from '../../support/store-audit.ts'
import { atEnd } from '../../support/clean-up.ts'
import { randomFrom } from '../../support/random-from.ts'

const CHILD = join(import.meta.dirname, '../../support/store-child.ts')
const ROUNDS = Number(process.env['CRASH_ROUNDS'] ?? 5)
const SEED = Number(process.env['CRASH_SEED'] ?? Date.now() % 1_000_000)

function startChild(args: readonly string[]): {
  readonly child: ChildProcess
  readonly output: () => string
} {
  const child = spawn(process.execPath, [CHILD, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text))
  return { child, output: () => output }
}

async function outputHas(child: ChildProcess, output: () => string, text: string): Promise<void> {
  while (!output().includes(text)) {
    assert.equal(child.exitCode, null, 'the child ended')
    await once(child.stdout ?? child, 'data', { signal: AbortSignal.timeout(20_000) })
  }
}

test('what was acknowledged before kill -9 is there afterwards, open or done, and counts once', async (t) => {
  t.diagnostic(`CRASH_SEED=${SEED}`)
  const random = randomFrom(SEED)
  const directory = await temporaryDirectory(t)
  let output = ''
  for (let round = 0; round < ROUNDS; round++) {
    const { child, output: read } = startChild([directory, String(round * 100_000)])
    await outputHas(child, read, 'a ')
    await sleep(random() * 300)
    child.kill('SIGKILL')
    await once(child, 'close')
    output += read()
  }
  const acknowledged = readAcknowledgements(output)
  t.diagnostic(`${acknowledged.appended.size} reports, ${acknowledged.committed.size} outcomes acknowledged`)
  assert.ok(acknowledged.appended.size > 0)
  const { store } = await openStore(directory)
  atEnd(t, () => store.close())
  await assertCountedOnce(store, acknowledged)
})

test('a second server is kept out, until the first is gone', async (t) => {
  const directory = await temporaryDirectory(t)
  const { child, output } = startChild([directory])
  await outputHas(child, output, 'ready')
  await assert.rejects(openStore(directory), {
    code: 'TRK_STORE_LOCKED',
    message: /store\.lock.*running server/,
  })
  child.kill('SIGKILL')
  await once(child, 'close')
  const { store } = await openStore(directory)
  await assert.rejects(openStore(directory), { code: 'TRK_STORE_LOCKED' })
  await store.close()
})
