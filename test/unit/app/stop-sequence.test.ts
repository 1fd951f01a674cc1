import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StopSequence } from '../../../src/app/stop-sequence.ts'
import { rememberingLog } from '../../support/silent-log.ts'

test('parts are stopped in reverse, each once', async () => {
  const order: string[] = []
  const sequence = new StopSequence(rememberingLog().log)
  for (const name of ['a', 'b', 'c']) sequence.add(name, () => void order.push(name))
  assert.equal(await sequence.run(1000), true)
  assert.equal(await sequence.run(1000), true)
  assert.deepEqual(order, ['c', 'b', 'a'])
})

test('a part that fails, hangs or leaves something undone is named, and the others are stopped all the same', async () => {
  const { log, lines } = rememberingLog()
  const stopped: string[] = []
  const sequence = new StopSequence(log)
  sequence.add('first', () => void stopped.push('first'))
  sequence.add('leaves', () => Promise.resolve('3 webhooks'))
  sequence.add('hangs', () => new Promise<void>(() => undefined))
  sequence.add('fails', () => Promise.reject(new Error('broken')))
  assert.equal(await sequence.run(10), false)
  assert.deepEqual(stopped, ['first'])
  assert.deepEqual(
    lines.map(({ fields }) => fields),
    [
      { part: 'fails', left: 'broken' },
      { part: 'hangs', left: 'it did not stop in time' },
      { part: 'leaves', left: '3 webhooks' },
    ],
  )
})
