import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { emptySeen, isSeen, seenAdd, seenItem, seenItems } from '../../../src/trends/seen-items.ts'
import { bytesOf } from '../../support/trend-fixtures.ts'

const MOST = 4

interface Remembered {
  readonly item: string
  first: number
  last: number
  count: number
}

const sighting = fc.record({
  item: fc.constantFrom('', 'a', 'ab', 'b', 'c', 'd', 'e'),
  last: fc.integer({ min: 0, max: 200 }).map((tenths) => tenths / 10),
  count: fc.integer({ min: 1, max: 3 }),
})

test('a list remembers what a plain one would, and forgets the item seen longest ago', () => {
  fc.assert(
    fc.property(fc.array(sighting, { maxLength: 60 }), (sightings) => {
      let list = emptySeen()
      let plain: Remembered[] = []
      for (const { item, last, count } of sightings) {
        list = seenAdd(list, { item: bytesOf(item), last, count }, MOST)
        const known = plain.find((entry) => entry.item === item) ?? { item, first: last, last, count: 0 }
        known.first = Math.min(known.first, last)
        known.last = Math.max(known.last, last)
        known.count += count
        plain = [known, ...plain.filter((entry) => entry.item !== item)]
        plain = plain.toSorted((a, b) => b.last - a.last).slice(0, MOST)
      }
      const read = seenItems(list).map(({ item, ...rest }) => ({
        item: new TextDecoder().decode(item),
        ...rest,
      }))
      assert.deepEqual(read, plain)
      for (const { item, ...rest } of plain)
        assert.deepEqual(seenItem(list, bytesOf(item)), { item: bytesOf(item), ...rest })
      assert.ok(isSeen(list))
    }),
  )
})

test('a full list of 256 items is bounded in size and loses exactly one for a new one', () => {
  let list = emptySeen()
  for (let index = 0; index < 300; index++) {
    list = seenAdd(list, { item: bytesOf(`device ${index}`), last: 1000 + index, count: 1 }, 256)
  }
  assert.equal(seenItems(list).length, 256)
  assert.equal(seenItem(list, bytesOf('device 43')), undefined)
  assert.equal(seenItem(list, bytesOf('device 44'))?.last, 1044)
})

test('bytes that are no list are told from one, and reading them anyway does no harm', () => {
  const good = seenAdd(emptySeen(), { item: bytesOf('x'), last: 5, count: 1 }, 4)
  assert.ok(!isSeen(good.subarray(0, good.length - 1)) && !isSeen(Uint8Array.of(0x40)))
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      if (bytes.length > 0) bytes[0] = 0x20
      assert.ok(seenItems(bytes).length <= 100)
    }),
  )
})
