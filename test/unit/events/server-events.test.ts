import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ServerEvents } from '../../../src/events/server-events.ts'
import type { ServerEvent } from '../../../src/events/server-event.ts'
import { silentLog } from '../../support/silent-log.ts'

function rig() {
  const stored: string[] = []
  const handled: string[] = []
  const disk = { isFull: false, tries: 0 }
  const events = new ServerEvents({ log: silentLog, now: () => 1000 })
  const text = ({ name, about, count }: ServerEvent): string => `${name} ${about} ${count}`.replace('  ', ' ')
  const start = (): void =>
    events.start({
      store(happened) {
        disk.tries++
        if (disk.isFull) return Promise.reject(new Error('no space left'))
        stored.push(...happened.map(text))
        return Promise.resolve()
      },
      handle: (event) => handled.push(text(event)),
    })
  return { events, stored, handled, disk, start }
}

test('events of a second are stored together, then handled; those before the start too', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { events, stored, handled, start } = rig()
  events.emit('store-damaged', 'state', '')
  t.mock.timers.tick(5000)
  assert.deepEqual(stored, [])
  start()
  for (let n = 0; n < 1000; n++) events.emit('bad-password', '192.0.2.1', '')
  assert.deepEqual(stored, [])
  t.mock.timers.tick(1000)
  await events.settle()
  const expected = ['store-damaged state 1', 'bad-password 192.0.2.1 1000']
  assert.deepEqual(stored, expected)
  assert.deepEqual(handled, expected)
})

test('what cannot be stored waits, grows in number only, and is stored and handled once when it can be', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { events, stored, handled, disk, start } = rig()
  start()
  disk.isFull = true
  for (let round = 1; round <= 3; round++) {
    events.emit('disk-full', '', 'no room')
    await events.settle()
    assert.equal(disk.tries, round)
  }
  assert.deepEqual([stored, handled], [[], []])
  disk.isFull = false
  t.mock.timers.tick(5000)
  await events.settle()
  assert.deepEqual(stored, ['disk-full 3'])
  assert.deepEqual(handled, ['disk-full 3'])
})

test('a stop stores what there is, and hands nothing to workers that are gone', async () => {
  const { events, stored, handled, start } = rig()
  start()
  events.emit('worker-lost', '', 'out of memory')
  await events.stop()
  events.emit('worker-lost', '', 'too late')
  assert.deepEqual(stored, ['worker-lost 1'])
  assert.deepEqual(handled, [])
})
