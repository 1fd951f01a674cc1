import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  databaseKey,
  endOf,
  eraOf,
  expiryKey,
  type HistoryIndex,
  historyKey,
  historyRange,
  idOfHistoryKey,
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

test('history keys of one index and hash sort newest first and give the id back', () => {
  fc.assert(
    fc.property(number, fc.oneof(number, fc.nat({ max: 2 ** 21 })), fc.boolean(), (a, other, isNear) => {
      const b = isNear ? Math.min(MAX_NUMBER, Math.max(0, a + (other % 2 ** 21) - 2 ** 20)) : other
      const hash = 0xdeadbeef
      const [first, second] = [historyKey('login', hash, a), historyKey('login', hash, b)]
      const isOneEra = eraOf(a) === eraOf(b)
      assert.equal(Math.sign(Buffer.compare(first, second)), Math.sign(b - a))
      assert.equal(idOfHistoryKey(first), a)
      const { from, to } = historyRange('login', hash, eraOf(a))
      const isInside = Buffer.compare(second, from) >= 0 && Buffer.compare(second, to) < 0
      assert.equal(isInside, isOneEra)
    }),
  )
})

test('a history key of an era that is past sorts behind all keys of a later one', () => {
  const index = fc.constantFrom<HistoryIndex>('login', 'address')
  const entry = fc.record({ index, hash: fc.nat({ max: 2 ** 32 - 1 }), id: number })
  fc.assert(
    fc.property(entry, entry, (a, b) => {
      fc.pre(eraOf(a.id) < eraOf(b.id))
      const [past, later] = [historyKey(a.index, a.hash, a.id), historyKey(b.index, b.hash, b.id)]
      assert.ok(Buffer.compare(past, later) > 0)
    }),
  )
})

test('segments come before and history indexes after every other key', () => {
  const others = Object.values(PREFIX).filter(
    (prefix) => prefix !== PREFIX.segment && prefix !== PREFIX.history,
  )
  assert.ok(others.every((prefix) => prefix > PREFIX.segment && prefix < PREFIX.history))
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
