import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RunResult } from '../../../src/policy/messages.ts'
import { unpackQuietRuns, type QuietRuns } from '../../../src/policy/quiet-runs.ts'
import { ResultBatch } from '../../../src/policy/result-batch.ts'

/** What was sent: the numbers of the runs, message by message. */
function recorded(): { readonly batch: ResultBatch; readonly sent: number[][] } {
  const sent: number[][] = []
  const ids = (result: RunResult | QuietRuns): number[] =>
    'kind' in result ? [...unpackQuietRuns(result)].map(({ id }) => id) : [result.id]
  return { batch: new ResultBatch((results) => sent.push(results.flatMap(ids))), sent }
}

function quiet(id: number, durationMs: number): RunResult {
  return { id, outcome: { ok: true, effects: undefined, answer: undefined }, startedAtMs: 0, durationMs }
}

function failed(id: number): RunResult {
  const failure = { code: 'TRK_LUA_ERROR', message: 'x', traceback: '' } as const
  return { id, outcome: { ok: false, failure }, startedAtMs: 0, durationMs: 0 }
}

const endOfTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('results of one turn of the event loop leave in one message, in the order in which the runs ended', async () => {
  const { batch, sent } = recorded()
  batch.add(quiet(1, 0), false)
  batch.add(failed(2), false)
  batch.add(quiet(3, 0), false)
  assert.deepEqual(sent, [])
  await endOfTurn()
  assert.deepEqual(sent, [[1, 2, 3]])
  batch.add(quiet(4, 0), false)
  await endOfTurn()
  assert.deepEqual(sent, [[1, 2, 3], [4]])
})

test('runs that have waited for another system leave together, however long they took', async () => {
  const { batch, sent } = recorded()
  for (const id of [1, 2, 3]) batch.add(quiet(id, 500), true)
  assert.deepEqual(sent, [])
  await endOfTurn()
  assert.deepEqual(sent, [[1, 2, 3]])
})

test('a run that has held the thread does not wait for the next, which may hold it as long', () => {
  const { batch, sent } = recorded()
  batch.add(quiet(1, 0), true)
  batch.add(quiet(2, 500), false)
  assert.deepEqual(sent, [[1, 2]])
})

test('no result waits much longer than 2 ms for the end of a turn', async () => {
  const { batch, sent } = recorded()
  let id = 0
  const addUntilSent = (messages: number): void => {
    const startMs = performance.now()
    while (sent.length < messages && performance.now() - startMs < 5000) batch.add(quiet(id++, 0), false)
  }
  addUntilSent(1)
  // It is the age of what waits that counts: a new one does not leave at once.
  batch.add(quiet(id++, 0), false)
  assert.equal(sent.length, 1)
  addUntilSent(2)
  assert.equal(sent.length, 2)
  await endOfTurn()
  assert.deepEqual(
    sent.flat(),
    Array.from({ length: id }, (_, nth) => nth),
  )
})

test('what has ended leaves before the thread is held, when it is told so', async () => {
  const { batch, sent } = recorded()
  batch.add(quiet(1, 500), true)
  batch.flush()
  assert.deepEqual(sent, [[1]])
  await endOfTurn()
  assert.deepEqual(sent, [[1]])
})
