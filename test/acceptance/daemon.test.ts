/** -d: the server in the background, seen from the shell that started it. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { MAIN, runProgram } from '../support/program.ts'
import { BASE_CONFIGURATION, basicAuth } from '../support/server-process.ts'
import { NO_TERMINAL, Terminal } from '../support/terminal.ts'

interface Place {
  readonly folder: string
  readonly pidFile: string
  readonly logFile: string
  readonly args: readonly string[]
}

async function place(t: TestContext, configuration: string): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'trackalert-daemon-'))
  const pidFile = join(folder, 'pid')
  writeFileSync(join(folder, 'trackalert.conf'), configuration)
  t.after(async () => {
    if (existsSync(pidFile)) process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGKILL')
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  })
  const args = ['-d', '-C', 'trackalert.conf', '--pid-file', 'pid', '--log-file', 'log']
  return { folder, pidFile, logFile: join(folder, 'log'), args }
}

async function until(isTrue: () => boolean, what: string): Promise<void> {
  const endMs = performance.now() + 15_000
  while (!isTrue()) {
    assert.ok(performance.now() < endMs, what)
    await sleep(20)
  }
}

async function stopByPidFile({ pidFile, logFile }: Place): Promise<void> {
  process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGTERM')
  await until(() => !existsSync(pidFile), 'the file of the process id was not removed')
  assert.match(readFileSync(logFile, 'utf8'), / info {2}stopped\n$/)
}

async function stats({ logFile }: Place): Promise<Response> {
  const [, url = ''] = /listening: url="([^"]+)"/.exec(readFileSync(logFile, 'utf8')) ?? []
  return fetch(new URL('/command/stats', url), { headers: { authorization: basicAuth() } })
}

test('it is ready when the command ends, and is stopped by its process id', async (t) => {
  const at = await place(t, BASE_CONFIGURATION)
  const started = await runProgram(t, at.args, { cwd: at.folder })
  assert.deepEqual(started, { code: 0, stdout: '', stderr: '' })
  assert.equal((await stats(at)).status, 200)

  const again = await runProgram(t, at.args, { cwd: at.folder })
  assert.equal(again.code, 1)
  assert.match(again.stderr, /belongs to process \d+, which runs/)
  assert.equal((await stats(at)).status, 200)
  await stopByPidFile(at)
})

test('it outlives the terminal from which it was started', { skip: NO_TERMINAL }, async (t) => {
  const at = await place(t, BASE_CONFIGURATION)
  const command = [process.execPath, MAIN, ...at.args].map((word) => `'${word}'`).join(' ')
  const terminal = new Terminal(t, command, { cwd: at.folder })
  assert.equal(await terminal.exited, 0, terminal.output)
  const pid = Number(readFileSync(at.pidFile, 'utf8'))
  const [, , , session, tty] = (readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1] ?? '').split(' ')
  assert.deepEqual([Number(session), tty], [pid, '0'], 'a session of its own, and no terminal')
  assert.equal((await stats(at)).status, 200)
  await stopByPidFile(at)
})

test('a server that cannot start says why where it was asked for, with status 1', async (t) => {
  const at = await place(t, `${BASE_CONFIGURATION}\naddACL("x")\n`)
  const started = await runProgram(t, at.args, { cwd: at.folder })
  assert.equal(started.code, 1)
  assert.match(started.stderr, /trackalert\.conf:5: "x" is no netmask/)
  assert.ok(!existsSync(at.pidFile))
})

test('a file of a process that is gone is replaced; one that cannot be written is an error', async (t) => {
  const at = await place(t, BASE_CONFIGURATION)
  // No process has this number: it is above the largest that there can be.
  writeFileSync(at.pidFile, '99999999\n')
  assert.equal((await runProgram(t, at.args, { cwd: at.folder })).code, 0)
  await stopByPidFile(at)
  const refused = await runProgram(t, [...at.args.slice(0, 3), '--pid-file', '/nonexistent/pid'], {
    cwd: at.folder,
  })
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /\/nonexistent\/pid/)
})
