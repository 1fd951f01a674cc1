import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { decodeRow, encodeRow } from '../../../src/store/embedded/row-value.ts'
import { seal } from '../../../src/store/embedded/sealed-value.ts'

const KEY = Uint8Array.of(1, 2, 3)
const anyName = fc.string({ unit: 'binary', maxLength: 20 }).filter((name) => /^[\0-\xff]*$/.test(name))

test('a row comes back as it was stored, with the names of its chunks', () => {
  fc.assert(
    fc.property(
      fc.uint8Array(),
      fc.array(anyName, { maxLength: 30 }),
      fc.nat({ max: 2 ** 47 }),
      (bytes, chunkNames, expiresAtMs) => {
        const read = decodeRow(KEY, encodeRow(KEY, { expiresAtMs, chunkNames, bytes }))
        assert.deepEqual([...read.bytes], [...bytes])
        assert.deepEqual([read.expiresAtMs, read.chunkNames], [expiresAtMs, chunkNames])
      },
    ),
  )
})

test('a row of the first version is read', () => {
  for (const expiresAtMs of [0, 1, 1_790_000_000_000, 8.64e15]) {
    const content = new Uint8Array(11)
    new DataView(content.buffer).setFloat64(0, expiresAtMs)
    content.set([7, 8, 9], 8)
    const read = decodeRow(KEY, seal(KEY, content))
    assert.deepEqual([read.expiresAtMs, read.chunkNames, [...read.bytes]], [expiresAtMs, [], [7, 8, 9]])
  }
})

test('a row that was changed, or stored under another key, is damage', () => {
  const value = encodeRow(KEY, { expiresAtMs: 5, chunkNames: ['a', 'bc'], bytes: Uint8Array.of(1, 2) })
  for (let at = 0; at < value.length; at++) {
    assert.throws(() => decodeRow(KEY, value.with(at, (value[at] ?? 0) ^ 1)), { code: 'TRK_STORE_DAMAGED' })
  }
  assert.throws(() => decodeRow(Uint8Array.of(1, 2, 4), value), { code: 'TRK_STORE_DAMAGED' })
})
