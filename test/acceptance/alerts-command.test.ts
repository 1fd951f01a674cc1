/** `trackalert alerts` and `trackalert notify-test` against a real server, as a shell runs them. */
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { allRun, eventually, report } from '../support/ask-server.ts'
import { connectConsole, CONTROL_CONFIGURATION, CONTROL_KEY } from '../support/console-client.ts'
import { temporaryDirectory } from '../support/embedded-store.ts'
import { freePort } from '../support/free-port.ts'
import { listenLocal } from '../support/listen-local.ts'
import { MAIN, runProgram } from '../support/program.ts'
import { PASSWORD, startServer, type ServerProcess } from '../support/server-process.ts'

function configuration(port: number): string {
  return `
    addListener("127.0.0.1:${port}", false, "", "", {})
    setWebserverPassword(${JSON.stringify(PASSWORD)})
    ${CONTROL_CONFIGURATION}
    addAlertSink("good", "exec", {argv={"/bin/sh", "-c", "cat > /dev/null; echo taken"}})
    addAlertSink("bad", "exec", {argv={"/bin/sh", "-c", "echo no room >&2; exit 3"}})
    addAlertRoute{severity="critical", sinks={"good"}, groupWait=0}
    addAlertRoute{severity="info", rule="none", sinks={"good"}}
    setReport(function(lt)
      raiseAlert{rule=lt.attrs.rule or "travel", key=lt.login, severity=lt.attrs.severity, threshold=800,
        value=tonumber(lt.attrs.value), message="said \\"hi\\"\\nand left"}
    end)`
}

/** Alerts when a login comes for the second time. */
const TREND_POLICY = `
    local seen = newStringStatsDB("seen", 3600, 24, { count = "int", ways = "seen" })
    setReport(function(lt)
      if lt.attrs.explain then
        infoLog("explained", { value = explainAlert(tonumber(lt.attrs.explain), "table").latest.value })
        return
      end
      seen:twAdd(lt.login, "count", 1)
      local count = seen:twGet(lt.login, "count")
      seen:twSeen(lt.login, "ways", "nowhere")
      if count < 2 then return end
      raiseAlert{rule="many", key=lt.login, severity="high", message="again", value=count, threshold=2,
        parameters={logins=2}}
    end)`

async function start(t: TestContext, policy = '') {
  const server = await startServer(t, { configuration: configuration(await freePort()) + policy })
  const run = async (...words: readonly string[]) =>
    runProgram(t, [...words, '-C', join(server.folder, 'trackalert.conf')], {
      env: { USER: 'eve', TZ: 'UTC' },
    })
  return { server, run }
}

/** Of the key: its number and the rest. */
async function idOf(server: ServerProcess, key: string): Promise<number> {
  const answer = await server.get(`/command/alerts?key=${key}`)
  const { alerts } = (await answer.json()) as { readonly alerts: readonly { readonly id: number }[] }
  return alerts[0]?.id ?? 0
}

test('alerts are listed as a table, as JSON and as lines, by what was asked for', async (t) => {
  const { server, run } = await start(t)
  const none = await run('alerts', '--format', 'line')
  assert.deepEqual(none, { code: 0, stdout: '', stderr: '' })
  await report(server, { login: 'ann', attrs: { severity: 'high', value: '900.5' } })
  await allRun(server)
  await report(server, { login: 'bob smith', attrs: { severity: 'low', rule: 'other' } })
  await allRun(server)

  const table = await run('alerts')
  assert.equal(table.code, 0, table.stderr)
  const [header, first, second, ...rest] = table.stdout.split('\n')
  assert.match(header ?? '', /^ID +Last +Severity/)
  assert.match(first ?? '', /low +open +1 +other +bob smith +said "hi" and left$/)
  assert.match(second ?? '', /high +open +1 +travel +ann +said "hi" and left$/)
  assert.deepEqual(rest, [''])

  const id = await idOf(server, 'ann')
  const line = await run('alerts', '--severity', 'medium', '--since', '3m', '--format', 'line')
  assert.match(
    line.stdout,
    new RegExp(
      String.raw`^\d\d/\d\d/\d\d \d\d:\d\d:\d\d\.\d{6} travel high "said \\"hi\\"\\nand left" ID=${id} ` +
        String.raw`TYPE=policy state=open user=ann v1=900\.5 v2=800\n$`,
    ),
  )
  const other = await run('alerts', '--rule', 'oth*', '--format', 'line')
  assert.match(other.stdout, / other low .* user="bob smith" v1=1 v2=800\n$/)
  const json = await run('alerts', '--key', 'ann', '--state', 'open', '--limit', '1', '--format', 'json')
  const [alert, end] = json.stdout.split('\n')
  assert.equal((JSON.parse(alert ?? '') as { readonly message: string }).message, 'said "hi"\nand left')
  assert.equal(end, '')
})

test('one alert is shown with its history, acknowledged, commented and resolved', async (t) => {
  const { server, run } = await start(t)
  await report(server, { login: 'ann', attrs: { severity: 'critical' } })
  await allRun(server)
  const id = String(await idOf(server, 'ann'))
  let shown = ''
  await eventually('the history does not tell of the delivery', async () => {
    shown = (await run('alerts', 'show', id)).stdout
    return shown.includes('delivered')
  })
  assert.match(shown, /^Rule +travel$/m)
  assert.match(shown, /new +1 +good +delivered 1 +\S+Z +\S.* exit status 0: taken$/m)

  const acked = await run('alerts', 'ack', id, 'on it')
  assert.match(acked.stdout, /acknowledged/)
  assert.equal((await run('alerts', 'comment', id, 'calls back', '--author', 'zoe')).code, 0)
  assert.match((await run('alerts', 'resolve', id)).stdout, / resolved /)
  const after = (await run('alerts', 'show', id)).stdout
  assert.match(after, /^Acknowledged +\S+ by eve: on it$/m)
  assert.match(after, /^Comment +\S+ by zoe: calls back$/m)
  assert.match(after, /^Resolved +\S+ by eve$/m)
  const json = (await run('alerts', 'show', id, '--format', 'json')).stdout
  assert.equal((JSON.parse(json) as { readonly notifications: unknown[] }).notifications.length > 0, true)
})

test('an alert is explained: the report, what the policy had read, and what was crossed', async (t) => {
  const { server, run } = await start(t, TREND_POLICY)
  for (const attrs of [{}, {}, { again: 'yes' }])
    await report(server, { login: 'ann', attrs, protocol: 'imap' })
  await allRun(server)
  const id = String(await idOf(server, 'ann'))
  const explained = await run('alerts', 'explain', id)
  assert.equal(explained.code, 0, explained.stderr)
  const [first = '', latest = ''] = explained.stdout.split(/^Raised last at /m)
  assert.match(first, /^Alert \d+: many about ann\. It is high and open\.\nIt was raised 2 times: first at /)
  assert.match(
    first,
    /^ {2}Report \d+: a login of ann from 192\.0\.2\.7 by imap, not encrypted, succeeded at .* \+00:00\.$/m,
  )
  assert.match(first, /^ {2}The value was 2 and so reached the threshold \(the parameter logins\)\.$/m)
  assert.match(first, /^ {2}The parameters of the rule were logins = 2\.$/m)
  assert.match(first, /^ {4}seen, "ann", count: 2 over all windows \[twGet\]$/m)
  assert.match(first, /^ {4}seen, "ann", ways, "nowhere": nothing \[twSeen\]$/m)
  assert.match(latest, /^ {2}The value was 3, 1 above the threshold of 2 \(the parameter logins\)\.$/m)

  const json = JSON.parse((await run('alerts', 'explain', id, '--format', 'json')).stdout) as {
    readonly explanation: { readonly latest: { readonly value: number; readonly reads: readonly object[] } }
  }
  assert.equal(json.explanation.latest.value, 3)
  assert.deepEqual(json.explanation.latest.reads[0], {
    call: 'twGet',
    database: 'seen',
    key: 'ann',
    field: 'count',
    answer: 3,
  })
  const ask = await connectConsole(t, server)
  assert.match(await ask(`explainAlert(${id})`), /^ {4}seen, "ann", count: 2 over all windows \[twGet\]$/m)
  assert.equal(await ask('explainAlert(9999)'), '')
  await report(server, { login: 'bob', attrs: { explain: id } })
  await allRun(server)
  await server.waitFor(/explained: value="3"/)

  assert.equal((await run('alerts', 'explain', '9999')).code, 1)
  await ask('forgetLogin("ann")')
  assert.match((await run('alerts', 'explain', id)).stderr, /There is no such alert/)
})

test('what the server refuses, or cannot be asked, is told by the status', async (t) => {
  const { server, run } = await start(t)
  const gone = await run('alerts', 'show', '9999')
  assert.equal(gone.code, 1)
  assert.match(gone.stderr, /status 404: There is no such alert/)
  const wrong = await run('alerts', '--since', 'soon')
  assert.equal(wrong.code, 1)
  assert.match(wrong.stderr, /since must be a time span/)
  writeFileSync(join(server.folder, 'wrong'), 'wrong\n')
  const refused = await run('alerts', '--password-file', join(server.folder, 'wrong'))
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /status 401/)
  const nobody = await run('alerts', '--url', `http://127.0.0.1:${await freePort()}`)
  assert.equal(nobody.code, 3)
  assert.match(nobody.stderr, /no answer from http:/)
})

test('what is followed goes on over a restart of the server, and each alert is told once', async (t) => {
  const port = await freePort()
  let server = await startServer(t, { configuration: configuration(port) })
  await report(server, { login: 'ann' })
  await allRun(server)
  const { folder } = server
  const words = ['alerts', '--follow', '--format', 'line', '-C', join(folder, 'trackalert.conf')]
  const child = spawn(process.execPath, [MAIN, ...words])
  t.after(() => child.kill('SIGKILL'))
  let output = ''
  let errors = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  const users = (): readonly string[] => Array.from(output.matchAll(/ user=(\S+) /g), ([, user = '']) => user)
  await eventually('the first is not printed', () => users().length === 1)
  await report(server, { login: 'bob' })
  await report(server, { login: 'carl' })
  await eventually('the new ones are not printed', () => users().length === 3)
  await server.stop('SIGKILL')
  await eventually('the loss is not told', () => errors.includes('it is asked again'))
  server = await startServer(t, { configuration: configuration(port), folder })
  await report(server, { login: 'dora' })
  await eventually('it does not go on', () => users().includes('dora'))
  await report(server, { login: 'ann' })
  await eventually('what was raised again is not printed', () => users().length === 5)
  assert.deepEqual(
    users().toSorted((a, b) => a.localeCompare(b)),
    ['ann', 'ann', 'bob', 'carl', 'dora'],
  )
  assert.equal(output.split('\n').length, 6)
  assert.equal(child.exitCode, null)
})

test('what is followed ends quietly when the reader has seen enough', async (t) => {
  const { server } = await start(t)
  await report(server, { login: 'ann' })
  await allRun(server)
  const shell = `"$0" "$1" alerts --follow --format line -C "$2" | head -n 1; echo "\${PIPESTATUS[0]}"`
  const words = ['-c', shell, process.execPath, MAIN, join(server.folder, 'trackalert.conf')]
  let isOver = false
  const ended = promisify(execFile)('bash', words).finally(() => (isOver = true))
  // Like any program it notices at a line that nobody takes any more.
  let more = 0
  await eventually('it does not end', async () => {
    await report(server, { login: `user${more++}` })
    return isOver
  })
  const { stdout, stderr } = await ended
  const [line, status, ...rest] = stdout.split('\n')
  assert.match(line ?? '', / travel .* user=/)
  assert.deepEqual([status, rest, stderr], ['0', [''], ''])
})

test('a sink is tested with one command, whose status tells how it went', async (t) => {
  const { server } = await start(t)
  const [, port = ''] = await server.waitFor(/the control socket is open: host="127.0.0.1" port="(\d+)"/)
  writeFileSync(join(server.folder, 'key'), CONTROL_KEY.toString('base64'))
  const control = ['--control', `127.0.0.1:${port}`, '--key-file', join(server.folder, 'key')]
  const tested = (sink: string) => runProgram(t, ['notify-test', sink, ...control])
  assert.deepEqual(await tested('good'), { code: 0, stdout: 'good: exit status 0: taken\n', stderr: '' })
  const bad = await tested('bad')
  assert.deepEqual([bad.code, bad.stdout], [1, ''])
  assert.match(bad.stderr, /bad: the test was not delivered: exit status 3: no room/)
  const none = await tested('no"such\n')
  assert.equal(none.code, 1)
  assert.match(none.stderr, /there is no alert sink .*; there are good, bad/)
  const away = await runProgram(t, ['notify-test', 'good', '--control', '127.0.0.1:1', ...control.slice(2)])
  assert.equal(away.code, 3)
  // The policy workers run a line of the console too, and say in the log when it fails there.
  await server.stop()
  assert.doesNotMatch(server.output, /a line of the console failed/)
})

test('a server that does not know what is asked is said to be of another version, and its answer is not poured out', async (t) => {
  const older = createServer((_, response) =>
    response.end(JSON.stringify({ status: 'ok', alert: { id: 1 } })),
  )
  const port = await listenLocal(t, older)
  const passwordFile = join(await temporaryDirectory(t), 'password')
  writeFileSync(passwordFile, 'p')
  const target = ['--url', `http://127.0.0.1:${port}`, '--password-file', passwordFile]
  assert.deepEqual(await runProgram(t, ['alerts', 'explain', '1', ...target]), {
    code: 1,
    stdout: '',
    stderr: 'trackalert: the server answered something else; it may be of an older version\n',
  })
})
