import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import {
  countMinAdd,
  countMinCount,
  countMinExactLimit,
  countMinMerge,
  countMinShape,
  emptyCountMin,
  isCountMin,
} from '../../../src/trends/count-min.ts'
import { hashOf } from '../../support/trend-fixtures.ts'

const EPS = 0.05
const GAMMA = 0.2
const SHAPE = countMinShape(EPS, GAMMA)
const SMALL = { width: 5, depth: 2 }

type Counted = readonly (readonly [item: number, amount: number])[]
const anyCounts: fc.Arbitrary<Counted> = fc.array(
  fc.tuple(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 1, max: 100 })),
  { maxLength: 40 },
)

function sketchOf(counted: Counted, shape = SHAPE): Uint8Array {
  let sketch = emptyCountMin()
  for (const [item, amount] of counted) sketch = countMinAdd(sketch, hashOf(`item${item}`), amount, shape)
  return sketch
}

test('the shape follows from the error bound', () => {
  assert.deepEqual(countMinShape(0.05, 0.2), { width: 55, depth: 2 })
  assert.deepEqual(countMinShape(0.01, 1), { width: 272, depth: 1 })
})

test('counts are exact while there are few items', () => {
  const items = countMinExactLimit(SHAPE)
  const counted = Array.from({ length: items * 3 }, (_, index) => [index % items, index + 1] as const)
  const sketch = sketchOf(counted)
  for (let item = 0; item < items; item++) {
    assert.equal(countMinCount(sketch, hashOf(`item${item}`)), 3 * (item + 1) + 3 * items)
  }
  assert.equal(countMinCount(sketch, hashOf('another')), 0)
})

test('no count is too low, the total is right, and too high counts keep to the bound', () => {
  let tooHigh = 0
  let checked = 0
  for (let stream = 0; stream < 5; stream++) {
    const counted = Array.from({ length: 1000 }, (_, item) => [item, 1 + ((item * 7 + stream) % 20)] as const)
    let sketch = emptyCountMin()
    for (const [item, amount] of counted)
      sketch = countMinAdd(sketch, hashOf(`${stream}/${item}`), amount, SHAPE)
    const total = counted.reduce((sum, [, amount]) => sum + amount, 0)
    assert.equal(countMinCount(sketch), total)
    for (const [item, amount] of counted) {
      const count = countMinCount(sketch, hashOf(`${stream}/${item}`))
      assert.ok(count >= amount)
      if (count - amount > EPS * total) tooHigh += 1
      checked += 1
    }
  }
  assert.ok(tooHigh <= GAMMA * checked, `${tooHigh} of ${checked} counts are too high`)
})

test('merging is associative and commutative, down to the bytes, and the same as counting all at once', () => {
  fc.assert(
    fc.property(anyCounts, anyCounts, anyCounts, (a, b, c) => {
      const merge = (left: Uint8Array, right: Uint8Array): Uint8Array =>
        countMinMerge(left, right, SMALL) ?? new Uint8Array(0)
      const [x, y, z] = [sketchOf(a, SMALL), sketchOf(b, SMALL), sketchOf(c, SMALL)]
      assert.deepEqual(merge(x, y), merge(y, x))
      assert.deepEqual(merge(merge(x, y), z), merge(x, merge(y, z)))
      assert.deepEqual(merge(merge(x, y), z), sketchOf([...a, ...b, ...c], SMALL))
    }),
  )
})

test('grown sketches of different shapes are not merged into a wrong one', () => {
  const counted = Array.from({ length: 300 }, (_, item) => [item, 1] as const)
  assert.equal(countMinMerge(sketchOf(counted, SMALL), sketchOf(counted), SHAPE), undefined)
})

test('bytes that are no sketch are told from one, and reading them anyway does no harm', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(0x20, 0x30, 0x50), (bytes, first) => {
      if (bytes.length > 0) bytes[0] = first
      const count = countMinCount(bytes, hashOf('item1'))
      if (!isCountMin(bytes)) assert.equal(count, 0)
    }),
  )
  for (const good of [sketchOf([[1, 2]]), sketchOf(Array.from({ length: 300 }, (_, item) => [item, 300]))]) {
    assert.ok(isCountMin(good) && !isCountMin(good.subarray(0, good.length - 1)))
  }
})
