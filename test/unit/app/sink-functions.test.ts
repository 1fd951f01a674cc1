/** Calls of alert sinks' functions before there are workers, after there are none, and for longer than they may take. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSinkFunctions } from '../../../src/app/sink-functions.ts'
import type { EndedRun } from '../../../src/policy/commit-run.ts'
import type { RunOutcome } from '../../../src/policy/messages.ts'

/** Workers whose runs end when the test says so. */
function workers() {
  const ends: ((outcome: RunOutcome) => void)[] = []
  const committed: string[] = []
  return {
    ends,
    committed,
    policy: {
      runs: { runSinkFunction: () => new Promise<RunOutcome>((resolve) => ends.push(resolve)) },
      committer: {
        commit({ name }: EndedRun, outcome: RunOutcome) {
          committed.push(`${name} ${outcome.ok ? 'ok' : outcome.failure.code}`)
          return Promise.resolve('committed' as const)
        },
      },
    },
  }
}

const made: RunOutcome = { ok: true, effects: undefined, answer: { kind: 'sink', text: 'made' } }

test('a call waits for workers, and its run is committed before it is answered', async () => {
  const { ends, committed, policy } = workers()
  const functions = createSinkFunctions(60_000)
  const answer = functions.call('desk', '[]')
  functions.start(policy)
  while (ends.length === 0) await new Promise(setImmediate)
  ends[0]?.(made)
  assert.deepEqual(await answer, { kind: 'made', text: 'made' })
  assert.deepEqual(committed, ['alert sink desk ok'])
})

test('nil and a failure are told apart', async () => {
  const { ends, policy } = workers()
  const functions = createSinkFunctions(60_000)
  functions.start(policy)
  const answers = [functions.call('desk', '[]'), functions.call('desk', '[]')]
  while (ends.length < 2) await new Promise(setImmediate)
  ends[0]?.({ ok: true, effects: undefined, answer: undefined })
  ends[1]?.({ ok: false, failure: { code: 'TRK_LUA_ERROR', message: 'boom', traceback: '' } })
  assert.deepEqual(await Promise.all(answers), [
    { kind: 'made', text: undefined },
    { kind: 'failed', message: 'boom' },
  ])
})

test('a run that takes too long is a failure, once; what it changes in the end counts all the same', async () => {
  const { ends, committed, policy } = workers()
  const functions = createSinkFunctions(20)
  functions.start(policy)
  const answer = await functions.call('desk', '[]')
  assert.equal(answer.kind, 'failed')
  assert.deepEqual(committed, ['alert sink desk TRK_OVERLOAD'])
  ends[0]?.(made)
  while (committed.length < 2) await new Promise(setImmediate)
  assert.deepEqual(committed, ['alert sink desk TRK_OVERLOAD', 'alert sink desk ok'])
})

test('a stop answers those who wait for workers and for runs', async () => {
  const early = createSinkFunctions(60_000)
  const waiting = early.call('desk', '[]')
  await early.stop()
  assert.deepEqual(await waiting, { kind: 'stopping' })
  const { ends, policy } = workers()
  const late = createSinkFunctions(60_000)
  late.start(policy)
  const running = late.call('desk', '[]')
  while (ends.length === 0) await new Promise(setImmediate)
  await late.stop()
  assert.deepEqual(
    [await running, await late.call('desk', '[]')],
    [{ kind: 'stopping' }, { kind: 'stopping' }],
  )
})
