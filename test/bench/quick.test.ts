/** That the bench works. What it measures depends on the machine and is no test. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { SCENARIOS } from './scenarios.ts'

const BENCH = fileURLToPath(new URL('bench.ts', import.meta.url))
const DEADLINE_MS = 600_000
const skip = existsSync('/proc/self/schedstat')
  ? false
  : 'this system does not say how much time a thread had'

test('every scenario can be measured', { skip, timeout: DEADLINE_MS }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'trackalert-bench-test-'))
  const json = join(folder, 'bench.json')
  const child = spawn(process.execPath, [BENCH, '--quick', `--json=${json}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(async () => {
    child.kill()
    await rm(folder, { recursive: true, force: true })
  })
  let printed = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text))
  await once(child, 'close')
  assert.equal(child.exitCode, 0)
  const { results } = JSON.parse(await readFile(json, 'utf8')) as {
    readonly results: readonly { readonly scenario: string }[]
  }
  assert.deepEqual(
    results.map(({ scenario }) => scenario),
    Object.keys(SCENARIOS),
  )
  for (const name of Object.keys(SCENARIOS)) assert.match(printed, new RegExp(`^${name} `, 'm'))
})
