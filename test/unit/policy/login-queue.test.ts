import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LoginQueue } from '../../../src/policy/login-queue.ts'

test('a run that does not wait is over at once, and the next of its login starts at once', () => {
  const queue = new LoginQueue()
  const log: string[] = []
  queue.start('ann', () => void log.push('first'))
  queue.start('ann', () => void log.push('second'))
  assert.deepEqual(log, ['first', 'second'])
})

test('a run that waits holds back its own login and nobody else', async () => {
  const queue = new LoginQueue()
  const log: string[] = []
  const gate = Promise.withResolvers<undefined>()
  queue.start('ann', async () => {
    log.push('ann 1 begins')
    await gate.promise
    log.push('ann 1 ends')
  })
  queue.start('ann', () => void log.push('ann 2'))
  queue.start('bob', () => void log.push('bob'))
  assert.deepEqual(log, ['ann 1 begins', 'bob'])
  gate.resolve(undefined)
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(log, ['ann 1 begins', 'bob', 'ann 1 ends', 'ann 2'])
})

test('whatever waits how long, runs of a login begin and end in the order in which they came', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ login: fc.constantFrom('a', 'b', 'c'), turns: fc.integer({ min: 0, max: 4 }) }), {
        maxLength: 40,
      }),
      async (runs) => {
        const queue = new LoginQueue()
        const events = new Map<string, string[]>()
        const all = runs.map(({ login, turns }, index) => {
          const done = Promise.withResolvers<undefined>()
          const note = (what: string): void => {
            events.set(login, [...(events.get(login) ?? []), `${what} ${index}`])
          }
          queue.start(login, () => {
            note('begin')
            if (turns === 0) {
              note('end')
              done.resolve(undefined)
              return
            }
            return (async () => {
              for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve))
              note('end')
              done.resolve(undefined)
            })()
          })
          return done.promise
        })
        await Promise.all(all)
        for (const login of ['a', 'b', 'c']) {
          const expected = runs.flatMap((run, index) =>
            run.login === login ? [`begin ${index}`, `end ${index}`] : [],
          )
          assert.deepEqual(events.get(login) ?? [], expected)
        }
      },
    ),
  )
})
