/** The policy pack that is shipped: its own tests pass, and they run every line of it that has code. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { runPolicyTests } from '../../../src/policy-test/run-policy-tests.ts'
import { temporaryDirectory } from '../../support/embedded-store.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const POLICIES = join(ROOT, 'conf/policies')

/** Lines of a file that never ran, and how many there are; undefined for a file that the report lacks. */
function missingLines(lcov: string, file: string): readonly string[] | undefined {
  const record = lcov.split('end_of_record\n').find((part) => part.includes(`SF:${file}\n`))
  return record === undefined
    ? undefined
    : Array.from(record.matchAll(/^DA:(\d+),0$/gm), ([, line]) => `${line}`)
}

test('the tests of the policy pack pass and run every line of every policy', async (t) => {
  const lcovFile = join(await temporaryDirectory(t), 'lcov.info')
  let output = ''
  const passed = await runPolicyTests(
    {
      path: join(ROOT, 'test/policies'),
      configFile: join(ROOT, 'conf/trackalert.conf'),
      filter: '',
      junitFile: undefined,
      coverage: true,
      lcovFile,
      regexesFile: join(ROOT, 'regexes.yaml'),
      environment: {},
      workingFolder: ROOT,
    },
    (text) => (output += text),
  )
  assert.ok(passed, output)
  const lcov = readFileSync(lcovFile, 'utf8')
  const files = globSync('*.lua', { cwd: POLICIES })
  assert.ok(files.length > 15)
  for (const file of files) assert.deepEqual(missingLines(lcov, join(POLICIES, file)), [], file)
})
