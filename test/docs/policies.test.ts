/** trackalert_policies(7) against the policy pack and the functions of tests; its example of a test is run. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { runPolicyTests } from '../../src/policy-test/run-policy-tests.ts'
import { testFunctions } from '../../src/policy-test/test-functions.ts'
import { TestGeography } from '../../src/policy-test/test-geography.ts'
import { temporaryDirectory } from '../support/embedded-store.ts'
import { readManPage, tagsOf } from '../support/man-page.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const POLICIES = join(ROOT, 'conf/policies')
const page = readManPage('trackalert_policies.7')

/** `name = value` for each line of a table in a Lua file. */
function parametersIn(source: string, table: string): readonly string[] {
  const [, body = ''] = source.split(`${table} = {\n`)
  const [lines = ''] = body.split('\n}\n')
  return Array.from(lines.matchAll(/^ {2}(\w+ = .*?),(?:\s*--.*)?$/gm), ([, parameter]) => parameter ?? '')
}

function sourceOf(file: string): string {
  return readFileSync(join(POLICIES, file), 'utf8')
}

const rules = globSync('*.lua', { cwd: POLICIES }).flatMap((file) => {
  const [, name] = /local rule = \{ name = "([^"]+)"/.exec(sourceOf(file)) ?? []
  return name === undefined ? [] : [{ name, parameters: parametersIn(sourceOf(file), 'rule.parameters') }]
})

describe('trackalert_policies(7)', () => {
  test('has a part for every rule of the pack, and no other', () => {
    const [, section = ''] = /^\.SH RULES\n([\s\S]*?)^\.SH /m.exec(page.source) ?? []
    const parts = Array.from(section.matchAll(/^\.SS (.+)$/gm), ([, name = '']) =>
      name.replaceAll('\\-', '-'),
    )
    assert.ok(rules.length >= 14)
    assert.deepEqual(parts.toSorted(), rules.map(({ name }) => name).toSorted())
  })

  for (const { name, parameters } of rules) {
    test(`has every parameter of ${name} with its default`, () => {
      assert.ok(parameters.length > 0)
      const documented = page.entries.filter(({ subsection }) => subsection.replaceAll('\\-', '-') === name)
      assert.deepEqual(documented.map(({ tag }) => tag).toSorted(), parameters.toSorted())
    })
  }

  test('has every parameter of the pack itself with its default', () => {
    const parameters = parametersIn(sourceOf('pack.lua'), 'local common')
    assert.ok(parameters.length > 0)
    assert.deepEqual(tagsOf(page, 'PARAMETERS OF THE PACK').toSorted(), parameters.toSorted())
  })

  test('has every function of tests, and no other', () => {
    const functions = testFunctions({
      define: () => assert.fail(),
      world: () => undefined,
      runs: { report: () => [], background: () => undefined },
      geography: new TestGeography(),
      matches: () => false,
    })
    const names = tagsOf(page, 'TESTS OF POLICIES').map((tag) => /^\w+/.exec(tag)?.[0] ?? '')
    assert.deepEqual(names.toSorted(), functions.map(({ name }) => name).toSorted())
  })

  test('shows a test that passes', async (t) => {
    const example = page.source
      .split('.EX\n')
      .map((part) => part.split('.EE')[0] ?? '')
      .find((text) => text.includes('expectAlert'))
    const folder = await temporaryDirectory(t)
    await writeFile(join(folder, 'example_test.lua'), (example ?? '').replaceAll('\\-', '-'))
    let output = ''
    const passed = await runPolicyTests(
      {
        path: folder,
        configFile: join(ROOT, 'conf/trackalert.conf'),
        filter: '',
        junitFile: undefined,
        coverage: false,
        lcovFile: undefined,
        regexesFile: join(ROOT, 'regexes.yaml'),
        environment: {},
        workingFolder: folder,
      },
      (text) => (output += text),
    )
    assert.ok(passed, output)
  })
})
