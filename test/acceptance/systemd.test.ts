/** The server under systemd: what it tells it, and the unit that comes with it. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { noNotifySocketBecause, openNotifySocket } from '../support/notify-socket.ts'
import { BASE_CONFIGURATION, spawnServer, startServer } from '../support/server-process.ts'

const UNIT = fileURLToPath(new URL('../../conf/trackalert.service', import.meta.url))
/** systemd's own measure, from 0 (safe) to 100; a service without any restriction has 96. */
const MOST_EXPOSURE = 20

function noAnalyzeBecause(): string | undefined {
  try {
    // `security --offline` came with 250.
    execFileSync('systemd-analyze', ['security', '--offline=true', UNIT], { stdio: 'ignore' })
    return undefined
  } catch {
    return 'this machine has no systemd-analyze that looks at files'
  }
}

describe('the unit', { skip: noAnalyzeBecause() ?? false }, () => {
  test('is one that systemd understands', (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'trackalert-unit-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    const file = join(folder, 'trackalert.service')
    // The program need not be installed here.
    writeFileSync(file, readFileSync(UNIT, 'utf8').replace('/usr/bin/trackalert', process.execPath))
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', file], {
      encoding: 'utf8',
    })
    // What it says of other units of this machine does not matter.
    assert.deepEqual(
      stderr.split('\n').filter((line) => line.includes('trackalert')),
      [],
    )
    assert.equal(status, 0)
  })

  test('restricts the server to what it needs', () => {
    const words = ['security', '--offline=true', `--threshold=${MOST_EXPOSURE}`, UNIT]
    const { status, stdout } = spawnSync('systemd-analyze', words, { encoding: 'utf8' })
    assert.equal(status, 0, stdout.split('\n').slice(-3).join('\n'))
  })
})

test('what the unit promises systemd the program does: options, signal, state directory', () => {
  const unit = readFileSync(UNIT, 'utf8')
  const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
  const help = execFileSync(process.execPath, [main, '--help'], { encoding: 'utf8' })
  const [, options = ''] = /^ExecStart=\/usr\/bin\/trackalert(.*)$/m.exec(unit) ?? []
  const given = options.match(/-{1,2}[a-z-]+/g) ?? []
  assert.notEqual(given.length, 0)
  for (const option of given) assert.ok(help.includes(`${option},`), option)
  assert.match(unit, /^StateDirectory=trackalert$/m)
  assert.match(unit, /^Type=notify$/m)
})

describe('told by the server', { skip: noNotifySocketBecause() ?? false }, () => {
  test('systemd hears that it is ready, lives, and stops', async (t) => {
    const socket = await openNotifySocket(t)
    const has = (state: string) => (messages: readonly string[]) =>
      messages.some((message) => message.includes(state))
    const server = await startServer(t, {
      configuration: BASE_CONFIGURATION,
      env: { NOTIFY_SOCKET: socket.path, WATCHDOG_USEC: '1000000' },
    })
    await socket.until(has('READY=1'))
    await socket.until((messages) => messages.filter((each) => each.includes('WATCHDOG=1')).length >= 2)
    assert.ok(!has('STOPPING=1')(socket.messages))
    assert.equal((await server.stop()).code, 0)
    await socket.until(has('STOPPING=1'))
    assert.doesNotMatch(server.output, /systemd|not alive/)
  })

  test('a server that cannot start does not say that it is ready', async (t) => {
    const socket = await openNotifySocket(t)
    const server = await spawnServer(t, {
      configuration: `${BASE_CONFIGURATION}\nthis is no Lua`,
      env: { NOTIFY_SOCKET: socket.path },
    })
    assert.equal((await server.exited).code, 1)
    assert.deepEqual(socket.messages, [])
  })
})

test('a server whose messages nobody takes goes on', async (t) => {
  const server = await startServer(t, {
    configuration: BASE_CONFIGURATION,
    env: { NOTIFY_SOCKET: '/nowhere/at/all' },
  })
  await server.waitFor(/warn {2}systemd could not be told how the service is/)
  assert.equal((await server.get('/command/readyz')).status, 200)
})
