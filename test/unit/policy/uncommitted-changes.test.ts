import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { UncommittedChanges } from '../../../src/policy/uncommitted-changes.ts'
import { RunChanges } from '../../../src/trends/run-changes.ts'
import { bytesOf, START_SECONDS } from '../../support/trend-fixtures.ts'

const KEYS = ['a', 'b', 'c'] as const

const STEPS = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant('run' as const),
      keys: fc.uniqueArray(fc.constantFrom(...KEYS), { minLength: 1 }),
    }),
    fc.record({ kind: fc.constant('forget' as const), runs: fc.integer({ min: 0, max: 5 }) }),
  ),
  { maxLength: 100, size: 'max' },
)

test('a row has the changes of all runs that are not forgotten, in their order', () => {
  fc.assert(
    fc.property(STEPS, (steps) => {
      const uncommitted = new UncommittedChanges()
      /** Every run, with the rows that it changed; the amount that it added is its number. */
      const runs: { readonly number: number; readonly keys: readonly string[] }[] = []
      let forgotten = 0
      for (const step of steps) {
        if (step.kind === 'run') {
          const changes = new RunChanges()
          const amount = runs.length + 1
          for (const key of step.keys)
            changes.add('db', bytesOf(key), { op: 'int-add', fieldId: 1, timeSeconds: START_SECONDS, amount })
          runs.push({ number: uncommitted.add(changes), keys: step.keys })
          assert.equal(runs.at(-1)?.number, amount)
        } else {
          forgotten = Math.min(forgotten + step.runs, runs.length)
          uncommitted.forgetUpTo(forgotten)
          assert.equal(uncommitted.forgottenUpTo, forgotten)
        }
        const left = runs.filter(({ number }) => number > forgotten).flatMap(({ keys }) => keys)
        assert.equal(uncommitted.rows, new Set(left).size)
        for (const key of KEYS) {
          const expected = runs.filter(({ number, keys }) => number > forgotten && keys.includes(key))
          const amounts = uncommitted
            .of(`db\0${key}`)
            .map((change) => (change.op === 'int-add' ? change.amount : undefined))
          assert.deepEqual(
            amounts,
            expected.map(({ number }) => number),
          )
        }
      }
    }),
  )
})
