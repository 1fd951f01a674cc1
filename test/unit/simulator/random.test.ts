import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { mix, numberOf, Random } from '../../../src/simulator/random.ts'

describe('chance', () => {
  test('is the same for the same seed, and another for another', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer(), (seed, other) => {
        const draw = (number: number): readonly number[] => {
          const random = new Random(number, 1)
          return Array.from({ length: 8 }, () => random.next())
        }
        assert.deepEqual(draw(seed), draw(seed))
        if (seed !== other) assert.notDeepEqual(draw(seed), draw(other))
      }),
    )
  })

  test('falls evenly into sixteen parts, whichever bits are looked at', () => {
    const random = new Random(1)
    const high = new Uint32Array(16)
    const low = new Uint32Array(16)
    for (let round = 0; round < 160_000; round++) {
      const number = random.next()
      high[number >>> 28] = (high[number >>> 28] ?? 0) + 1
      low[number & 15] = (low[number & 15] ?? 0) + 1
    }
    // Five standard deviations of a binomial count.
    for (const count of [...high, ...low]) assert.ok(Math.abs(count - 10_000) < 500, String(count))
  })

  test('stays within what was asked for', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: -50, max: 50 }), fc.nat(100), (seed, from, size) => {
        const random = new Random(seed)
        const whole = random.integer(from, from + size)
        assert.ok(Number.isInteger(whole) && whole >= from && whole <= from + size)
        const real = random.between(from, from + size + 1)
        assert.ok(real >= from && real < from + size + 1)
        const fraction = random.fraction()
        assert.ok(fraction >= 0 && fraction < 1)
        assert.ok(Math.abs(random.around(from, 2) - from) <= 3)
      }),
    )
  })

  test('takes a sample without taking anything twice, and leaves the list as it was', () => {
    fc.assert(
      fc.property(fc.integer(), fc.uniqueArray(fc.integer()), fc.nat(20), (seed, list, count) => {
        const before = [...list]
        const chosen = new Random(seed).sample(list, count)
        assert.deepEqual(list, before)
        assert.equal(chosen.length, Math.min(count, list.length))
        assert.equal(new Set(chosen).size, chosen.length)
        for (const entry of chosen) assert.ok(list.includes(entry))
      }),
    )
  })

  test('is the same on every machine', () => {
    const random = new Random(42)
    assert.deepEqual(
      [mix(1, 2, 3), numberOf('ann@example.net'), random.next(), random.next()],
      [2901138804, 1913966901, 3428868350, 3112904365],
    )
  })
})
