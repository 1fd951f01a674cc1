import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import {
  emptyHll,
  hllAdd,
  hllExactLimit,
  hllMerge,
  hllUnionCount,
  isHll,
} from '../../../src/trends/hyper-log-log.ts'
import { itemHash } from '../../../src/trends/item-hash.ts'

const BITS = 12
const MOST_BYTES = 2 ** 16 + 1

/** A sketch of `count` items, all different from those of another stream. */
function sketchOf(count: number, { bits = BITS, stream = 1 } = {}): Uint8Array {
  let sketch = emptyHll()
  const seed = { low: stream, high: bits }
  for (let item = 0; item < count; item++) {
    sketch = hllAdd(sketch, itemHash(seed, Uint8Array.of(item, item >>> 8, item >>> 16, item >>> 24)), bits)
  }
  return sketch
}

const anySketch = fc
  .tuple(fc.integer({ min: 0, max: 1200 }), fc.integer({ min: 1, max: 3 }), fc.constantFrom(5, 6, 7))
  .map(([count, stream, bits]) => sketchOf(count, { stream, bits }))

test('a sketch is exact up to its limit, at every item on the way', () => {
  for (const bits of [4, 6, 8, 12, 16]) {
    const limit = hllExactLimit(bits)
    for (const count of [0, 1, Math.floor(limit / 2), limit]) {
      assert.equal(hllUnionCount([sketchOf(count, { bits })], bits), count)
    }
  }
  assert.equal(hllExactLimit(12), 256)
})

test('at 10, 1,000 and 100,000 items the error keeps to the documented bound', () => {
  for (const [count, streams] of [
    [10, 5],
    [300, 10],
    [1000, 10],
    [5000, 5],
    [100_000, 2],
  ] as const) {
    const standardError = 1.04 / Math.sqrt(2 ** BITS)
    for (let stream = 1; stream <= streams; stream++) {
      const estimate = hllUnionCount([sketchOf(count, { stream })], BITS)
      const error = Math.abs(estimate / count - 1)
      assert.ok(
        error <= (count <= 256 ? 0 : 3.5 * standardError),
        `${count} items were estimated as ${estimate}`,
      )
    }
  }
})

test('the same item twice changes nothing, in either form', () => {
  for (const sketch of [sketchOf(10), sketchOf(2000)]) {
    const again = hllAdd(sketch, itemHash({ low: 1, high: BITS }, Uint8Array.of(3, 0, 0, 0)), BITS)
    assert.equal(again, sketch)
  }
})

test('a sketch never takes more than its registers', () => {
  for (const bits of [4, 8, 12, 16]) assert.ok(sketchOf(5000, { bits }).length <= Math.max(2 ** bits, 16) + 1)
})

test('merging is associative and commutative, down to the bytes, even with other numbers of registers', () => {
  fc.assert(
    fc.property(anySketch, anySketch, anySketch, (a, b, c) => {
      const bits = 7
      assert.deepEqual(hllMerge(a, b, bits), hllMerge(b, a, bits))
      assert.deepEqual(hllMerge(hllMerge(a, b, bits), c, bits), hllMerge(a, hllMerge(b, c, bits), bits))
    }),
    { numRuns: 60 },
  )
})

test('merging is the same as having seen all items in one sketch', () => {
  for (const [left, right] of [
    [5, 9],
    [200, 200],
    [3000, 10],
  ] as const) {
    let all = sketchOf(left, { stream: 1 })
    const seed = { low: 2, high: BITS }
    for (let item = 0; item < right; item++) {
      all = hllAdd(all, itemHash(seed, Uint8Array.of(item, item >>> 8, item >>> 16, item >>> 24)), BITS)
    }
    const merged = hllMerge(sketchOf(left, { stream: 1 }), sketchOf(right, { stream: 2 }), BITS)
    assert.deepEqual(merged, all)
  }
})

test('a union that is read without merging counts as the merged sketch does', () => {
  fc.assert(
    fc.property(anySketch, anySketch, (a, b) => {
      const merged = hllUnionCount([hllMerge(a, b, 7)], 7)
      const read = hllUnionCount([a, b], 7)
      const isExact = a.length + b.length < 40
      assert.ok(isExact ? read === merged : Math.abs(read - merged) <= 0.5 * read)
    }),
    { numRuns: 60 },
  )
})

test('bytes that are no sketch are told from one, and reading them anyway does no harm', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 0x20, max: 0x3f }), (bytes, first) => {
      if (bytes.length > 0) bytes[0] = first
      const count = hllUnionCount([bytes, emptyHll()], BITS)
      if (isHll(bytes)) assert.ok(Number.isFinite(count) && bytes.length <= MOST_BYTES)
    }),
  )
  for (const good of [sketchOf(0), sketchOf(20), sketchOf(2000)]) {
    assert.ok(isHll(good))
    assert.ok(!isHll(good.subarray(0, good.length - 1)) || good.length === 1)
    assert.ok(!isHll(Uint8Array.of(0x4c, ...good.subarray(1))), 'another version')
  }
})
