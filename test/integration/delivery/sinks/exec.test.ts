/** The sink exec with real scripts that do well, fail, hang, flood, and start others. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { atEnd } from '../../../support/clean-up.ts'
import { startDelivery } from '../../../support/delivery-rig.ts'
import { notificationBody } from '../../../support/notifications.ts'

interface Script {
  readonly folder: string
  readonly argv: readonly [string]
}

async function script(t: TestContext, body: string): Promise<Script> {
  const folder = await mkdtemp(join(tmpdir(), 'trackalert-exec-'))
  atEnd(t, () => rm(folder, { recursive: true }))
  const path = join(folder, 'script')
  await writeFile(path, `#!/bin/sh\n${body}\n`)
  await chmod(path, 0o755)
  await chmod(folder, 0o777)
  return { folder, argv: [path] }
}

async function until(isTrue: () => boolean): Promise<void> {
  for (let tries = 0; !isTrue(); tries++) {
    assert.ok(tries < 3000, 'it did not happen in thirty seconds')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

test('a script gets its arguments, the notification on its input, and a clean environment', async (t) => {
  const { folder, argv } = await script(
    t,
    'cat > input; printf "%s\\n" "$@" > arguments; env > environment; echo filed as 17',
  )
  process.env['TRACKALERT_TEST_SECRET'] = 'SECRET'
  t.after(() => delete process.env['TRACKALERT_TEST_SECRET'])
  const body = notificationBody([{ message: 'a $(touch evil) `b`\n\0c', value: 5 }])
  const rig = startDelivery(
    t,
    {},
    {
      sinks: { hook: { type: 'exec', argv: [...argv, '--to', 'a b; $HOME *'], folder } },
    },
  )
  rig.outbox.add({ hook: 'sink:hook', body })
  await rig.drained()
  assert.equal(await readFile(join(folder, 'input'), 'utf8'), body)
  assert.equal(await readFile(join(folder, 'arguments'), 'utf8'), '--to\na b; $HOME *\n')
  const environment = await readFile(join(folder, 'environment'), 'utf8')
  const variables = new Map(
    environment.split('\n').map((line) => [line.split('=')[0], line.slice(line.indexOf('=') + 1)]),
  )
  assert.equal(variables.get('TRACKALERT_RULE'), 'impossible-travel')
  assert.equal(variables.get('TRACKALERT_MESSAGE'), 'a $(touch evil) `b`')
  assert.match(environment, /^c$/m)
  assert.deepEqual(
    ['SINK', 'SEVERITY', 'VALUE', 'USER', 'REMOTE', 'LAST', 'KIND'].map((name) =>
      variables.get(`TRACKALERT_${name}`),
    ),
    ['hook', 'high', '5', 'ann', '192.0.2.7', '1762053245', 'alert'],
  )
  assert.equal(variables.get('TRACKALERT_DELIVERY'), rig.records[0]?.deliveryId)
  assert.doesNotMatch(environment, /SECRET/)
  assert.ok(!existsSync(join(folder, 'evil')))
  assert.equal(rig.records[0]?.answer, 'exit status 0: filed as 17')
})

for (const { status, onFailure, state } of [
  { status: 1, onFailure: 'retry', state: 'retry' },
  { status: 1, onFailure: 'give-up', state: 'dead' },
  { status: 75, onFailure: 'give-up', state: 'retry' },
] as const) {
  test(`with onFailure = "${onFailure}" an exit status ${status} means ${state}`, async (t) => {
    const { folder, argv } = await script(
      t,
      `if [ -e once ]; then exit 0; fi; touch once; echo no >&2; exit ${status}`,
    )
    const rig = startDelivery(t, {}, { sinks: { hook: { type: 'exec', argv, folder, onFailure } } })
    rig.outbox.add({ hook: 'sink:hook', body: notificationBody() })
    await rig.drained()
    assert.deepEqual([rig.records[0]?.state, rig.records[0]?.answer], [state, `exit status ${status}: no`])
    assert.equal(rig.records.length, state === 'retry' ? 2 : 1)
  })
}

test('a script that hangs and ignores SIGTERM is killed with all that it started, and tried again', async (t) => {
  const { folder, argv } = await script(
    t,
    `if [ -e pids ]; then exit 0; fi
     trap "" TERM
     sh -c 'trap "" TERM; echo $$ >> pids; while :; do sleep 1; done' &
     echo $$ >> pids; while :; do sleep 1; done`,
  )
  const rig = startDelivery(t, {}, { sinks: { hook: { type: 'exec', argv, folder, timeout: 3 } } })
  rig.outbox.add({ hook: 'sink:hook', body: notificationBody() })
  await rig.drained()
  assert.equal(rig.records[0]?.answer, 'ended after 3 s')
  assert.equal(rig.records.at(-1)?.state, 'delivered')
  const pids = (await readFile(join(folder, 'pids'), 'utf8')).trim().split('\n').map(Number)
  assert.equal(pids.length, 2)
  await until(() => !pids.some(isAlive))
})

test('a script that floods its output ends, and four kilobytes of it are kept', async (t) => {
  const { folder, argv } = await script(t, 'head -c 5000000 /dev/zero | tr "\\0" x; echo; exit 0')
  const rig = startDelivery(t, {}, { sinks: { hook: { type: 'exec', argv, folder } } })
  rig.outbox.add({ hook: 'sink:hook', body: notificationBody() })
  await rig.drained()
  const { answer = '' } = rig.records[0] ?? {}
  assert.match(answer, /^exit status 0: x+…$/)
  assert.equal(Buffer.byteLength(answer), 4096)
})

test('a script that leaves its input unread or a child with its output open does not hold anything up', async (t) => {
  const { folder, argv } = await script(t, 'exec <&-; sleep 60 & echo $! > pid; echo started')
  const rig = startDelivery(t, {}, { sinks: { hook: { type: 'exec', argv, folder } } })
  const alerts = Array.from({ length: 100 }, (_, id) => ({ id, message: 'x'.repeat(4000) }))
  rig.outbox.add({ hook: 'sink:hook', body: notificationBody(alerts) })
  await rig.drained()
  const pid = Number(await readFile(join(folder, 'pid'), 'utf8'))
  t.after(() => process.kill(pid))
  assert.equal(rig.records[0]?.answer, 'exit status 0: started')
  assert.ok(isAlive(pid))
})

test('a program that is not there is tried again and named', async (t) => {
  const rig = startDelivery(t, {}, { sinks: { hook: { type: 'exec', argv: ['/no/such/program'] } } })
  rig.outbox.add({ hook: 'sink:hook', body: notificationBody() })
  await rig.tried(1)
  assert.equal(rig.outbox.size, 1)
  assert.match(rig.records[0]?.answer ?? '', /could not be started: .*ENOENT/)
})

test('no more run at once than may, and all get their turn', async (t) => {
  const { folder, argv } = await script(
    t,
    'echo x > "run.$$"; ls run.* | wc -l >> counts; sleep 0.5; rm "run.$$"',
  )
  const rig = startDelivery(t, {}, { sinks: { hook: { type: 'exec', argv, folder, concurrency: 3 } } })
  for (let id = 0; id < 12; id++) rig.outbox.add({ hook: 'sink:hook', body: notificationBody([{ id }]) })
  await rig.drained()
  const counts = (await readFile(join(folder, 'counts'), 'utf8')).trim().split('\n').map(Number)
  assert.equal(counts.length, 12)
  assert.ok(Math.max(...counts) <= 3, counts.join())
  assert.ok(Math.max(...counts) > 1, counts.join())
})

test('the stop ends a script, and its notification stays in the queue', async (t) => {
  const { folder, argv } = await script(t, 'echo $$ > pid; exec sleep 60')
  const rig = startDelivery(t, {}, { sinks: { hook: { type: 'exec', argv, folder } } })
  rig.outbox.add({ hook: 'sink:hook', body: notificationBody() })
  await until(() => existsSync(join(folder, 'pid')))
  assert.equal(await rig.delivery.stop(0), '1 webhook or notification')
  const pid = Number(await readFile(join(folder, 'pid'), 'utf8'))
  await until(() => !isAlive(pid))
  assert.equal(rig.outbox.size, 1)
  // It does not count as a try: it says nothing about the script.
  assert.deepEqual([rig.records, rig.tries], [[], []])
})

test('a script runs as another user if the server is root', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('only root can be somebody else')
  const { folder, argv } = await script(t, 'echo "$(id -u) $(id -g) $(id -G)"')
  const rig = startDelivery(
    t,
    {},
    { sinks: { hook: { type: 'exec', argv, folder, uid: 65_534, gid: 65_534 } } },
  )
  assert.deepEqual(await rig.delivery.sendTest('hook'), {
    ok: true,
    answer: 'exit status 0: 65534 65534 65534',
  })
})
