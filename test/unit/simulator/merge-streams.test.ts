import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { mergeStreams } from '../../../src/simulator/merge-streams.ts'

const times = fc.array(fc.nat(50), { maxLength: 30 }).map((list) => list.toSorted((a, b) => a - b))

describe('merged streams', () => {
  test('are what a stable sort of all of them would be', () => {
    fc.assert(
      fc.property(fc.array(times, { maxLength: 12 }), (lists) => {
        const streams = lists.map((list, stream) => list.map((t, place) => ({ t, stream, place })))
        const sorted = streams
          .flat()
          .toSorted((one, other) => one.t - other.t || one.stream - other.stream || one.place - other.place)
        assert.deepEqual([...mergeStreams(streams)], sorted)
      }),
    )
  })

  test('are read no further than one entry ahead', () => {
    const read = [0, 0]
    function* endless(number: number): Generator<{ readonly t: number }> {
      for (let t = number; ; t += 2) {
        read[number] = (read[number] ?? 0) + 1
        yield { t }
      }
    }
    const merged = mergeStreams([endless(0), endless(1)])
    for (let t = 0; t < 1000; t++) assert.deepEqual(merged.next().value, { t })
    assert.ok(Math.max(...read) <= 502, read.join())
  })
})
