/** Hours and dates in time zones. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { LocalTimes } from '../../../src/enrich/local-times.ts'

const times = new LocalTimes()
const seconds = (iso: string): number => Date.parse(iso) / 1000

describe('the hour in a time zone', () => {
  const HOURS: readonly (readonly [time: string, zone: string, hour: number])[] = [
    ['2024-06-15T12:59:59Z', 'UTC', 12],
    ['2024-06-15T12:00:00Z', 'Europe/Berlin', 14],
    ['2024-12-15T12:00:00Z', 'Europe/Berlin', 13],
    ['2024-06-15T12:00:00Z', 'america/new_york', 8],
    ['2024-06-15T22:00:00Z', 'Europe/Berlin', 0],
    ['2024-06-15T12:00:00Z', 'Asia/Kathmandu', 17],
    ['2024-06-15T23:30:00Z', '-03:00', 20],
    ['1970-01-01T00:00:00Z', 'UTC', 0],
  ]
  for (const [time, zone, hour] of HOURS) {
    test(`is ${hour} at ${time} in ${zone}`, () => {
      assert.equal(times.hourAt(seconds(time), zone), hour)
    })
  }

  test('is not known in a zone that does not exist', () => {
    for (const zone of ['Nowhere/Town', '', 'Europe', '25:00'])
      assert.equal(times.hourAt(0, zone), undefined, zone)
  })

  test('is that of UTC without a zone’s offset, at any time', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_000_000_000 }), (time) => {
        assert.equal(times.hourAt(time, 'UTC'), new Date(time * 1000).getUTCHours())
      }),
    )
  })
})

describe('the days between two times', () => {
  const DAYS: readonly (readonly [from: string, to: string, zone: string, days: number])[] = [
    ['2024-02-28T23:59:59Z', '2024-03-01T00:00:00Z', 'UTC', 2],
    ['2024-03-01T00:00:00Z', '2024-02-28T23:59:59Z', 'UTC', -2],
    ['2024-06-15T21:59:59Z', '2024-06-15T22:00:00Z', 'Europe/Berlin', 1],
    ['2024-06-15T21:59:59Z', '2024-06-15T22:00:00Z', 'UTC', 0],
    ['2024-03-30T23:30:00Z', '2024-03-31T21:30:00Z', 'Europe/Berlin', 0],
    ['2023-12-31T12:00:00Z', '2025-01-01T12:00:00Z', 'UTC', 367],
  ]
  for (const [from, to, zone, days] of DAYS) {
    test(`are ${days} from ${from} to ${to} in ${zone}`, () => {
      assert.equal(times.daysBetween(seconds(from), seconds(to), zone), days)
    })
  }

  test('are not known in a zone that does not exist', () => {
    assert.equal(times.daysBetween(0, 1, 'Nowhere/Town'), undefined)
  })
})
