/** Routing over real stores: what is told comes into the outbox, once, over restarts and failures of the store. */
import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import type { AlertConfig } from '../../../src/alerts/alert-notifier.ts'
import { MemoryStore } from '../../../src/store/memory-store.ts'
import type { AlertStore } from '../../../src/store/alert-store.ts'
import type { Store } from '../../../src/store/store.ts'
import { parseCron } from '../../../src/schedule/cron.ts'
import { HOUR_MS, raise, raising } from '../../support/alert-fixtures.ts'
import {
  type AlertRig,
  configOf,
  promptRoute,
  SINK,
  startAlertService,
  takeTold,
} from '../../support/alert-rig.ts'
import { eventually } from '../../support/ask-server.ts'
import { atEnd } from '../../support/clean-up.ts'
import { createTrendApplier } from '../../support/counting-trends.ts'
import { openStore, temporaryDirectory, temporaryStore } from '../../support/embedded-store.ts'

const stores: Readonly<Record<string, (t: TestContext) => Promise<Store>>> = {
  memory(t) {
    const store = new MemoryStore({ applier: createTrendApplier({ rangeMs: 10_000, maxKeys: 100 }) })
    atEnd(t, () => store.close())
    return Promise.resolve(store)
  },
  async embedded(t) {
    return (await temporaryStore(t)).store
  },
}

function start(t: TestContext, store: AlertStore, config: AlertConfig): AlertRig {
  const rig = startAlertService(store, config)
  atEnd(t, () => rig.service.stop())
  return rig
}

/** What has been told, as text, each `reason total: keys`. */
async function told(store: Store, expected: number): Promise<readonly string[]> {
  const lines: string[] = []
  await eventually(`${expected} notifications do not come`, async () => {
    for (const { notification } of await takeTold(store)) {
      const keys = notification.alerts.map(({ key, state }) => `${key} ${state}`).join()
      lines.push(`${notification.reason} ${notification.total}: ${keys}`)
    }
    return lines.length >= expected
  })
  return lines
}

const now = (): number => Date.now()

for (const [name, open] of Object.entries(stores)) {
  describe(`routing over the ${name} store`, () => {
    test('an alert is told when it is raised and when it is resolved', async (t) => {
      const store = await open(t)
      const { wake, service } = start(t, store.alerts, configOf([promptRoute()]))
      await store.commit([raising(raise({ atMs: now(), data: '{"a":1}', user: 'ann' }))])
      wake()
      const [first] = await (async () => {
        let found = await takeTold(store)
        await eventually('nothing is told', async () => {
          if (found.length === 0) found = await takeTold(store)
          return found.length > 0
        })
        return found
      })()
      assert.ok(first !== undefined)
      const { alerts, sentAtMs, ...rest } = first.notification
      assert.deepEqual(rest, { kind: 'alert', reason: 'new', group: 'rule=spray', total: 1 })
      assert.ok(Math.abs(sentAtMs - now()) < 60_000)
      assert.deepEqual(
        { ...alerts[0], firstAtMs: 0, lastAtMs: 0 },
        {
          id: alerts[0]?.id,
          rule: 'spray',
          severity: 'medium',
          key: '192.0.2.1',
          message: 'many users from one address',
          count: 1,
          state: 'open',
          user: 'ann',
          firstAtMs: 0,
          lastAtMs: 0,
          data: { a: 1 },
        },
      )
      const id = alerts[0]?.id ?? 0
      const acted = await service.ask({
        kind: 'act',
        action: { kind: 'resolve', id, author: 'eve', comment: 'done', atMs: now() },
      })
      assert.ok(acted.kind === 'alert' && acted.alert.state === 'resolved')
      assert.deepEqual(await told(store, 1), ['resolved 1: 192.0.2.1 resolved'])
      const reply = await service.ask({ kind: 'get', id })
      assert.ok(reply.kind === 'alert')
      assert.deepEqual(
        reply.notifications.map(({ reason, deliveries }) => [
          reason,
          deliveries[0]?.sink,
          deliveries[0]?.state,
        ]),
        [
          ['resolved', SINK, 'queued'],
          ['new', SINK, 'queued'],
        ],
      )
    })

    test('a silence made at run time holds it back until it is removed, and the list names it', async (t) => {
      const store = await open(t)
      const { wake, service } = start(t, store.alerts, configOf([promptRoute()]))
      const made = await service.ask({
        kind: 'add-silence',
        silence: { rule: 'spray', author: 'e', comment: 'c', fromMs: now(), untilMs: now() + HOUR_MS },
      })
      assert.deepEqual(made, { kind: 'silence-added', id: 's1' })
      await store.commit([
        raising(raise({ atMs: now() }), raise({ rule: 'travel', key: 'ann', atMs: now() })),
      ])
      wake()
      assert.deepEqual(await told(store, 1), ['new 1: ann open'])
      const listed = await service.ask({ kind: 'list', query: { limit: 10, rule: 'spray' } })
      assert.ok(listed.kind === 'alerts')
      assert.deepEqual(
        listed.alerts.map(({ silence }) => silence),
        ['s1'],
      )
      assert.deepEqual(await service.ask({ kind: 'remove-silence', id: 's1' }), { kind: 'done', found: true })
      assert.deepEqual(await told(store, 1), ['new 1: 192.0.2.1 open'])
    })

    test('ten thousand alerts of one rule are one notification with a count, and a hundred of them', async (t) => {
      const store = await open(t)
      // What comes before the wait is over belongs to the first notification.
      const { wake } = start(t, store.alerts, configOf([promptRoute({ groupWaitMs: 4000 })]))
      for (let from = 0; from < 10_000; from += name === 'memory' ? 10_000 : 1000) {
        const count = name === 'memory' ? 100 : 1000
        const keys = Array.from({ length: count }, (_, index) => from + index)
        await store.commit([raising(...keys.map((key) => raise({ key: `k${key}`, atMs: now() })))])
        wake()
      }
      const [first] = await told(store, 1)
      assert.match(first ?? '', name === 'memory' ? /^new 100: / : /^new 10000: /)
      assert.equal(first?.split(',').length, 100)
      assert.deepEqual(await takeTold(store), [])
    })

    test('what the store does not take is told when it does, once', async (t) => {
      const store = await open(t)
      let failures = 2
      const flaky: AlertStore = new Proxy(store.alerts, {
        get(target, property) {
          if (property === 'commitNotifications' && failures-- > 0)
            return () => Promise.reject(new Error('no room'))
          const member: unknown = Reflect.get(target, property)
          const bound: unknown = typeof member === 'function' ? member.bind(target) : member
          return bound
        },
      })
      const { wake, lines } = start(t, flaky, configOf([promptRoute()]))
      await store.commit([raising(raise({ atMs: now() }))])
      wake()
      assert.deepEqual(await told(store, 1), ['new 1: 192.0.2.1 open'])
      assert.deepEqual(
        lines.map(({ message }) => message),
        Array.from({ length: 2 }, () => 'alerts could not be routed; it is tried again'),
      )
    })
  })
}

test('after a restart nothing is told twice, and what ended meanwhile is told', async (t) => {
  const directory = await temporaryDirectory(t)
  const first = await openStore(directory)
  const before = startAlertService(first.store.alerts, configOf([promptRoute()]))
  await first.store.commit([raising(raise({ atMs: now() }), raise({ key: 'b', atMs: now() }))])
  before.wake()
  assert.deepEqual(await told(first.store, 1), ['new 2: b open,192.0.2.1 open'])
  await before.service.stop()
  await first.store.commit([raising({ kind: 'resolve', rule: 'spray', key: 'b', atMs: now() })])
  await first.store.close()

  const second = await openStore(directory)
  atEnd(t, () => second.store.close())
  start(t, second.store.alerts, configOf([promptRoute()]))
  assert.deepEqual(await told(second.store, 1), ['changed 1: b resolved'])
  await eventually('routing does not look at what has changed', async () => {
    return (await second.store.alerts.changes(1)).alerts.length === 0
  })
  assert.deepEqual(await takeTold(second.store), [])
})

test('other routes of the configuration are in force at once, and their groups begin anew', async (t) => {
  const { store } = await temporaryStore(t)
  const { service, wake } = start(t, store.alerts, configOf([promptRoute({ rule: 'other' })]))
  await store.commit([raising(raise({ atMs: now() }))])
  wake()
  await eventually('routing does not look at it', async () => {
    return (await store.alerts.changes(1)).alerts.length === 0
  })
  assert.deepEqual(await takeTold(store), [])
  service.configure(configOf([promptRoute({ rule: 'spray' })]))
  assert.deepEqual(await told(store, 1), ['new 1: 192.0.2.1 open'])
  assert.equal((await store.alerts.groups()).length, 1)
  service.configure(configOf([promptRoute({ key: '192.*' })]))
  assert.deepEqual(await told(store, 1), ['new 1: 192.0.2.1 open'])
  await eventually('the group of the old route is not removed', async () => {
    return (await store.alerts.groups()).length === 1
  })
})

test('silences of the configuration are listed and cannot be removed at run time', async (t) => {
  const { store } = await temporaryStore(t)
  const cron = parseCron('0 0 1 1 *')
  assert.ok(cron.ok)
  const silence = { id: 'c1', rule: 'spray', author: 'e', comment: 'c', fromMs: 0 } as const
  const { service } = start(
    t,
    store.alerts,
    configOf([promptRoute()], {
      silences: [
        { ...silence, untilMs: now() + HOUR_MS },
        { ...silence, id: 'c2', untilMs: now() - 1 },
      ],
      windows: [{ id: 'm1', cron: cron.pattern, durationMs: 1000, comment: 'new year' }],
    }),
  )
  const reply = await service.ask({ kind: 'silences' })
  assert.ok(reply.kind === 'silences')
  assert.deepEqual(
    reply.silences.map(({ id, isActive, author }) => [id, isActive, author]),
    [
      ['c1', true, 'e'],
      ['m1', false, 'maintenance window'],
    ],
  )
  assert.deepEqual(await service.ask({ kind: 'remove-silence', id: 'c1' }), {
    kind: 'refused',
    reason: 'c1 stands in the configuration; remove it there',
  })
  assert.deepEqual(await service.ask({ kind: 'remove-silence', id: 'c9' }), { kind: 'done', found: false })
})
