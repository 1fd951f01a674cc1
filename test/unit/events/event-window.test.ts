import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { handlersFor, viewEvent } from '../../../src/events/event-handlers.ts'
import { EventWindow, OTHERS } from '../../../src/events/event-window.ts'
import {
  eventAlert,
  isAlertEvent,
  SERVER_EVENTS,
  type ServerEvent,
  type ServerEventName,
} from '../../../src/events/server-event.ts'

function event(changes: Partial<ServerEvent> = {}): ServerEvent {
  return {
    name: 'bad-password',
    about: '192.0.2.1',
    detail: 'from 192.0.2.1',
    count: 1,
    firstAtMs: 1000,
    lastAtMs: 1000,
    ...changes,
  }
}

describe('a window of events', () => {
  test('counts those of one name and subject as one, with the latest detail', () => {
    const window = new EventWindow()
    window.add(event())
    window.add(event({ detail: 'later', firstAtMs: 3000, lastAtMs: 3000 }))
    window.add(event({ detail: 'between', firstAtMs: 2000, lastAtMs: 2000 }))
    window.add(event({ about: '192.0.2.2' }))
    window.add(event({ name: 'acl-refused' }))
    const [first, ...rest] = window.take()
    assert.deepEqual(first, event({ detail: 'later', count: 3, lastAtMs: 3000 }))
    assert.deepEqual(
      rest.map(({ name, about, count }) => `${name} ${about} ${count}`),
      ['bad-password 192.0.2.2 1', 'acl-refused 192.0.2.1 1'],
    )
    assert.ok(window.isEmpty)
    assert.deepEqual(window.take(), [])
  })

  test('loses none of any flood, and holds no more than a hundred subjects of an event and the others', () => {
    const names: readonly ServerEventName[] = ['bad-password', 'lua-error']
    const given = fc.array(
      fc.record({
        name: fc.constantFrom(...names),
        about: fc.nat(300).map(String),
        count: fc.integer({ min: 1, max: 9 }),
      }),
      { maxLength: 1000 },
    )
    fc.assert(
      fc.property(given, (added) => {
        const window = new EventWindow()
        for (const changes of added) window.add(event(changes))
        const kept = window.take()
        for (const name of names) {
          const sum = (list: readonly { readonly name: string; readonly count: number }[]): number =>
            list.filter((one) => one.name === name).reduce((total, { count }) => total + count, 0)
          assert.equal(sum(kept), sum(added))
          assert.ok(kept.filter((one) => one.name === name).length <= 101)
        }
      }),
    )
  })

  test('counts subjects beyond the bound together', () => {
    const window = new EventWindow()
    for (let n = 0; n < 150; n++) window.add(event({ about: `10.0.0.${n}` }))
    window.add(event({ about: '10.0.0.3' }))
    const kept = new Map(window.take().map(({ about, count }) => [about, count]))
    assert.equal(kept.size, 101)
    assert.equal(kept.get(OTHERS), 50)
    assert.equal(kept.get('10.0.0.3'), 2)
  })
})

test('an event raises an alert of its rule, about its subject, that counts as often as it happened', () => {
  const alert = eventAlert(event({ count: 7, lastAtMs: 5000 }))
  assert.deepEqual(
    [alert.rule, alert.key, alert.severity, alert.times, alert.atMs, alert.message],
    [
      'server.bad-password',
      '192.0.2.1',
      'low',
      7,
      5000,
      'an HTTP request had a wrong password: from 192.0.2.1',
    ],
  )
})

test('what an alert cannot hold is cut between two characters', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 300, maxLength: 2000 }), (about) => {
      const { key, message } = eventAlert(event({ about: about.repeat(2), detail: about.repeat(3) }))
      assert.ok(Buffer.byteLength(key) <= 1024 && Buffer.byteLength(message) <= 4096)
    }),
  )
})

test('what is no trouble becomes an alert only where a route asks for the rules of the server', () => {
  for (const [name, { severity }] of Object.entries(SERVER_EVENTS)) {
    const known = name as ServerEventName
    assert.equal(isAlertEvent(known, []), severity !== 'info', name)
    assert.equal(isAlertEvent(known, [undefined, 'travel']), severity !== 'info', name)
    assert.ok(isAlertEvent(known, ['travel', 'server.*']), name)
  }
})

test('a handler runs for its event, one of * for all, and none for the failure of a handler', () => {
  const set = ['bad-password', 'lua-error', '*']
  assert.deepEqual(handlersFor(event(), set), ['bad-password', '*'])
  assert.deepEqual(handlersFor(event({ name: 'stop' }), set), ['*'])
  assert.deepEqual(handlersFor(event({ name: 'lua-error', about: 'report' }), set), ['lua-error', '*'])
  assert.deepEqual(handlersFor(event({ name: 'lua-error', about: 'event handler *' }), set), [])
  assert.deepEqual(viewEvent(event({ count: 2, lastAtMs: 2500 })), {
    name: 'bad-password',
    rule: 'server.bad-password',
    severity: 'low',
    about: '192.0.2.1',
    message: 'an HTTP request had a wrong password: from 192.0.2.1',
    count: 2,
    first: 1,
    last: 2.5,
  })
})
