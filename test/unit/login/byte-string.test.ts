import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bytesToText, isLongerThan, textToBytes } from '../../../src/login/byte-string.ts'

/** Byte by byte: whatever a strict decoder accepts as one character, else an escape. */
function naiveText(bytes: Uint8Array): string {
  const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  let text = ''
  for (let index = 0; index < bytes.length;) {
    const length = [1, 2, 3, 4].find((candidate) => {
      try {
        return (
          Array.from(strict.decode(bytes.subarray(index, index + candidate))).length === 1 &&
          index + candidate <= bytes.length
        )
      } catch {
        return false
      }
    })
    text +=
      length === undefined
        ? String.fromCharCode(0xdc00 + (bytes[index] ?? 0))
        : strict.decode(bytes.subarray(index, index + length))
    index += length ?? 1
  }
  return text
}

/** Bytes that often come close to UTF-8. */
const nearlyUtf8 = fc.array(
  fc.oneof(
    fc.constantFrom(
      0x00,
      0x41,
      0x7f,
      0x80,
      0xbf,
      0xc1,
      0xc2,
      0xc3,
      0xe0,
      0xa0,
      0xed,
      0x9f,
      0xef,
      0xbb,
      0xf0,
      0x90,
      0xf4,
      0x8f,
      0xff,
    ),
    fc.nat(255),
  ),
  { maxLength: 80 },
)

test('text of bytes is what a naive decoder gives, and its bytes are the same again', () => {
  fc.assert(
    fc.property(nearlyUtf8, (list) => {
      const bytes = Uint8Array.from(list)
      const text = bytesToText(bytes)
      assert.equal(text, naiveText(bytes))
      assert.deepEqual(textToBytes(text), bytes)
    }),
    { numRuns: 2000 },
  )
})

test('well-formed text comes back unchanged, short or long', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => {
      assert.equal(bytesToText(textToBytes(text)), text)
    }),
    { numRuns: 500 },
  )
})

test('single cases', () => {
  const cases: readonly (readonly [readonly number[], string])[] = [
    [[], ''],
    [[0xff], '\udcff'],
    [[0x61, 0xe9, 0x62], 'a\udce9b'],
    [[0xc3, 0xa9], 'é'],
    [[0xef, 0xbb, 0xbf, 0x41], '\ufeffA'],
    // A surrogate written as UTF-8 is not UTF-8.
    [[0xed, 0xa0, 0x80], '\udced\udca0\udc80'],
    [[0xf0, 0x9f, 0x98, 0x80, 0x80], '😀\udc80'],
  ]
  for (const [bytes, text] of cases) {
    assert.equal(bytesToText(Uint8Array.from(bytes)), text)
    assert.deepEqual(textToBytes(text), Uint8Array.from(bytes))
  }
})

test('escapes that together are valid UTF-8 read back as the character, as documented', () => {
  assert.equal(bytesToText(textToBytes('\udcc3\udca9')), 'é')
})

test('other lone surrogates, which no bytes yield, become the replacement character', () => {
  assert.equal(bytesToText(textToBytes('a\ud800b')), 'a\ufffdb')
  assert.equal(bytesToText(textToBytes('\udc00')), '\ufffd')
})

test('a text is longer than a number of bytes exactly when its bytes are', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        nearlyUtf8.map((list) => bytesToText(Uint8Array.from(list))),
        fc.string({ unit: 'binary' }),
      ),
      fc.nat(40),
      (text, bytes) => {
        assert.equal(isLongerThan(text, bytes), textToBytes(text).length > bytes)
      },
    ),
  )
})
