import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { addressOfWords, parseComboAddress, type ComboAddress } from '../../../src/login/combo-address.ts'
import { netmaskOf, parseNetmask } from '../../../src/login/netmask.ts'

const VALID = [
  ['10.0.0.0/8', '10.0.0.0/8'],
  ['10.1.2.3/8', '10.0.0.0/8'],
  ['192.0.2.129/25', '192.0.2.128/25'],
  ['192.0.2.1', '192.0.2.1/32'],
  ['192.0.2.1/32', '192.0.2.1/32'],
  ['1.2.3.4/0', '0.0.0.0/0'],
  ['2001:db8::1', '2001:db8::1/128'],
  ['2001:DB8:ffff::1/33', '2001:db8:8000::/33'],
  ['::/0', '::/0'],
  ['::ffff:10.1.2.3/104', '::ffff:10.0.0.0/104'],
] as const

for (const [text, network] of VALID) {
  test(`${text} is the network ${network}`, () => {
    const mask = parseNetmask(text)
    assert.equal(mask?.toStringNetwork(), network)
    assert.equal(String(mask), network)
  })
}

const INVALID = [
  '',
  '/8',
  '10.0.0.0/',
  '10.0.0.0/33',
  '10.0.0.0/-1',
  '10.0.0.0/08',
  '10.0.0.0/8.0',
  '10.0.0.0/8/8',
  '10.0.0.0/ 8',
  '10.0.0.0/255.0.0.0',
  '10.0.0/8',
  '10.0.0.1:80',
  '10.0.0.1:80/8',
  '[::1]/128',
  '[::1]:80/128',
  '::/129',
  'fe80::1%eth0/64',
  '!10.0.0.0/8',
  'example.com/8',
]

for (const text of INVALID) {
  test(`${JSON.stringify(text)} is no netmask`, () => assert.equal(parseNetmask(text), undefined))
}

test('netmaskOf refuses bits that the address does not have', () => {
  const address = addressOfWords([1, 2])
  assert.equal(netmaskOf(address, 16).toString(), '0.1.0.0/16')
  for (const bits of [-1, 33, 1.5, Number.NaN]) assert.throws(() => netmaskOf(address, bits), RangeError)
})

test('a mapped address and its plain form are in the same networks', () => {
  const contains = (mask: string, address: string): boolean | undefined => {
    const parsed = parseComboAddress(address)
    return parsed === undefined ? undefined : parseNetmask(mask)?.contains(parsed)
  }
  assert.equal(contains('10.0.0.0/8', '::ffff:10.1.2.3'), true)
  assert.equal(contains('::ffff:10.0.0.0/104', '10.1.2.3'), true)
  assert.equal(contains('::ffff:0:0/96', '10.1.2.3'), true)
  assert.equal(contains('0.0.0.0/0', '::ffff:10.1.2.3'), true)
  assert.equal(contains('::/0', '::ffff:10.1.2.3'), false)
  assert.equal(contains('::/0', '10.1.2.3'), false)
  assert.equal(contains('0.0.0.0/0', '::1'), false)
  assert.equal(contains('fe80::/10', 'fe80::1%eth0'), true)
})

const words = (length: 2 | 8) =>
  fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: length, maxLength: length })
const bitsOf = (address: ComboAddress): string =>
  address
    .words()
    .map((word) => word.toString(2).padStart(16, '0'))
    .join('')

test('a network contains the addresses whose bits begin like its own', () => {
  const anyCase = fc
    .constantFrom(2 as const, 8 as const)
    .chain((length) => fc.tuple(words(length), words(length), fc.nat(length * 16), fc.nat(length * 16)))
  fc.assert(
    fc.property(anyCase, ([network, other, bits, sharedBits]) => {
      const base = addressOfWords(network)
      // An unrelated address would almost never share a prefix: give it one.
      const text = bitsOf(base).slice(0, sharedBits) + bitsOf(addressOfWords(other)).slice(sharedBits)
      const address = addressOfWords(
        Array.from({ length: text.length / 16 }, (_, index) =>
          Number.parseInt(text.slice(index * 16, index * 16 + 16), 2),
        ),
      )
      // Mapped addresses have rules of their own, which the table above covers.
      fc.pre(!base.isMappedIPv4() && !address.isMappedIPv4())
      const mask = netmaskOf(base, bits)
      assert.equal(mask.contains(address), bitsOf(base).slice(0, bits) === text.slice(0, bits))
      assert.equal(bitsOf(mask.network), bitsOf(base).slice(0, bits).padEnd(text.length, '0'))
      assert.equal(parseNetmask(mask.toString())?.toString(), mask.toString())
    }),
  )
})
