import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { halfSipHash, hashSeed, itemHash } from '../../../src/trends/item-hash.ts'
import { normalizeKey, originalKey } from '../../../src/trends/normalize-key.ts'

test('the hash of nothing under the key 00..07 is that of the reference implementation', () => {
  const seed = hashSeed(Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7))
  assert.deepEqual(halfSipHash(seed, new Uint8Array(0)), { low: 0x591f8d21, high: 0xc83cb8b9 })
})

test('stored hashes never change', () => {
  const seed = hashSeed(Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7))
  assert.equal(itemHash(seed, Uint8Array.of(0)), (0x338f8 % 0x10000) * 2 ** 32 + 0x122455be)
  assert.equal(itemHash(seed, Uint8Array.of(0, 1)), 0x507c * 2 ** 32 + 0xef394f06)
})

test('100,000 different items have different hashes, and another seed gives others', () => {
  const hashes = new Set<number>()
  for (let item = 0; item < 100_000; item++) {
    const bytes = Uint8Array.of(item, item >>> 8, item >>> 16, 7, 7)
    hashes.add(itemHash({ low: 1, high: 2 }, bytes))
  }
  assert.equal(hashes.size, 100_000)
  assert.notEqual(
    itemHash({ low: 1, high: 2 }, Uint8Array.of(1)),
    itemHash({ low: 1, high: 3 }, Uint8Array.of(1)),
  )
})

test('different keys stay different, bounded in length, and short ones come back', () => {
  const key = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.uint8Array({ maxLength: 3 }).map((rest) => Uint8Array.of(0xff, ...rest)),
    fc.uint8Array({ minLength: 1020, maxLength: 1030 }),
  )
  fc.assert(
    fc.property(key, key, (left, right) => {
      const normalized = normalizeKey(left)
      assert.ok(normalized.length <= 1026)
      if (left.length <= 1024) assert.deepEqual(originalKey(normalized), left)
      const isSame = Buffer.compare(left, right) === 0
      assert.equal(Buffer.compare(normalized, normalizeKey(right)) === 0, isSame)
    }),
  )
})

test('a short key cannot pass for the hash of a long one', () => {
  const stored = normalizeKey(new Uint8Array(2000))
  assert.equal(stored.length, 34)
  assert.notDeepEqual(normalizeKey(stored), stored)
})
