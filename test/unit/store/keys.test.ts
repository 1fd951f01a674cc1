import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  databaseKey,
  endOf,
  expiryKey,
  MAX_NUMBER,
  numberKey,
  numberOfKey,
  partsOfDatabaseKey,
  partsOfExpiryKey,
  PREFIX,
  wholePrefix,
} from '../../../src/store/embedded/keys.ts'

const number = fc.integer({ min: 0, max: MAX_NUMBER })
const bytes = fc.uint8Array({ maxLength: 40 })
const name = fc.string({ minLength: 1, maxLength: 30 })

test('numbers sort as their keys do and come back', () => {
  fc.assert(
    fc.property(number, number, (a, b) => {
      const [first, second] = [numberKey(PREFIX.segment, a), numberKey(PREFIX.segment, b)]
      assert.equal(Math.sign(Buffer.compare(first, second)), Math.sign(a - b))
      assert.equal(numberOfKey(first), a)
    }),
  )
})

test('the key of a row gives database and key back, and no row is in the range of another database', () => {
  fc.assert(
    fc.property(name, name, bytes, (database, other, key) => {
      const full = databaseKey(PREFIX.row, database, key)
      const parts = partsOfDatabaseKey(full)
      assert.deepEqual([parts.database, [...parts.key]], [database, [...key]])
      const start = databaseKey(PREFIX.row, other)
      const isInside = Buffer.compare(full, start) >= 0 && Buffer.compare(full, endOf(start)) < 0
      assert.equal(isInside, database === other)
    }),
  )
})

test('expiry keys of a database sort by time', () => {
  fc.assert(
    fc.property(number, number, bytes, (a, b, key) => {
      const first = expiryKey('d', a, key)
      assert.deepEqual(
        { ...partsOfExpiryKey(first), key: [...key] },
        { database: 'd', atMs: a, key: [...key] },
      )
      if (a !== b) assert.equal(Math.sign(Buffer.compare(first, expiryKey('d', b, key))), Math.sign(a - b))
    }),
  )
})

test('every kind of key has a prefix of its own', () => {
  const prefixes = Object.values(PREFIX)
  assert.equal(new Set(prefixes).size, prefixes.length)
  for (const prefix of prefixes) assert.deepEqual(endOf(Uint8Array.of(prefix)), wholePrefix(prefix).to)
})

test('the end of a prefix that ends in 255 is after all of its keys', () => {
  assert.deepEqual(endOf(Uint8Array.of(1, 255, 255)), Uint8Array.of(2))
})
