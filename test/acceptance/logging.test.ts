/** Where the log of the real server goes and how it looks there. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { SyslogProgram } from '../../src/telemetry/syslog-program.ts'
import {
  BASE_CONFIGURATION,
  CONFIGURATION,
  PASSWORD,
  spawnServer,
  startServer,
} from '../support/server-process.ts'
import { noSyslogSocketBecause, openSyslogSocket, syslogFolder } from '../support/syslog-socket.ts'

const LOGGING_POLICY = `${BASE_CONFIGURATION}
setReport(function(lt) infoLog("seen", {login=lt.login, password="hunter2"}) end)`
const report = (login: string): object => ({ login, remote: '192.0.2.1', success: true })

describe('syslog', { skip: noSyslogSocketBecause() }, () => {
  test('-f sends every line under the facility and with its severity, and to standard output too', async (t) => {
    const syslog = await openSyslogSocket(t)
    const server = await startServer(t, {
      configuration: LOGGING_POLICY,
      args: ['-s', '-f', 'local3', '-v', '-C', CONFIGURATION],
      env: { PATH: syslog.path },
    })
    // 19 × 8 + 6.
    const ready = await syslog.waitFor(/info {2}ready/)
    assert.match(
      ready,
      new RegExp(`^<158>\\w{3} .*trackalert\\[${server.child.pid}\\]: info  ready: version="`),
    )
    await server.post('/command/report', report('ann'))
    await syslog.waitFor(/^<158>.* seen: login="ann" password="\*\*\*"$/)
    await server.get('/command/stats', { authorization: 'Basic d3Jvbmc6d3Jvbmc=' })
    // 19 × 8 + 7.
    await syslog.waitFor(/^<159>.*debug refused/)
    await server.waitFor(/debug refused/)
    assert.deepEqual(await server.stop(), { code: 0, signal: null })
    // The last line is not lost, although the process was about to end.
    await syslog.waitFor(/info {2}stopped$/)
  })

  test('a logger that is killed is started again', async (t) => {
    const syslog = await openSyslogSocket(t)
    const failures: string[] = []
    const program = new SyslogProgram({
      facility: 'daemon',
      pid: process.pid,
      environment: { ...process.env, PATH: syslog.path },
      onFailure: (reason) => failures.push(reason),
      restartAfterMs: 20,
    })
    program.write('error', 'one\n')
    program.flush()
    await syslog.waitFor(/^<27>.*: one$/)
    process.kill(loggerPid(), 'SIGKILL')
    const deadlineMs = performance.now() + 10_000
    for (let number = 0; !syslog.messages.some((text) => text.includes('again')); number++) {
      assert.ok(performance.now() < deadlineMs)
      program.write('error', `again ${number}\n`)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    assert.deepEqual(failures, ['logger ended with SIGKILL'])
    assert.ok(program.dropped > 0)
    await program.close(5_000)
  })

  test('where there is no syslog the server says so once and goes on', async (t) => {
    const { path } = await syslogFolder(t)
    const server = await startServer(t, {
      configuration: LOGGING_POLICY,
      args: ['-s', '-f', 'daemon', '-C', CONFIGURATION],
      env: { PATH: path },
    })
    await server.waitFor(
      /warn {2}the log cannot be sent to syslog; it is tried again: reason="logger: .*socket/,
    )
    assert.equal((await server.post('/command/report', report('ann'))).status, 200)
    await server.waitFor(/seen: login="ann"/)
  })
})

test('without a program logger the server says so and goes on', async (t) => {
  const server = await startServer(t, {
    configuration: LOGGING_POLICY,
    args: ['-s', '-f', 'daemon', '-C', CONFIGURATION],
    env: { PATH: '/nonexistent' },
  })
  await server.waitFor(/the log cannot be sent to syslog; it is tried again: reason="spawn logger ENOENT"/)
  assert.equal((await server.post('/command/report', report('ann'))).status, 200)
})

test('--log-format json makes every line an object, from the first to the last', async (t) => {
  const server = await spawnServer(t, {
    configuration: LOGGING_POLICY,
    args: ['-s', '--log-format', 'json', '-C', CONFIGURATION],
  })
  await server.waitFor(/"msg":"ready"/)
  const [, url = ''] = /"url":"([^"]+)"/.exec(server.output) ?? []
  const authorization = `Basic ${Buffer.from(`any:${PASSWORD}`).toString('base64')}`
  const answer = await fetch(`${url}/command/report`, {
    method: 'POST',
    headers: { authorization },
    body: JSON.stringify(report('ann "the\nlogin"')),
  })
  assert.equal(answer.status, 200)
  await server.waitFor(/"seen"/)
  await server.stop()
  const lines = server.output
    .trimEnd()
    .split('\n')
    .map(
      (text) =>
        JSON.parse(text) as { readonly level: string; readonly msg: string; readonly fields?: unknown },
    )
  assert.ok(lines.every(({ level }) => ['error', 'warn', 'info', 'debug'].includes(level)))
  assert.deepEqual(lines.find(({ msg }) => msg === 'seen')?.fields, {
    login: 'ann "the\nlogin"',
    password: '***',
  })
  assert.equal(lines.at(-1)?.msg, 'stopped')
})

test("under the journal lines have its priorities and no time; a child's other output has not", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'trackalert-journal-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const journal = join(folder, 'journal')
  // systemd gives a socket; what tells it is the device and the inode, which a file has as well.
  const descriptor = openSync(journal, 'a')
  const { dev, ino } = fstatSync(descriptor)
  await writeFile(join(folder, 'trackalert.conf'), LOGGING_POLICY)
  const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
  const child = spawn(process.execPath, [main, '-s', '-C', join(folder, 'trackalert.conf')], {
    stdio: ['ignore', descriptor, 'inherit'],
    env: { ...process.env, JOURNAL_STREAM: `${dev}:${ino}` },
  })
  closeSync(descriptor)
  const ended = new Promise((resolve) => child.once('close', resolve))
  t.after(() => child.kill('SIGKILL'))
  const deadlineMs = performance.now() + 60_000
  while (!/^<6>info {2}ready: /m.test(readFileSync(journal, 'utf8'))) {
    assert.ok(performance.now() < deadlineMs, readFileSync(journal, 'utf8'))
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  child.kill('SIGTERM')
  await ended
  const lines = readFileSync(journal, 'utf8').trimEnd().split('\n')
  for (const line of lines) assert.match(line, /^<[3-7]>(?:error|warn |info |debug) /)
  assert.equal(lines.at(-1), '<6>info  stopped')

  const other = await startServer(t, {
    configuration: LOGGING_POLICY,
    env: { JOURNAL_STREAM: `${dev}:${ino}` },
  })
  assert.doesNotMatch(other.output, /^<\d>/m)
})

test('a reader of the log that stops reading stops nothing else; what was dropped is counted and said', async (t) => {
  const server = await startServer(t, {
    configuration: `${BASE_CONFIGURATION}
      local long = string.rep("x", 60000)
      setReport(function(lt) for i = 1, 5 do infoLog("long " .. long, {login=lt.login}) end end)`,
  })
  server.child.stdout.pause()
  for (let number = 0; number < 40; number++) {
    const answer = await server.post('/command/report', report(`user${number}`))
    assert.equal(answer.status, 200)
    await answer.arrayBuffer()
  }
  const dropped = async (): Promise<number> => {
    const text = await (await server.get('/metrics')).text()
    return Number(/^trackalert_log_lines_dropped_total\{to="output"\} (\d+)$/m.exec(text)?.[1] ?? NaN)
  }
  const deadlineMs = performance.now() + 15_000
  while (!((await dropped()) > 0)) {
    assert.ok(performance.now() < deadlineMs, 'nothing was dropped')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  server.child.stdout.resume()
  while (!/lines of the log were dropped: whoever reads it is too slow: lines="\d+"/.test(server.output)) {
    assert.ok(performance.now() < deadlineMs, 'nothing says that lines were dropped')
    await server.post('/command/report', report('behind'))
  }
  assert.deepEqual(await server.stop(), { code: 0, signal: null })
})

test('a reader who never reads again does not keep the server from ending', async (t) => {
  const server = await startServer(t, {
    configuration: `${BASE_CONFIGURATION}
      local long = string.rep("x", 60000)
      setReport(function(lt) for i = 1, 10 do infoLog(long, {}) end end)`,
  })
  server.child.stdout.pause()
  for (let number = 0; number < 5; number++) await server.post('/command/report', report(`user${number}`))
  const ended = new Promise<number | null>((resolve) => server.child.once('exit', resolve))
  server.child.kill('SIGTERM')
  assert.equal(await ended, 0)
  server.child.stdout.resume()
})

/** The process that sends this process's lines to syslog. */
function loggerPid(): number {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ')
  const logger = children.find((pid) =>
    readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('--prio-prefix'),
  )
  assert.ok(logger !== undefined)
  return Number(logger)
}
