import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import {
  decodeLastValue,
  encodeLastValue,
  isLast,
  readLast,
  setLast,
} from '../../../src/trends/last-value.ts'

const scalar = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom('\udc80\udcff', 'grün', '\ufeff'),
  fc.double().map((value) => (value === 0 ? 0 : value)),
  fc.integer(),
  fc.boolean(),
)
const anyValue = fc.oneof(
  scalar,
  fc.array(fc.tuple(scalar, scalar), { maxLength: 8 }).map((entries) => new Map(entries)),
)

test('every value comes back as it was, down to lone surrogates and the order of a table', () => {
  fc.assert(
    fc.property(anyValue, (value) => {
      const bytes = encodeLastValue(value)
      assert.ok(bytes !== undefined)
      const read = decodeLastValue(bytes)
      assert.deepEqual(read, value)
      if (value instanceof Map) assert.deepEqual(read instanceof Map ? [...read] : read, [...value])
    }),
  )
})

test('a value of more than 4 KiB is refused', () => {
  assert.ok(encodeLastValue('x'.repeat(4090)) !== undefined)
  assert.equal(encodeLastValue('x'.repeat(4096)), undefined)
  assert.equal(encodeLastValue(new Map(Array.from({ length: 1000 }, (_, key) => [key, 'value']))), undefined)
})

test('the later value stays, whatever the order in which they come', () => {
  const value = (text: string): Uint8Array => encodeLastValue(text) ?? new Uint8Array(0)
  const field = setLast(setLast(undefined, value('new'), 20.5), value('old'), 10)
  assert.deepEqual(readLast(field), { value: 'new', time: 20.5 })
  assert.deepEqual(readLast(setLast(field, value('same time'), 20.5)), { value: 'same time', time: 20.5 })
})

test('bytes that are no value give undefined', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.integer({ min: 0, max: 8 }), (bytes, tag) => {
      const field = Uint8Array.of(0x20, 5, tag, ...bytes)
      const read = readLast(field)
      assert.equal(isLast(field), read !== undefined)
    }),
  )
  assert.equal(decodeLastValue(new Uint8Array(0)), undefined)
  assert.equal(decodeLastValue(Uint8Array.of(1, 200)), undefined)
})
