import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { RunBacklog } from '../../../src/policy/run-backlog.ts'

const command = fc.oneof(
  fc.record({ do: fc.constant('push' as const), value: fc.integer() }),
  fc.record({ do: fc.constant('take' as const), count: fc.integer({ min: 0, max: 3000 }) }),
  fc.record({ do: fc.constant('giveBack' as const), values: fc.array(fc.integer(), { maxLength: 5 }) }),
  fc.record({ do: fc.constant('fill' as const), count: fc.integer({ min: 0, max: 3000 }) }),
)

test('a backlog behaves as an array whose front is taken and given back to', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 30 }), (commands) => {
      const backlog = new RunBacklog<number>()
      let oracle: number[] = []
      for (const step of commands) {
        switch (step.do) {
          case 'push':
            backlog.push(step.value)
            oracle.push(step.value)
            break
          case 'fill':
            for (let value = 0; value < step.count; value++) {
              backlog.push(value)
              oracle.push(value)
            }
            break
          case 'take':
            assert.deepEqual(backlog.take(step.count), oracle.slice(0, step.count))
            oracle = oracle.slice(step.count)
            break
          case 'giveBack':
            backlog.giveBack(step.values)
            oracle = [...step.values, ...oracle]
            break
          default:
            step satisfies never
        }
        assert.equal(backlog.size, oracle.length)
      }
    }),
  )
})
