import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { addressOfWords, parseComboAddress } from '../../../src/login/combo-address.ts'

const VALID = [
  ['192.0.2.1', '192.0.2.1', 0, 4],
  ['0.0.0.0', '0.0.0.0', 0, 4],
  ['255.255.255.255:65535', '255.255.255.255', 65_535, 4],
  ['1.2.3.4:55', '1.2.3.4', 55, 4],
  ['1.2.3.4:0', '1.2.3.4', 0, 4],
  ['2001:db8::1', '2001:db8::1', 0, 6],
  ['[2001:db8::1]', '2001:db8::1', 0, 6],
  ['[2001:db8::1]:99', '2001:db8::1', 99, 6],
  ['2001:DB8:0:0:0:0:0:1', '2001:db8::1', 0, 6],
  ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1', 0, 6],
  ['2001:0db8:0000:1:1:1:1:1', '2001:db8:0:1:1:1:1:1', 0, 6],
  ['::', '::', 0, 6],
  ['::1', '::1', 0, 6],
  ['fe80::1%eth0', 'fe80::1%eth0', 0, 6],
  ['[FE80:0::1%eth0.100]:99', 'fe80::1%eth0.100', 99, 6],
  ['::ffff:1.2.3.4', '::ffff:1.2.3.4', 0, 6],
  ['::ffff:102:304', '::ffff:1.2.3.4', 0, 6],
  ['[::FFFF:1.2.3.4]:25', '::ffff:1.2.3.4', 25, 6],
  ['::ffff:0:0', '::ffff:0.0.0.0', 0, 6],
  ['::1.2.3.4', '::102:304', 0, 6],
  ['::ffff:1:2:3', '::ffff:1:2:3', 0, 6],
] as const

for (const [text, address, port, family] of VALID) {
  test(`${text} is ${address} with port ${port}`, () => {
    const parsed = parseComboAddress(text)
    assert.equal(parsed?.address, address)
    assert.equal(parsed.port, port)
    assert.equal(parsed.family, family)
    assert.equal(String(parsed), address)
    assert.equal(parsed.isIPv4(), family === 4)
    assert.equal(parsed.isIPv6(), family === 6)
  })
}

const INVALID = [
  '',
  ' ',
  'localhost',
  '1.2.3',
  '1.2.3.4.5',
  '1.2.3.256',
  '01.2.3.4',
  '0x7f.0.0.1',
  '0x7f000001',
  '2130706433',
  ' 1.2.3.4',
  '1.2.3.4 ',
  '1.2.3.4:',
  '1.2.3.4:65536',
  '1.2.3.4:-1',
  '1.2.3.4:+5',
  '1.2.3.4:080',
  '1.2.3.4:5 ',
  '1.2.3.4:1e1',
  '1.2.3.4%eth0',
  '1.2.3.4/8',
  '[1.2.3.4]',
  '[1.2.3.4]:5',
  '[::1',
  '::1]',
  '[]',
  '[::1]5',
  '[::1]:',
  '[::1]:99999',
  '[[::1]]',
  '1::2::3',
  ':::',
  '1:2:3:4:5:6:7:8:9',
  '::12345',
  '::1%',
  '::ffff:1.2.3.400',
  'a.b:1',
  `::1%${'x'.repeat(200)}`,
  '1.2.3.4\0',
]

for (const text of INVALID) {
  test(`${JSON.stringify(text.slice(0, 40))} is no address`, () => {
    assert.equal(parseComboAddress(text), undefined)
  })
}

test('a mapped address says so, and unmapped keeps its port', () => {
  const mapped = parseComboAddress('[::ffff:192.0.2.7]:55')
  assert.equal(mapped?.isMappedIPv4(), true)
  const plain = mapped.unmapped()
  assert.equal(plain.address, '192.0.2.7')
  assert.equal(plain.port, 55)
  assert.equal(plain.isIPv4(), true)
  assert.equal(plain.unmapped(), plain)
})

test('other addresses are not mapped', () => {
  for (const text of ['1.2.3.4', '::1', '::ffff:1:2:3', '::1.2.3.4', '64:ff9b::1.2.3.4']) {
    const address = parseComboAddress(text)
    assert.equal(address?.isMappedIPv4(), false, text)
    assert.equal(address.unmapped(), address)
  }
})

test('a zone id does not hide that an address is mapped', () => {
  assert.equal(parseComboAddress('::ffff:1.2.3.4%eth0')?.unmapped().address, '1.2.3.4')
})

test('addresses are equal when address, zone id and port are', () => {
  const same = (a: string, b: string): boolean | undefined => {
    const other = parseComboAddress(b)
    return other === undefined ? undefined : parseComboAddress(a)?.equals(other)
  }
  assert.equal(same('2001:db8::1', '2001:DB8:0::1'), true)
  assert.equal(same('1.2.3.4:5', '1.2.3.4:5'), true)
  assert.equal(same('1.2.3.4:5', '1.2.3.4'), false)
  assert.equal(same('fe80::1%a', 'fe80::1%b'), false)
  assert.equal(same('::ffff:1.2.3.4', '1.2.3.4'), false)
})

test('the words of every address give the address again', () => {
  const word = fc.oneof(fc.constant(0), fc.constant(0xffff), fc.integer({ min: 0, max: 0xffff }))
  const words = fc.oneof(
    fc.array(word, { minLength: 2, maxLength: 2 }),
    fc.array(word, { minLength: 8, maxLength: 8 }),
  )
  fc.assert(
    fc.property(words, (expected) => {
      const address = addressOfWords(expected)
      assert.deepEqual(address.words(), expected)
      const parsed = parseComboAddress(address.toString())
      assert.equal(parsed?.toString(), address.toString())
      assert.deepEqual(parsed.words(), expected)
    }),
  )
})

test('any text is an address or is not, without an error', () => {
  const character = fc.constantFrom(...'0123456789abcfx.:[]%/ \u00e9'.split(''))
  fc.assert(
    fc.property(fc.string({ unit: character, maxLength: 45 }), (text) => {
      const parsed = parseComboAddress(text)
      if (parsed !== undefined) assert.equal(parseComboAddress(parsed.toString())?.address, parsed.address)
    }),
    { numRuns: 2_000 },
  )
})
