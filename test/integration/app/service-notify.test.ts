/** What systemd is told: with its own program where the machine has it, and with one that fails in every way. */
import assert from 'node:assert/strict'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { createServiceNotify } from '../../../src/app/service-notify.ts'
import { noNotifySocketBecause, openNotifySocket } from '../../support/notify-socket.ts'
import { rememberingLog } from '../../support/silent-log.ts'

const alive = async (): Promise<boolean> => true

async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'trackalert-test-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** A systemd-notify of the test's own, the only one on the path. */
async function programOf(t: TestContext, script: string): Promise<string> {
  const folder = await folderFor(t)
  await writeFile(join(folder, 'systemd-notify'), `#!/bin/sh\n${script}\n`)
  await chmod(join(folder, 'systemd-notify'), 0o755)
  return folder
}

async function until(isSo: () => boolean): Promise<void> {
  const endMs = performance.now() + 10_000
  while (!isSo()) {
    if (performance.now() > endMs) throw new Error('not in time')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

describe('with the real systemd-notify', { skip: noNotifySocketBecause() ?? false }, () => {
  test('the states of the service arrive, in order', async (t) => {
    const { log, lines } = rememberingLog()
    const socket = await openNotifySocket(t)
    const environment = { NOTIFY_SOCKET: socket.path, PATH: process.env['PATH'] }
    const notify = createServiceNotify({ log, isAlive: alive }, { environment, pid: process.pid })
    // Nobody waits in between: they are told one after another all the same.
    await Promise.all([notify.ready(), notify.reloading(), notify.ready(), notify.stopping()])
    await socket.until((messages) => messages.some((message) => message.includes('STOPPING=1')))
    const states = socket.messages.filter((message) => !message.includes('BARRIER'))
    assert.deepEqual(
      states.map((message) => message.trim().replace(/\d+$/, (digits) => (digits.length > 1 ? 'N' : digits))),
      ['READY=1', 'RELOADING=1\nMONOTONIC_USEC=N', 'READY=1', 'STOPPING=1'],
    )
    assert.deepEqual(lines, [])
  })

  test('there are signs of life while the server lives, and none while it does not', async (t) => {
    const { log, lines } = rememberingLog()
    const socket = await openNotifySocket(t)
    const environment = {
      NOTIFY_SOCKET: socket.path,
      PATH: process.env['PATH'],
      WATCHDOG_USEC: '200000',
      WATCHDOG_PID: String(process.pid),
    }
    let isAlive = true
    let asked = 0
    const notify = createServiceNotify(
      {
        log,
        async isAlive() {
          asked += 1
          return isAlive
        },
      },
      { environment, pid: process.pid },
    )
    t.after(() => notify.stopping())
    const signs = (): number => socket.messages.filter((message) => message.includes('WATCHDOG=1')).length
    await notify.ready()
    await socket.until(() => signs() >= 3)

    isAlive = false
    const askedBefore = asked
    // The first of these may still belong to an answer before; messages arrive in the order in which they were sent.
    await until(() => asked > askedBefore + 1)
    await notify.reloading()
    await until(() => asked > askedBefore + 20)
    await notify.ready()
    const from = (state: string): number =>
      socket.messages.findLastIndex((message) => message.includes(state))
    await socket.until(() => from('READY=1') > from('RELOADING=1') && from('RELOADING=1') > 0)
    const between = socket.messages.slice(from('RELOADING=1'), from('READY=1'))
    assert.ok(!between.some((message) => message.includes('WATCHDOG=1')))
    assert.deepEqual(
      lines.map(({ level, fields }) => [level, fields]),
      [['error', { why: 'a part of it does not run' }]],
    )

    const signsBefore = signs()
    isAlive = true
    await socket.until(() => signs() > signsBefore)
  })
})

test('a part that does not answer at all is no sign of life', async (t) => {
  const { log, lines } = rememberingLog()
  const folder = await folderFor(t)
  const path = await programOf(t, `echo "$@" >> ${folder}/told`)
  const environment = { NOTIFY_SOCKET: '/nowhere', PATH: path, WATCHDOG_USEC: '100000' }
  const notify = createServiceNotify(
    { log, isAlive: () => new Promise(() => undefined) },
    { environment, pid: 1 },
  )
  t.after(() => notify.stopping())
  await notify.ready()
  await until(() => lines.length > 0)
  assert.equal(lines[0]?.fields['why'], 'no answer within 25 ms')
  assert.equal(await readFile(join(folder, 'told'), 'utf8'), 'READY=1\n')
})

for (const [name, environment] of [
  ['no limit is set', { WATCHDOG_USEC: undefined }],
  ['the limit makes no sense', { WATCHDOG_USEC: 'soon' }],
  ['another process is watched', { WATCHDOG_USEC: '1000', WATCHDOG_PID: '1' }],
] as const) {
  test(`nothing is asked for signs of life when ${name}`, async (t) => {
    const folder = await folderFor(t)
    const path = await programOf(t, `echo "$@" >> ${folder}/told`)
    let asked = 0
    const isAlive = async (): Promise<boolean> => {
      asked += 1
      return true
    }
    const { log } = rememberingLog()
    const notify = createServiceNotify(
      { log, isAlive },
      { environment: { NOTIFY_SOCKET: '/nowhere', PATH: path, ...environment }, pid: process.pid },
    )
    await notify.ready()
    await notify.stopping()
    assert.equal(asked, 0)
    assert.equal(await readFile(join(folder, 'told'), 'utf8'), 'READY=1\nSTOPPING=1\n')
  })
}

test('without systemd nothing is run', async (t) => {
  const folder = await folderFor(t)
  const path = await programOf(t, `touch ${folder}/told`)
  const { log, lines } = rememberingLog()
  const notify = createServiceNotify(
    { log, isAlive: alive },
    { environment: { PATH: path }, pid: process.pid },
  )
  await notify.ready()
  await notify.reloading()
  await notify.stopping()
  await assert.rejects(readFile(join(folder, 'told')), { code: 'ENOENT' })
  assert.deepEqual(lines, [])
})

test('the program gets the socket and nothing else of the environment', async (t) => {
  const folder = await folderFor(t)
  const path = await programOf(t, `env > ${folder}/told`)
  const { log } = rememberingLog()
  const environment = { NOTIFY_SOCKET: '@x', PATH: path, A_SECRET: 'hush' }
  await createServiceNotify({ log, isAlive: alive }, { environment, pid: process.pid }).ready()
  const told = await readFile(join(folder, 'told'), 'utf8')
  assert.match(told, /^NOTIFY_SOCKET=@x$/m)
  assert.doesNotMatch(told, /hush/)
})

test('a program that fails is one warning, with what it said, and no more', async (t) => {
  const path = await programOf(t, 'echo "No such socket" >&2; exit 3')
  const { log, lines } = rememberingLog()
  const environment = { NOTIFY_SOCKET: '/nowhere', PATH: path }
  const notify = createServiceNotify({ log, isAlive: alive }, { environment, pid: process.pid })
  await notify.ready()
  await notify.stopping()
  assert.equal(lines.length, 1)
  assert.equal(lines[0]?.level, 'warn')
  assert.match(String(lines[0].fields['error']), /systemd-notify ended with 3: No such socket$/)
})

test('a folder of the path that is not absolute is not looked into', async (t) => {
  const folder = await folderFor(t)
  await writeFile(join(folder, 'systemd-notify'), `#!/bin/sh\ntouch ${folder}/told\n`, { mode: 0o755 })
  const before = process.cwd()
  process.chdir(folder)
  t.after(() => process.chdir(before))
  const { log } = rememberingLog()
  const environment = { NOTIFY_SOCKET: join(folder, 'nobody'), PATH: '.:' }
  await createServiceNotify({ log, isAlive: alive }, { environment, pid: process.pid }).ready()
  await assert.rejects(readFile(join(folder, 'told')), { code: 'ENOENT' })
})
