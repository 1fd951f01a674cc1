/** kill -9 between the commit of alerts and what is told of them: each is told, once. */
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { EmbeddedStore } from '../../../src/store/embedded/embedded-store.ts'
import { configOf, promptRoute, startAlertService, takeTold, type Told } from '../../support/alert-rig.ts'
import { atEnd } from '../../support/clean-up.ts'
import { openStore, temporaryDirectory } from '../../support/embedded-store.ts'
import { randomFrom } from '../../support/random-from.ts'

const CHILD = join(import.meta.dirname, '../../support/alert-child.ts')
const ROUNDS = Number(process.env['CRASH_ROUNDS'] ?? 5)
const SEED = Number(process.env['CRASH_SEED'] ?? Date.now() % 1_000_000)

async function killedChild(directory: string, first: number, liveMs: number): Promise<string> {
  const args = [CHILD, directory, String(first)]
  const child: ChildProcess = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text))
  while (!output.includes('a ')) {
    assert.equal(child.exitCode, null, 'the child ended')
    await once(child.stdout ?? child, 'data', { signal: AbortSignal.timeout(20_000) })
  }
  await sleep(liveMs)
  child.kill('SIGKILL')
  await once(child, 'close')
  return output
}

/** Has routing do what is left, and takes what was told. */
async function toldAfterwards(store: EmbeddedStore): Promise<readonly Told[]> {
  const { service } = startAlertService(store.alerts, configOf([promptRoute({ groupBy: ['key'] })]))
  const endMs = performance.now() + 30_000
  // A group waits for nothing, so what is open and not told is told in the first round.
  for (let quiet = 0; quiet < 3;) {
    assert.ok(performance.now() < endMs, 'routing does not come to rest')
    const { alerts } = await store.alerts.changes(1)
    const groups = await store.alerts.groups()
    const open = await store.alerts.unresolved(0, 1_000_000)
    quiet = alerts.length === 0 && groups.length === open.length ? quiet + 1 : 0
    await sleep(20)
  }
  await service.stop()
  return await takeTold(store)
}

test('whatever moment it is killed at, each alert is told once, under one delivery id', async (t) => {
  t.diagnostic(`CRASH_SEED=${SEED}`)
  const random = randomFrom(SEED)
  const directory = await temporaryDirectory(t)
  let output = ''
  for (let round = 0; round < ROUNDS; round++)
    output += await killedChild(directory, round * 100_000, random() * 500)
  const acknowledged = Array.from(output.matchAll(/^a (\d+)$/gm), ([, n]) => `n${n ?? ''}`)
  const { store } = await openStore(directory)
  atEnd(t, () => store.close())
  const told = await toldAfterwards(store)
  t.diagnostic(`${acknowledged.length} alerts were acknowledged, ${told.length} notifications made`)
  assert.ok(acknowledged.length > ROUNDS)

  const keys = told.flatMap(({ notification }) => notification.alerts.map(({ key }) => key))
  assert.equal(new Set(keys).size, keys.length, 'an alert was told twice')
  const missing = acknowledged.filter((key) => !keys.includes(key))
  assert.deepEqual(missing, [])
  for (const { notification } of told) assert.equal(notification.reason, 'new')

  const ids = new Map(
    told.map(({ deliveryId, notification }) => [notification.alerts[0]?.id ?? 0, deliveryId]),
  )
  assert.equal(new Set(ids.values()).size, told.length)
  for (const [id, deliveryId] of ids) {
    const history = await store.alerts.notifications(id)
    assert.deepEqual(
      history.map(({ deliveries }) => deliveries.map((delivery) => delivery.deliveryId)),
      [[deliveryId]],
    )
  }
})
