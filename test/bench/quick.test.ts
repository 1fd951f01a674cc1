/** That the bench works. What it measures depends on the machine and is no test. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { SCENARIOS } from './scenarios.ts'

const DEADLINE_MS = 600_000
const skip = existsSync('/proc/self/schedstat')
  ? false
  : 'this system does not say how much time a thread had'

test('every scenario can be measured', { skip, timeout: DEADLINE_MS }, async (t) => {
  const folder = await temporaryFolder(t)
  const json = join(folder, 'bench.json')
  const printed = await printedBy(t, 'bench.ts', '--quick', `--json=${json}`)
  const { results } = JSON.parse(await readFile(json, 'utf8')) as {
    readonly results: readonly { readonly scenario: string }[]
  }
  assert.deepEqual(
    results.map(({ scenario }) => scenario),
    Object.keys(SCENARIOS),
  )
  for (const name of Object.keys(SCENARIOS)) assert.match(printed, new RegExp(`^${name} `, 'm'))
  const again = await printedBy(t, 'bench.ts', `--from=${json}`, '--markdown')
  for (const name of Object.keys(SCENARIOS)) assert.ok(again.includes(`| \`${name}\` |`), name)
})

test(
  'cost against size can be measured, and drawn again from what was found',
  { skip, timeout: DEADLINE_MS },
  async (t) => {
    const folder = await temporaryFolder(t)
    const printed = await printedBy(t, 'scaling.ts', '--quick', '--largest=1000', `--to=${folder}`)
    assert.match(printed, /^seven-ops +1 +1,000 /m)
    const charts = (await readdir(folder)).filter((name) => name.endsWith('.svg'))
    assert.equal(charts.length, 4)
    const read = (): Promise<readonly string[]> =>
      Promise.all(charts.map((name) => readFile(join(folder, name), 'utf8')))
    const first = await read()
    for (const name of charts) await rm(join(folder, name))
    await printedBy(t, 'scaling.ts', `--from=${join(folder, 'scaling.json')}`, `--to=${folder}`)
    assert.deepEqual(await read(), first)
  },
)

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'trackalert-bench-test-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

async function printedBy(t: TestContext, file: string, ...words: readonly string[]): Promise<string> {
  const path = fileURLToPath(new URL(file, import.meta.url))
  const child = spawn(process.execPath, [path, ...words], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill())
  let printed = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text))
  await once(child, 'close')
  assert.equal(child.exitCode, 0)
  return printed
}
