/** check, report and dump, as a shell runs them. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { MAIN, runProgram } from '../support/program.ts'
import { BASE_CONFIGURATION, PASSWORD, startServer, type ServerProcess } from '../support/server-process.ts'

const CERTIFICATES = fileURLToPath(new URL('../fixtures/tls/private-ca/', import.meta.url))
const KEY = randomBytes(32).toString('base64')

async function newFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'trackalert-subcommands-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

describe('check', () => {
  async function check(t: TestContext, configuration: string) {
    const folder = await newFolder(t)
    writeFileSync(join(folder, 'own.conf'), configuration)
    const result = await runProgram(t, ['check', 'own.conf'], { cwd: folder })
    assert.deepEqual(readdirSync(folder), ['own.conf'])
    assert.equal(result.stderr, '')
    return { code: result.code, lines: result.stdout.replaceAll(`${folder}/`, '').trimEnd().split('\n') }
  }

  test('a good configuration is status 0, with what may be forgotten', async (t) => {
    const { code, lines } = await check(
      t,
      `${BASE_CONFIGURATION}\ncontrolSocket("127.0.0.1")\nsetWebserverPassword(secret("new"))`,
    )
    assert.equal(code, 0)
    assert.deepEqual(lines, [
      'own.conf: warning: no setReport() in the configuration: reports are taken and nothing looks at them',
      'own.conf: warning: controlSocket() without setKey(): the console cannot be used',
      'own.conf: no mistakes found',
    ])
  })

  test('every mistake is a line with file and line number, and the status is 1', async (t) => {
    const { code, lines } = await check(
      t,
      'addACL("x")\naddAcl("y")\nsetNumLuaStates(0)\nlocal x = nil; x.y = 1',
    )
    assert.equal(code, 1)
    assert.equal(lines.length, 6)
    assert.match(lines[0] ?? '', /^own\.conf:1: "x" is no netmask/)
    assert.match(lines[1] ?? '', /^own\.conf:2: attempt to call a nil value \(global 'addAcl'\)/)
    assert.match(lines[2] ?? '', /^own\.conf:3: .*setNumLuaStates/)
    assert.match(lines[3] ?? '', /^own\.conf:4: attempt to index/)
    assert.match(lines[4] ?? '', /the file ended at an error/)
    assert.equal(lines[5], 'own.conf: 4 mistakes')
  })

  test('a file that is not there is status 1', async (t) => {
    const { code, stdout } = await runProgram(t, ['check', '/nonexistent.conf'])
    assert.equal(code, 1)
    assert.match(stdout, /^\/nonexistent\.conf: .*cannot be read/)
  })
})

describe('report', () => {
  const REPORTING = `
    setReport(function(lt)
      infoLog("seen", { login = lt.login, remote = lt.remote:tostring(), success = lt.success, type = lt.fail_type,
        protocol = lt.protocol, colour = lt.attrs.colour })
    end)`

  test('sends what the options say to the server, and prints its answer', async (t) => {
    const server = await startServer(t, { configuration: BASE_CONFIGURATION + REPORTING })
    const words = ['report', '-C', join(server.folder, 'trackalert.conf'), '--url', server.url]
    const sent = await runProgram(t, [
      ...words,
      ...'--login ann --remote 192.0.2.7 --fail credentials --protocol imap --attr colour=blue'.split(' '),
    ])
    assert.deepEqual(sent, { code: 0, stdout: '{"status":"ok"}\n', stderr: '' })
    await server.waitFor(
      /seen: login="ann" remote="192\.0\.2\.7" success="false" type="credentials" protocol="imap" colour="blue"/,
    )
    const refused = await runProgram(t, [...words, '--login', 'ann', '--remote', 'nowhere'])
    assert.equal(refused.code, 1)
    assert.match(refused.stdout, /"reason":"The field remote /)

    const passwordFile = join(server.folder, 'password')
    writeFileSync(passwordFile, 'wrong\n')
    const unauthorized = await runProgram(t, [...words, '--login', 'ann', '--password-file', passwordFile])
    assert.equal(unauthorized.code, 1)
    assert.match(unauthorized.stderr, /status 401/)
  })

  test('takes listener, certificate and password from the configuration', async (t) => {
    const port = await freePort()
    const server = await startServer(t, {
      configuration: `addListener("127.0.0.1:${port}", true, "${CERTIFICATES}other-host.pem", "${CERTIFICATES}other-host-key.pem", {})
        setWebserverPassword(${JSON.stringify(PASSWORD)}) ${REPORTING}`,
    })
    const configFile = join(server.folder, 'trackalert.conf')
    const sent = await runProgram(t, ['report', '-C', configFile, '--login', 'bob'])
    assert.deepEqual(sent, { code: 0, stdout: '{"status":"ok"}\n', stderr: '' })
    await server.waitFor(/seen: login="bob" remote="127\.0\.0\.1" success="true"/)
    await server.stop()
    const gone = await runProgram(t, ['report', '-C', configFile, '--login', 'bob'])
    assert.equal(gone.code, 3)
    assert.match(gone.stderr, /no answer from https:\/\/127\.0\.0\.1/)
  })

  test('says what is missing', async (t) => {
    const folder = await newFolder(t)
    writeFileSync(join(folder, 'empty.conf'), '')
    const result = await runProgram(t, ['report', '-C', 'empty.conf', '--login', 'a'], { cwd: folder })
    assert.equal(result.code, 3)
    assert.match(result.stderr, /has no setWebserverPassword\(\); say --password-file/)
    assert.ok(!existsSync(join(folder, 'state')))
    writeFileSync(join(folder, 'secret.conf'), 'setWebserverPassword(secret("password"))')
    const before = await runProgram(t, ['report', '-C', 'secret.conf', '--login', 'a'], { cwd: folder })
    assert.match(
      before.stderr,
      /has no setWebserverPassword\(\); .*secret\.conf:1: .*password yet; the server makes it at its first start; say --password-file$/m,
    )
  })
})

describe('dump', () => {
  const KEYS = 900

  async function serverWithTrends(
    t: TestContext,
  ): Promise<{ server: ServerProcess; env: Record<string, string> }> {
    const server = await startServer(t, {
      configuration: `${BASE_CONFIGURATION}
        controlSocket("127.0.0.1:0")
        setKey("${KEY}")
        newStringStatsDB("Log\\"ins", 3600, 6, { count = "int", devices = "seen" })
        setReport(function(lt)
          local db = getStringStatsDB("Log\\"ins")
          for i = 1, ${KEYS} do db:twAdd("key " .. i, "count", i) end
          for i = 1, 200 do db:twAdd("large", "devices", i .. string.rep("x", 500)) end
          infoLog("done", {})
        end)`,
    })
    const [, port] = await server.waitFor(/the control socket is open: host="127\.0\.0\.1" port="(\d+)"/)
    await server.post('/command/report', { login: 'ann', remote: '192.0.2.1', success: true })
    await server.waitFor(/done/)
    return {
      server,
      env: { TRACKALERT_CONTROL_ADDRESS: `127.0.0.1:${port}`, TRACKALERT_CONTROL_KEY: KEY },
    }
  }

  test('prints every key of a database while the server runs, a JSON object a line', async (t) => {
    const { env } = await serverWithTrends(t)
    const endMs = performance.now() + 10_000
    for (;;) {
      const { code, stdout, stderr } = await runProgram(t, ['dump', 'Log"ins'], { env })
      assert.deepEqual([code, stderr], [0, ''])
      const lines = stdout
        .split('\n')
        .filter((line) => line !== '')
        .map(
          (line) =>
            JSON.parse(line) as { key: string; fields: Record<string, { value?: number; items?: [] }> },
        )
      // The run's changes are committed a moment after it has ended.
      if (lines.length === 0 && performance.now() < endMs) continue
      const counts = lines.filter(({ key }) => key !== 'large').map(({ fields }) => fields['count']?.value)
      assert.deepEqual(
        counts.toSorted((a = 0, b = 0) => a - b),
        Array.from({ length: KEYS }, (_, index) => index + 1),
      )
      const large = lines.filter(({ key }) => key === 'large')
      assert.ok(large.length > 1)
      assert.equal(large.flatMap(({ fields }) => fields['devices']?.items ?? []).length, 200)
      return
    }
  })

  test('ends quietly when the reader has seen enough', async (t) => {
    const { env } = await serverWithTrends(t)
    // It reads one line and goes; what is written after that finds nobody.
    const shell = `"$0" "$1" dump 'Log"ins' | head -n 1 > /dev/null; echo "\${PIPESTATUS[0]}"`
    const { stdout, stderr } = await promisify(execFile)('bash', ['-c', shell, process.execPath, MAIN], {
      env: { ...process.env, ...env },
    })
    assert.deepEqual([stdout, stderr], ['0\n', ''])
  })

  test('a database that does not exist is status 1, and no server is 3', async (t) => {
    const { server, env } = await serverWithTrends(t)
    const unknown = await runProgram(t, ['dump', 'Nothing'], { env })
    assert.deepEqual([unknown.code, unknown.stdout], [1, ''])
    assert.match(unknown.stderr, /there is no trend database "Nothing"/)
    await server.stop()
    assert.equal((await runProgram(t, ['dump', 'Nothing'], { env })).code, 3)
  })
})

/** Free at this moment. */
async function freePort(): Promise<number> {
  const { createServer } = await import('node:net')
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}
