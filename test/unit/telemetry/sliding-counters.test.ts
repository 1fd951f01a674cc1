import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SlidingCounters } from '../../../src/telemetry/sliding-counters.ts'
import { createStatistics } from '../../../src/telemetry/statistics.ts'

const SLOT_MS = 5000

test('a reading covers the last 300 seconds, in slots of five', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 60_000 }), { maxLength: 60 }), (pauses) => {
      let now = 1_000_000_000
      const counters = new SlidingCounters(() => now)
      const events: number[] = []
      for (const pause of pauses) {
        now += pause
        counters.add('x')
        events.push(now)
      }
      const slot = (time: number): number => Math.floor(time / SLOT_MS)
      const expected = events.filter((time) => slot(time) > slot(now) - 60).length
      assert.equal(counters.read()['x'] ?? 0, expected)
    }),
  )
})

test('names given at the start are shown at 0, others once they count', () => {
  const counters = new SlidingCounters(() => 0, ['known'])
  assert.deepEqual({ ...counters.read() }, { known: 0 })
  counters.add('new', 3)
  assert.deepEqual({ ...counters.read() }, { known: 0, new: 3 })
})

test('names beyond a thousand are not kept', () => {
  const counters = new SlidingCounters(() => 0)
  for (let name = 0; name < 2000; name++) counters.add(`name${name}`)
  assert.equal(Object.keys(counters.read()).length, 1000)
})

test('a run is counted in the band of its waiting and of its running time', () => {
  const statistics = createStatistics(() => 0, [])
  statistics.countRun(0.5, 5)
  statistics.countRun(50, 500)
  statistics.countRun(1000, 1)
  const read = statistics.performance.read()
  assert.deepEqual(
    { ...read },
    {
      WTW_0_1: 1,
      WTW_1_10: 0,
      WTW_10_100: 1,
      WTW_100_1000: 0,
      WTW_Slow: 1,
      WTR_0_1: 0,
      WTR_1_10: 2,
      WTR_10_100: 0,
      WTR_100_1000: 1,
      WTR_Slow: 0,
    },
  )
})

test('names that are no longer shown go, with their counts; new ones are shown at 0', () => {
  const counters = new SlidingCounters(() => 0, ['stays', 'goes'])
  counters.add('stays')
  counters.add('goes')
  counters.show(['stays', 'comes'])
  assert.deepEqual({ ...counters.read() }, { stays: 1, comes: 0 })
})
