import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSharedLookup } from '../../../src/outgoing/shared-lookup.ts'

function resolve(lookup: ReturnType<typeof createSharedLookup>, name: string): Promise<unknown> {
  return new Promise((settle) => {
    lookup(name, { all: true, family: 4 }, (error, addresses) => settle(error?.code ?? addresses))
  })
}

test('everybody who asks for a name at the same time gets its addresses', async () => {
  const lookup = createSharedLookup()
  const answers = await Promise.all(Array.from({ length: 20 }, () => resolve(lookup, 'localhost')))
  assert.deepEqual(new Set(answers).size, 1)
  assert.deepEqual(answers[0], [{ address: '127.0.0.1', family: 4 }])
})

test('a name that is asked for later is asked for again', async () => {
  const lookup = createSharedLookup()
  const first = await resolve(lookup, 'localhost')
  const second = await resolve(lookup, 'localhost')
  assert.deepEqual(first, second)
  assert.notEqual(first, second)
})

test('everybody hears of a failure', async () => {
  const lookup = createSharedLookup()
  const answers = await Promise.all([resolve(lookup, 'a..invalid'), resolve(lookup, 'a..invalid')])
  assert.ok(
    answers.every((answer) => typeof answer === 'string'),
    JSON.stringify(answers),
  )
})
