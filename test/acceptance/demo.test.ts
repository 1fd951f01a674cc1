/** `trackalert demo` as somebody runs it who has just installed the program. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { lacksFullDisk, MAIN, runOntoFullDisk, runProgram } from '../support/program.ts'

const PACKAGE = fileURLToPath(new URL('../../package.json', import.meta.url))
/** On a busy machine, too. */
const SHOWN_WITHIN_MS = 180_000
const FEW = ['demo', '--users', '25', '--day', '1'] as const

function folderIn(output: string): string {
  return /password is in (\S+)\/state\//.exec(output)?.[1] ?? ''
}

test('it shows attacks as they are found, explains one, and leaves nothing behind', async (t) => {
  const { code, stdout, stderr } = await runProgram(t, FEW)
  assert.equal(code, 0, stderr)
  assert.equal(stderr, '')
  const shown = stdout.split('\n\n').filter((block) => block.includes('the simulator knows: '))
  const right = shown.filter((block) => block.includes('this is attack '))
  assert.ok(right.length >= 5, stdout)
  for (const block of shown) assert.match(block, /^day (1[5-8]), \d\d:\d\d {2}(medium|high|critical) {2}\S+/)
  for (const block of right)
    assert.match(block.replaceAll(/\s+/g, ' '), /(Block|block|Ask the user|Lock the login|make sure)/)
  const [, found = 0] = /Found (\d+) of the (\d+) attacks/.exec(stdout) ?? []
  assert.ok(Number(found) >= 7, stdout)
  // What the policy pack says of itself, to be understood without the configuration.
  assert.match(stdout, /^Why, for example:\n\nAlert \d+: /m)
  assert.match(stdout, /^ {2}The parameters of the rule were \S+ = /m)
  assert.match(stdout, /^ {4}pack_users, "[^"]+", \S+ .*\[tw\w+\]$/m)
  assert.match(stdout, /^What next:$/m)
  const folder = folderIn(stdout)
  assert.ok(folder !== '' && !existsSync(folder), folder)
})

test('npm run demo is the same', () => {
  const { scripts } = JSON.parse(readFileSync(PACKAGE, 'utf8')) as {
    readonly scripts: { readonly demo: string }
  }
  assert.equal(scripts.demo, 'node src/main.ts demo')
})

test('what it cannot write is status 1, and ends it', { skip: lacksFullDisk }, () => {
  const { code, stderr } = runOntoFullDisk([...FEW, '--stay'])
  assert.equal(code, 1)
  assert.match(stderr, /^trackalert: cannot write standard output: ENOSPC/)
})

/** The demo as a process whose output is waited for. */
function startDemo(t: TestContext, ...words: readonly string[]) {
  const child = spawn(process.execPath, [MAIN, ...FEW, ...words])
  t.after(() => child.kill('SIGKILL'))
  const demo = { child, output: '', ended: new Promise<number | null>((done) => child.once('close', done)) }
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (demo.output += text))
  const shows = async (pattern: RegExp): Promise<void> => {
    const endMs = performance.now() + SHOWN_WITHIN_MS
    while (!pattern.test(demo.output)) {
      const mayCome = child.exitCode === null && performance.now() < endMs
      assert.ok(mayCome, `nothing shows ${String(pattern)}:\n${demo.output}`)
      await sleep(20)
    }
  }
  return { ...demo, demo, shows }
}

for (const [when, pattern] of [
  ['while it learns', /^Learning from /m],
  ['while it is attacked', /^Learned in /m],
] as const) {
  test(`interrupted ${when} it ends in order and says what can be done next`, async (t) => {
    const { child, demo, shows, ended } = startDemo(t, '--day', '3600')
    await shows(pattern)
    assert.ok(existsSync(folderIn(demo.output)))
    child.kill('SIGINT')
    assert.equal(await ended, 0, demo.output)
    assert.match(demo.output, /^Played \d+ logins/m)
    assert.match(demo.output, /^What next:$/m)
    assert.ok(!existsSync(folderIn(demo.output)))
  })
}

test('with --stay its server answers when everything is played, and lives in the days that it has played', async (t) => {
  const { child, demo, shows, ended } = startDemo(t, '--stay')
  await shows(/^The server stays up/m)
  const [, options = ''] = /alerts -- (--url \S+ --password-file \S+)/.exec(demo.output) ?? []
  const { code, stdout } = await runProgram(t, ['alerts', '--format', 'json', ...options.split(' ')])
  assert.equal(code, 0)
  const alerts = stdout
    .trim()
    .split('\n')
    .map(
      (line) => JSON.parse(line) as { readonly first: number; readonly last: number; readonly rule: string },
    )
  const policy = alerts.filter(({ rule }) => !rule.startsWith('server.'))
  assert.ok(policy.length >= 5, stdout)
  const nowSeconds = Date.now() / 1000
  for (const { first, last } of policy) {
    assert.ok(first > nowSeconds - 30 * 86_400 && last < nowSeconds, `${first} ${last}`)
  }
  child.kill('SIGTERM')
  assert.equal(await ended, 0, demo.output)
  assert.ok(!existsSync(folderIn(demo.output)))
})
