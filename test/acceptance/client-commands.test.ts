/** -e, -c from a pipe and what their exit statuses say. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { startConsoleServer } from '../support/console-server.ts'
import { runProgram } from '../support/program.ts'

describe('-e', () => {
  test('prints where it connects to and the answer, with status 0', async (t) => {
    const server = await startConsoleServer(t)
    const result = await runProgram(t, ['-e', 'return "a" .. "b"', '-C', server.configFile])
    assert.deepEqual(result, {
      code: 0,
      stdout: `Connecting to 127.0.0.1:${server.port}\nab\n`,
      stderr: '',
    })
    // Nothing was left behind, such as a state directory.
    assert.deepEqual(readdirSync(server.folder), ['trackalert.conf'])
  })

  test('a command that fails is status 1, with the error', async (t) => {
    const server = await startConsoleServer(t)
    const result = await runProgram(t, ['-e', 'nothing()', '-C', server.configFile])
    assert.equal(result.code, 1)
    assert.match(result.stdout, /\nError: .*nothing/)
  })

  test('a wrong command line is status 2', async (t) => {
    const result = await runProgram(t, ['-e'])
    assert.equal(result.code, 2)
    assert.match(result.stderr, /argument missing/)
  })

  test('no server, a wrong key, and nothing configured are status 3', async (t) => {
    const server = await startConsoleServer(t)
    const wrongKey = join(server.folder, 'wrong.key')
    writeFileSync(wrongKey, randomBytes(32).toString('base64'))
    const refused = await runProgram(t, ['-e', 'stats()', '-C', server.configFile, '--key-file', wrongKey])
    assert.equal(refused.code, 3)
    assert.match(refused.stderr, /does not take the key/)
    assert.deepEqual(server.lines, [])

    await server.stop()
    const unreachable = await runProgram(t, ['-e', 'stats()', '-C', server.configFile])
    assert.equal(unreachable.code, 3)
    assert.match(unreachable.stderr, /cannot be reached: 127\.0\.0\.1 port \d+: .*ECONNREFUSED/)

    writeFileSync(server.configFile, '')
    const unknown = await runProgram(t, ['-e', 'stats()', '-C', server.configFile])
    assert.equal(unknown.code, 3)
    assert.match(unknown.stderr, /has no controlSocket/)
    const missing = await runProgram(t, ['-e', 'stats()', '-C', '/nonexistent.conf'])
    assert.equal(missing.code, 3)
    assert.match(missing.stderr, /nonexistent\.conf/)
  })

  test('address and key may come from the environment, and no configuration is read then', async (t) => {
    const server = await startConsoleServer(t)
    const result = await runProgram(t, ['-e', 'return 1', '-C', '/nonexistent.conf'], {
      env: {
        TRACKALERT_CONTROL_ADDRESS: `127.0.0.1:${server.port}`,
        TRACKALERT_CONTROL_KEY: server.key,
      },
    })
    assert.deepEqual([result.code, result.stderr], [0, ''])
    assert.match(result.stdout, /\n1\n$/)
  })
})

describe('-c from a pipe', () => {
  const run = async (t: Parameters<typeof runProgram>[0], input: string) => {
    const server = await startConsoleServer(t)
    const result = await runProgram(t, ['-c', '-C', server.configFile], { input })
    return { ...result, stdout: result.stdout.replace(/^Connecting to .*\n/, ''), server }
  }

  test('runs every line and prints the answers alone', async (t) => {
    const { code, stdout, stderr } = await run(t, 'return 1\n\nfor i = 1, 2 do\nprint(i)\nend\nreturn "z"\n')
    assert.deepEqual([code, stdout, stderr], [0, '1\n1\n2\n\nz\n', ''])
  })

  test('a line that fails makes status 1 and does not stop the others; quit does', async (t) => {
    const { code, stdout } = await run(t, 'nothing()\nreturn 2\nquit\nreturn 3\n')
    assert.equal(code, 1)
    assert.match(stdout, /^Error: .*nothing.*\n2\n$/)
  })

  test('a chunk that never ends is an error', async (t) => {
    const { code, stdout } = await run(t, 'if true then')
    assert.equal(code, 1)
    assert.match(stdout, /^Error: .*<eof>/)
  })

  test('a last line without an end is run, and no history is written', async (t) => {
    const { stdout, server } = await run(t, 'return 5')
    assert.equal(stdout, '5\n')
    assert.deepEqual(readdirSync(server.folder), ['trackalert.conf'])
  })
})
