/** `trackalert test` as a process: exit status, and where the files are that it is told of. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { temporaryDirectory } from '../support/embedded-store.ts'
import { runProgram } from '../support/program.ts'

const POLICY =
  'setReport(function(lt) if not lt.success then raiseAlert{ rule = "bad", message = "bad" } end end)'

async function folderWith(t: TestContext, body: string): Promise<string> {
  const folder = await temporaryDirectory(t)
  await mkdir(join(folder, 'etc/policies'), { recursive: true })
  await writeFile(join(folder, 'etc/trackalert.conf'), POLICY)
  await writeFile(join(folder, 'etc/policies/a_test.lua'), `test("it", function() ${body} end)`)
  return folder
}

test('tests that pass are status 0; files are written where the command was given, not beside the configuration', async (t) => {
  const folder = await folderWith(t, 'report{ success = false } expectAlert{ rule = "bad" }')
  const ran = await runProgram(
    t,
    ['test', '-C', 'etc/trackalert.conf', '--junit', 'junit.xml', '--lcov', 'lcov.info'],
    { cwd: folder },
  )
  assert.equal(ran.code, 0, ran.stdout + ran.stderr)
  assert.match(ran.stdout, /^etc\/policies\/a_test\.lua\n {2}ok {3}it\n/)
  assert.deepEqual(
    ['junit.xml', 'lcov.info', 'etc/junit.xml'].map((name) => existsSync(join(folder, name))),
    [true, true, false],
  )
})

test('a test that fails is status 1', async (t) => {
  const folder = await folderWith(t, 'report{} expectAlert{ rule = "bad" }')
  const ran = await runProgram(t, ['test', '-C', 'etc/trackalert.conf', 'etc/policies'], { cwd: folder })
  assert.equal(ran.code, 1)
  assert.match(ran.stdout, /1 test, 1 failed/)
})

test('a configuration that is named and not there is status 1 and said', async (t) => {
  const folder = await folderWith(t, '')
  const ran = await runProgram(t, ['test', '-C', 'none.conf', 'etc/policies'], { cwd: folder })
  assert.equal(ran.code, 1)
  assert.match(ran.stdout + ran.stderr, /none\.conf/)
})

test('a wrong option is a usage error', async (t) => {
  const ran = await runProgram(t, ['test', '--frobnicate'], { cwd: await folderWith(t, '') })
  assert.equal(ran.code, 2)
})
