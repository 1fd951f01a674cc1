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
import { figure, table } from './figures.ts'
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

test('a figure is the median of its values with their range, and a table shows it beside its target', () => {
  assert.deepEqual(figure('x', [3, 1, 2]), { what: 'x', median: 2, min: 1, max: 3 })
  assert.deepEqual(figure('x', [4, 1, 2, 3], '>= 2'), {
    what: 'x',
    median: 2.5,
    min: 1,
    max: 4,
    target: '>= 2',
  })
  const text = table([{ scenario: 'empty', figures: [figure('of raw', [0.5], '>= 0.8')] }])
  assert.equal(
    text,
    'scenario  figure  median    min    max  target\nempty     of raw   0.500  0.500  0.500  >= 0.8',
  )
})
