import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { Job, RunOutcome, RunResult } from '../../../src/policy/messages.ts'
import { packJobs, unpackJobs } from '../../../src/policy/packed-jobs.ts'
import { isQuiet, packQuietRuns, unpackQuietRuns } from '../../../src/policy/quiet-runs.ts'

const WORKER = 3
const job: fc.Arbitrary<Job> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      id: fc.nat(),
      kind: fc.constant('report' as const),
      report: fc.string(),
      receivedAtMs: fc.nat(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ id: fc.nat(), kind: fc.constant('background' as const), name: fc.string() }),
  },
)

const outcome: fc.Arbitrary<RunOutcome> = fc
  .tuple(fc.option(fc.uint8Array({ maxLength: 40 }), { nil: undefined }), fc.integer({ min: 1, max: 1e9 }))
  .map(([deltas, number]) => ({
    ok: true,
    effects:
      deltas === undefined
        ? undefined
        : { webHooks: [], customStats: [], trends: { deltas, commit: { worker: WORKER, number } } },
    answer: undefined,
  }))

const result: fc.Arbitrary<RunResult> = fc.record({
  id: fc.nat(),
  outcome,
  startedAtMs: fc.double({ min: 0, max: 1e13 }),
  durationMs: fc.double({ min: 0, max: 1e6 }),
})

test('jobs come out of a message in the order and form in which they went in', () => {
  fc.assert(
    fc.property(fc.array(job), (jobs) => {
      const plain = jobs.map((one) => ({ ...one }))
      assert.deepEqual(
        unpackJobs(structuredClone(packJobs(plain))).map((one) => ({ ...one })),
        plain,
      )
    }),
  )
})

test('quiet runs come out of a message as they went in', () => {
  fc.assert(
    fc.property(fc.array(result), (results) => {
      const plain = results.map((one) => ({ ...one }))
      assert.deepEqual(unpackQuietRuns(structuredClone(packQuietRuns(plain))), plain)
    }),
  )
})

test('a run that left anything but trend changes is not quiet', () => {
  const quiet: RunOutcome = { ok: true, effects: undefined, answer: undefined }
  const effects = { webHooks: [], customStats: [], trends: undefined }
  assert.ok(isQuiet(quiet))
  const loud: readonly RunOutcome[] = [
    { ok: false, failure: { code: 'TRK_LUA_ERROR', message: '', traceback: '' } },
    { ...quiet, answer: { kind: 'endpoint', success: true, attributes: {} } },
    { ...quiet, answer: { kind: 'sink', text: '' } },
    { ...quiet, effects: { ...effects, webHooks: [{ hook: 'h', body: '' }] } },
    { ...quiet, effects: { ...effects, customStats: [['s', 1]] } },
  ]
  assert.deepEqual(loud.map(isQuiet), [false, false, false, false, false])
})
