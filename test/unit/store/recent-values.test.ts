import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { RecentValues } from '../../../src/store/embedded/recent-values.ts'

const HEAD_BYTES = 4

const STEPS = fc.array(
  fc.record({
    name: fc.integer({ min: 0, max: 12 }).map((number) => `row ${number}`),
    value: fc.option(fc.uint8Array({ maxLength: 40 }), { freq: 8 }),
  }),
  { maxLength: 200, size: 'max' },
)

test('a value is the one that was set last, or gone; it is there while less than the memory was written behind it', () => {
  fc.assert(
    fc.property(STEPS, fc.integer({ min: 0, max: 300 }), (steps, sizeBytes) => {
      const recent = new RecentValues(sizeBytes)
      const last = new Map<string, { readonly value: Uint8Array; readonly at: number }>()
      let writtenBytes = 0
      let longest = 0
      for (const { name, value } of steps) {
        if (value === null) {
          recent.delete(name)
          last.delete(name)
        } else {
          recent.set(name, value)
          // It was a copy.
          last.set(name, { value: value.slice(), at: writtenBytes })
          value.fill(0xee)
          writtenBytes += HEAD_BYTES + value.length
          longest = Math.max(longest, HEAD_BYTES + value.length)
        }
        for (let number = 0; number <= 12; number++) {
          const asked = `row ${number}`
          const found = recent.get(asked)
          const expected = last.get(asked)
          assert.equal(recent.has(asked), found !== undefined)
          if (found !== undefined) assert.deepEqual(Uint8Array.from(found), expected?.value)
          // What does not fit behind the last record goes to the beginning: as much as a record may be lost there.
          else if (expected !== undefined)
            assert.ok(writtenBytes - expected.at + longest > sizeBytes, `${asked} is gone too early`)
        }
      }
    }),
    { numRuns: 1000 },
  )
})

test('names whose values are gone take no memory for ever', () => {
  const recent = new RecentValues(1000)
  const before = process.memoryUsage().heapUsed
  for (let number = 0; number < 1_000_000; number++)
    recent.set(`a name of its own ${number}`, new Uint8Array(6))
  assert.ok(process.memoryUsage().heapUsed - before < 60_000_000)
  assert.equal(recent.has('a name of its own 999999'), true)
  assert.equal(recent.has('a name of its own 1'), false)
})
