import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { BinaryReader } from '../../../src/store/embedded/binary-reader.ts'
import { BinaryWriter } from '../../../src/store/embedded/binary-writer.ts'
import { isIntact, seal, unseal } from '../../../src/store/embedded/sealed-value.ts'
import {
  eraseSlots,
  isIndexed,
  readEntries,
  readSegment,
  readSlot,
  reportSizes,
  storedForm,
  writeSegment,
} from '../../../src/store/embedded/segment.ts'
import type { ReportToAppend } from '../../../src/store/store.ts'

/** Any UTF-16, lone surrogates included. */
const text = fc.string({
  unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
  maxLength: 60,
})
const report: fc.Arbitrary<ReportToAppend> = fc.record({
  login: text,
  remote: text,
  success: fc.boolean(),
  text,
  receivedAtMs: fc.double({ noNaN: true, noDefaultInfinity: true }),
})

test('numbers and texts come back as they were written', () => {
  fc.assert(
    fc.property(
      fc.array(text),
      fc.array(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })),
      (texts, numbers) => {
        const writer = new BinaryWriter()
        for (const item of texts) writer.text(item)
        for (const item of numbers) writer.varint(item)
        const reader = new BinaryReader(writer.copy())
        assert.deepEqual(
          texts.map(() => reader.text()),
          texts,
        )
        assert.deepEqual(
          numbers.map(() => reader.varint()),
          numbers,
        )
        assert.ok(reader.isAtEnd)
        assert.throws(() => reader.byte(), { code: 'TRK_STORE_DAMAGED' })
      },
    ),
  )
})

test('a segment gives its reports back, whole and one by one, compressed or not', () => {
  fc.assert(
    fc.property(fc.array(report, { minLength: 1, maxLength: 40 }), fc.boolean(), (reports, isKept) => {
      const writer = new BinaryWriter()
      const { sizes } = writeSegment(writer, reports, 0)
      const content = writer.copy()
      const kept = reports.slice(0, sizes.length)
      assert.ok(sizes.length <= 32)
      const stored = storedForm(content, { isIndexed: isKept })
      assert.equal(isIndexed(stored), isKept)
      assert.deepEqual(readSegment(content), readSegment(stored))
      assert.deepEqual(
        readSegment(stored),
        kept.map((item, slot) => ({ ...item, slot })),
      )
      assert.deepEqual([...reportSizes(stored)], sizes)
      for (const [slot, item] of kept.entries())
        assert.deepEqual(readSlot(stored, slot), { ...item, isErased: false })
      assert.throws(() => readSlot(stored, sizes.length), { code: 'TRK_STORE_DAMAGED' })
    }),
  )
})

test('an erased report is gone, and the others keep their places', () => {
  fc.assert(
    fc.property(fc.array(report, { minLength: 2, maxLength: 32 }), fc.nat(31), (reports, at) => {
      const writer = new BinaryWriter()
      const { sizes } = writeSegment(writer, reports, 0)
      const slot = at % sizes.length
      const stored = eraseSlots(storedForm(writer.copy(), { isIndexed: true }), new Set([slot]))
      const expected = reports.slice(0, sizes.length).map((item, index) => ({ ...item, slot: index }))
      assert.deepEqual(readSegment(stored), expected.toSpliced(slot, 1))
      assert.deepEqual(
        readEntries(stored).map((entry) => entry.slot),
        expected.toSpliced(slot, 1).map((item) => item.slot),
      )
      assert.equal(readSlot(stored, slot).isErased, true)
      assert.ok(isIndexed(stored))
    }),
  )
})

test('a large report gets a segment to itself', () => {
  const large: ReportToAppend = {
    login: 'a',
    remote: 'b',
    success: true,
    text: 'x'.repeat(20_000),
    receivedAtMs: 1,
  }
  assert.equal(writeSegment(new BinaryWriter(), [large, large], 0).sizes.length, 1)
})

test('a sealed value opens under its key, and not when a bit of value or key is another', () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 50 })
  fc.assert(
    fc.property(bytes, bytes, fc.nat(), (key, content, place) => {
      const sealed = seal(key, content)
      assert.deepEqual([...unseal(key, sealed)], [...content])
      const bit = place % (sealed.length * 8)
      const changed = sealed.map((byte, index) => (index === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte))
      assert.equal(isIntact(key, changed), false)
      assert.throws(() => unseal(key, changed), { code: 'TRK_STORE_DAMAGED' })
      const otherKey = key.map((byte, index) => (index === place % key.length ? byte ^ 1 : byte))
      assert.equal(isIntact(otherKey, sealed), false)
      assert.equal(isIntact(key, sealed.subarray(0, place % sealed.length)), false)
    }),
  )
})
