/** simulate, as a shell runs it. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { lacksFullDisk, MAIN, runOntoFullDisk, runProgram } from '../support/program.ts'
import { optionsWith, simulated } from '../support/simulation.ts'

const { users, days, seed } = optionsWith()
const WORDS = ['simulate', `--users=${users}`, `--days=${days}`, `--seed=${seed}`]

async function newFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'trackalert-simulate-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

describe('simulate', () => {
  test('writes the reports of the simulation, an object a line', async (t) => {
    const { code, stdout, stderr } = await runProgram(t, WORDS)
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
    assert.equal(stdout, simulated().map((report) => `${JSON.stringify(report)}\n`).join('')) // prettier-ignore
  })

  test('writes the same into a file, in place of what was there', async (t) => {
    const cwd = await newFolder(t)
    for (const more of [[], ['--attacks=none']]) {
      const { code, stdout, stderr } = await runProgram(t, [...WORDS, '--output', 'own.ndjson', ...more], {
        cwd,
      })
      assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: '', stderr: '' })
    }
    const honest = simulated().filter(({ label }) => label === undefined)
    const text = readFileSync(join(cwd, 'own.ndjson'), 'utf8')
    assert.equal(text.split('\n').length - 1, honest.length)
    assert.equal(text.split('\n')[0], JSON.stringify(honest[0]))
  })

  test('a file that cannot be written is status 1, with its name and the reason', async (t) => {
    const { code, stderr } = await runProgram(t, [...WORDS, '--output', 'no/such/folder'], {
      cwd: await newFolder(t),
    })
    assert.equal(code, 1)
    assert.match(stderr, /^trackalert: cannot write no\/such\/folder: ENOENT/)
  })

  test('ends quietly when the reader has seen enough', () => {
    const shell = `"$0" "$1" simulate --days 200 --attacks none | head -n 2; echo "\${PIPESTATUS[0]}"`
    const lines = execFileSync('bash', ['-c', shell, process.execPath, MAIN], { encoding: 'utf8' })
      .trimEnd()
      .split('\n')
    assert.equal(lines.length, 3)
    assert.equal(lines[2], '0')
  })

  test('a disk that is full is status 1', { skip: lacksFullDisk }, () => {
    const { code, stderr } = runOntoFullDisk(['simulate', '--users=60', '--days=2', '--attacks=none'])
    assert.equal(code, 1)
    assert.match(stderr, /^trackalert: cannot write standard output: ENOSPC/)
  })

  test('says on standard error which attacks found nobody', async (t) => {
    const { code, stderr } = await runProgram(t, ['simulate', '--users=10', '--attacks=takeover-dormant'])
    assert.equal(code, 0)
    assert.equal(
      stderr,
      'trackalert: only 0 of 2 attacks of type takeover-dormant: too few people fit; give more --users\n',
    )
  })
})
