import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { textToBytes } from '../../../src/login/byte-string.ts'
import {
  formatExponent,
  formatFixed,
  formatGeneral,
  formatHexFloat,
  formatNumber,
  parseNumber,
} from '../../../src/lua/numbers.ts'

test('numbers print as LuaJIT prints them', () => {
  const cases: readonly (readonly [number, string])[] = [
    [3, '3'],
    [-0, '-0'],
    [0.1, '0.1'],
    [1e15, '1e+15'],
    [1e14, '1e+14'],
    [99_999_999_999_999, '99999999999999'],
    [2 ** 53, '9.007199254741e+15'],
    [1e-5, '1e-05'],
    [0.0001, '0.0001'],
    [1e100, '1e+100'],
    [Infinity, 'inf'],
    [-Infinity, '-inf'],
    [NaN, 'nan'],
    [1 / 3, '0.33333333333333'],
    // An exact tie goes to the even digit.
    [123_456_789_012_345, '1.2345678901234e+14'],
    [5e-324, '4.9406564584125e-324'],
  ]
  for (const [value, text] of cases) assert.equal(formatNumber(value), text)
})

test('printf conversions round ties to the even digit', () => {
  assert.equal(formatFixed(0.5, 0), '0')
  assert.equal(formatFixed(1.5, 0), '2')
  assert.equal(formatFixed(2.5, 0), '2')
  assert.equal(formatFixed(0.125, 2), '0.12')
  assert.equal(formatFixed(1e22, 1), '10000000000000000000000.0')
  assert.equal(formatFixed(-0, 1), '-0.0')
  assert.equal(formatExponent(9.5, 0), '1e+01')
  assert.equal(formatExponent(8.5, 0), '8e+00')
  assert.equal(formatExponent(0, 2), '0.00e+00')
  assert.equal(formatGeneral(100_000, 6, false), '100000')
  assert.equal(formatGeneral(1_000_000, 6, false), '1e+06')
  assert.equal(formatGeneral(0.5, 0, false), '0.5')
  assert.equal(formatGeneral(1, 3, true), '1.00')
  assert.equal(formatHexFloat(1.5), '0x1.8p+0')
  assert.equal(formatHexFloat(-0.1), '-0x1.999999999999ap-4')
})

test('seventeen digits bring every number back', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      assert.equal(Number(formatGeneral(value, 17, false)), value)
      assert.equal(Number(formatExponent(value, 16)), value)
    }),
  )
})

test('texts that are numbers, and texts that are none', () => {
  const cases: readonly (readonly [string, number | undefined])[] = [
    ['10', 10],
    [' 10\n', 10],
    ['-0x10', -16],
    ['0xffffffff', 4_294_967_295],
    ['0x1p4', 16],
    ['0x.8', 0.5],
    ['0xA.8p1', 21],
    ['1e1', 10],
    ['.5', 0.5],
    ['5.', 5],
    ['1e', undefined],
    ['0x', undefined],
    ['', undefined],
    ['.', undefined],
    ['1 2', undefined],
    ['inf', undefined],
    ['nan', undefined],
    ['1\0', undefined],
    ['\u00a01', undefined],
    ['Infinity', undefined],
    ['1_000', undefined],
    ['0b1', undefined],
    ['0xffffffffffffffff', 2 ** 64],
  ]
  for (const [text, value] of cases) assert.equal(parseNumber(textToBytes(text)), value, JSON.stringify(text))
})
