import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import {
  baselineAdd,
  baselineScore,
  emptyBaseline,
  hourOfWeek,
  isBaseline,
  readBaseline,
} from '../../../src/trends/weekly-baseline.ts'

const HOUR = 3600
const WEEK = 168 * HOUR
const UTC = { utcOffsetMinutes: 0 }

test('the week begins on Monday at midnight local time', () => {
  const monday = Date.UTC(2026, 10, 23) / 1000
  assert.equal(hourOfWeek({ timeSeconds: monday, ...UTC }), 0)
  assert.equal(hourOfWeek({ timeSeconds: monday - 1, ...UTC }), 167)
  assert.equal(hourOfWeek({ timeSeconds: monday, utcOffsetMinutes: 330 }), 5)
  assert.equal(hourOfWeek({ timeSeconds: 0, utcOffsetMinutes: -840 }), 58)
})

test('mean, deviation and samples are those of the samples weighted by age', () => {
  const sample = fc.record({
    hours: fc.integer({ min: 0, max: 30 * 168 }),
    value: fc.integer({ min: -50, max: 50 }),
  })
  fc.assert(
    fc.property(fc.array(sample, { minLength: 1, maxLength: 80 }), (unsorted) => {
      const samples = unsorted.toSorted((a, b) => a.hours - b.hours)
      const last = samples.at(-1)?.hours ?? 0
      let table = emptyBaseline()
      for (const { hours, value } of samples)
        table = baselineAdd(table, value, { timeSeconds: hours * HOUR, ...UTC })
      assert.ok(isBaseline(table))
      const same = samples
        .filter(({ hours }) => (last - hours) % 168 === 0)
        .map(({ hours, value }) => ({ value, weight: 2 ** (-(last - hours) / (8 * 168)) }))
      const weight = same.reduce((sum, entry) => sum + entry.weight, 0)
      const mean = same.reduce((sum, entry) => sum + entry.weight * entry.value, 0) / weight
      const squares = same.reduce((sum, entry) => sum + entry.weight * (entry.value - mean) ** 2, 0)
      const stddev = weight > 1 ? Math.sqrt(squares / (weight - 1)) : 0
      const read = readBaseline(table, { timeSeconds: last * HOUR, ...UTC })
      assert.ok(read !== undefined)
      assert.ok(Math.abs(read.mean - mean) < 1e-9 && Math.abs(read.samples - weight) < 1e-9)
      assert.ok(Math.abs(read.stddev - stddev) < 1e-6, `${read.stddev} instead of ${stddev}`)
    }),
  )
})

test('there is no score while learning, and a bounded one where nothing ever varied', () => {
  let table = emptyBaseline()
  for (let week = 0; week < 4; week++) {
    table = baselineAdd(table, 10, { timeSeconds: week * WEEK, ...UTC })
    assert.equal(baselineScore(readBaseline(table, { timeSeconds: week * WEEK, ...UTC }), 99), undefined)
  }
  table = baselineAdd(table, 10, { timeSeconds: 4 * WEEK, ...UTC })
  const steady = readBaseline(table, { timeSeconds: 4 * WEEK, ...UTC })
  assert.deepEqual(
    [10, 11, 9].map((value) => baselineScore(steady, value)),
    [0, 1000, -1000],
  )
  assert.equal(baselineScore(undefined, 1), undefined)
  assert.equal(baselineScore({ mean: 5, stddev: 2, samples: 9 }, 11), 3)
})

test('an hour without samples gives nothing, and old samples fade', () => {
  const table = baselineAdd(emptyBaseline(), 1, { timeSeconds: 0, ...UTC })
  assert.equal(readBaseline(table, { timeSeconds: HOUR, ...UTC }), undefined)
  assert.equal(readBaseline(table, { timeSeconds: 8 * WEEK, ...UTC })?.samples, 0.5)
})

test('a table never takes more than 4.9 KiB, and other bytes are told from one', () => {
  let table = emptyBaseline()
  for (let hour = 0; hour < 400; hour++)
    table = baselineAdd(table, hour, { timeSeconds: hour * HOUR, ...UTC })
  assert.equal(table.length, 1 + 168 * 29)
  assert.ok(!isBaseline(table.subarray(1)) && !isBaseline(table.subarray(0, 40)))
})
