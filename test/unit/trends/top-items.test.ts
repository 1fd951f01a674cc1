import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { emptyTop, isTop, topAdd, topMerge, topUnion } from '../../../src/trends/top-items.ts'
import { bytesOf } from '../../support/trend-fixtures.ts'

const CAPACITY = 5

type Counted = readonly (readonly [item: string, amount: number])[]
const anyCounts: fc.Arbitrary<Counted> = fc.array(
  fc.tuple(
    fc.integer({ min: 0, max: 20 }).map((item) => `i${item}`),
    fc.integer({ min: 1, max: 50 }),
  ),
  { maxLength: 80 },
)

function sketchOf(counted: Counted, capacity = CAPACITY): Uint8Array {
  let sketch = emptyTop()
  for (const [item, amount] of counted) sketch = topAdd(sketch, bytesOf(item), amount, capacity)
  return sketch
}

function truth(counted: Counted): ReadonlyMap<string, number> {
  const sums = new Map<string, number>()
  for (const [item, amount] of counted) sums.set(item, (sums.get(item) ?? 0) + amount)
  return sums
}

/** What every reading promises, whatever sketches it comes from. */
function assertBounds(sketches: readonly Uint8Array[], counted: Counted): void {
  const sums = truth(counted)
  const total = counted.reduce((sum, [, amount]) => sum + amount, 0)
  const entries = topUnion(sketches, 1000)
  for (const { item, count, over } of entries) {
    const real = sums.get(new TextDecoder().decode(item)) ?? 0
    assert.ok(real <= count && real >= count - over, `${real} is not within ${count - over}..${count}`)
    assert.ok(over <= total / CAPACITY)
  }
  const listed = new Set(entries.map(({ item }) => new TextDecoder().decode(item)))
  for (const [item, sum] of sums) assert.ok(listed.has(item) || sum <= total / CAPACITY, `${item} is missing`)
  assert.deepEqual(
    entries.map(({ count }) => count),
    entries.map(({ count }) => count).toSorted((a, b) => b - a),
  )
}

test('counts are exact while all items fit', () => {
  const sketch = sketchOf([
    ['a', 3],
    ['b', 5],
    ['a', 4],
  ])
  assert.deepEqual(topUnion([sketch], 10), [
    { item: bytesOf('a'), count: 7, over: 0 },
    { item: bytesOf('b'), count: 5, over: 0 },
  ])
  assert.equal(topUnion([sketch], 1).length, 1)
})

test('a heavy item is always listed, and no count errs by more than the bound', () => {
  fc.assert(fc.property(anyCounts, (counted) => assertBounds([sketchOf(counted)], counted)))
})

test('the bounds hold for several windows read together', () => {
  fc.assert(
    fc.property(anyCounts, anyCounts, (a, b) => assertBounds([sketchOf(a), sketchOf(b)], [...a, ...b])),
  )
})

test('the bounds hold for merged sketches, in any order', () => {
  fc.assert(
    fc.property(anyCounts, anyCounts, anyCounts, (a, b, c) => {
      const [x, y, z] = [sketchOf(a), sketchOf(b), sketchOf(c)]
      assertBounds([topMerge(topMerge(x, y, CAPACITY), z, CAPACITY)], [...a, ...b, ...c])
      assertBounds([topMerge(x, topMerge(z, y, CAPACITY), CAPACITY)], [...a, ...b, ...c])
      assert.deepEqual(topUnion([topMerge(x, y, CAPACITY)], 9), topUnion([topMerge(y, x, CAPACITY)], 9))
    }),
  )
})

test('a smaller capacity keeps the bounds of what was counted under a larger one', () => {
  const counted: Counted = Array.from({ length: 40 }, (_, index) => [`i${index % 13}`, 1 + (index % 7)])
  const sketch = topAdd(sketchOf(counted, 50), bytesOf('new'), 2, CAPACITY)
  assert.equal(topUnion([sketch], 100).length, CAPACITY)
  const newcomer = topUnion([sketch], 100).find(({ over }) => over > 0)
  assert.ok(newcomer !== undefined && newcomer.count - newcomer.over === 2)
})

test('bytes that are no sketch are told from one, and reading them anyway does no harm', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      if (bytes.length > 0) bytes[0] = 0x20
      if (!isTop(bytes)) assert.deepEqual(topUnion([bytes], 5), [])
    }),
  )
})
