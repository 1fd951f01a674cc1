import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { addressOfWords, parseComboAddress, type ComboAddress } from '../../../src/login/combo-address.ts'
import { NetmaskGroup } from '../../../src/login/netmask-group.ts'
import { netmaskOf } from '../../../src/login/netmask.ts'

function address(text: string): ComboAddress {
  return parseComboAddress(text) ?? assert.fail(`${text} is no address`)
}

function groupOf(...masks: readonly string[]): NetmaskGroup {
  const group = new NetmaskGroup()
  for (const mask of masks) group.addMask(mask)
  return group
}

const MATCHES = [
  [[], '1.2.3.4', false],
  [['10.0.0.0/8'], '10.255.0.1', true],
  [['10.0.0.0/8'], '11.0.0.1', false],
  [['10.0.0.0/8'], '10.0.0.1:5000', true],
  [['10.0.0.0/8'], '::ffff:10.0.0.1', true],
  [['::ffff:10.0.0.0/104'], '10.0.0.1', true],
  [['0.0.0.0/0'], '::1', false],
  [['::/0'], '1.2.3.4', false],
  [['::/0'], '::ffff:1.2.3.4', false],
  [['fe80::/10'], 'fe80::1%eth0', true],
  [['10.0.0.0/8', '!10.1.0.0/16'], '10.1.2.3', false],
  [['!10.1.0.0/16', '10.0.0.0/8'], '10.1.2.3', false],
  [['10.0.0.0/8', '!10.1.0.0/16'], '10.2.2.3', true],
  [['10.0.0.0/8', '!10.1.0.0/16', '10.1.2.3'], '10.1.2.3', true],
  [['!0.0.0.0/0'], '1.2.3.4', false],
  [['10.0.0.0/8', '!10.0.0.0/8'], '10.0.0.1', false],
  [['!10.0.0.0/8', '10.0.0.0/8'], '10.0.0.1', true],
] as const

for (const [masks, text, expected] of MATCHES) {
  test(`{${masks.join(', ')}} ${expected ? 'matches' : 'does not match'} ${text}`, () => {
    assert.equal(groupOf(...masks).match(address(text)), expected)
  })
}

test('a network that is added again counts once, and the last word on it stands', () => {
  const group = groupOf('10.1.2.3/8', '10.0.0.0/8', '!10.9.9.9/8', '2001:db8::/32')
  assert.equal(group.size, 2)
  assert.deepEqual(group.masks(), ['!10.0.0.0/8', '2001:db8::/32'])
})

test('an empty group matches nothing, also after clear', () => {
  const group = groupOf('0.0.0.0/0', '::/0')
  group.clear()
  assert.equal(group.size, 0)
  assert.equal(group.match(address('1.2.3.4')), false)
  assert.equal(group.match(address('::1')), false)
  group.addMask('1.2.3.4')
  assert.equal(group.match(address('1.2.3.4')), true)
})

test('what is no netmask is refused by name', () => {
  for (const mask of ['', '!', 'nonsense', '10.0.0.0/33', '!!10.0.0.0/8']) {
    assert.throws(() => groupOf(mask), { code: 'TRK_CONFIG_INVALID', message: /is no netmask/ })
  }
})

test('the longest prefix decides, as a scan over all networks would', () => {
  const word = fc.constantFrom(0, 1, 0x8000, 0xffff)
  const bitsOf = (words: readonly number[]): string =>
    words.map((value) => value.toString(2).padStart(16, '0')).join('')
  const anyCase = fc.constantFrom(2, 8).chain((length) => {
    const words = fc.array(word, { minLength: length, maxLength: length })
    const mask = fc.record({ words, bits: fc.nat(length * 16), isMember: fc.boolean() })
    return fc.record({ masks: fc.array(mask, { maxLength: 30 }), client: words })
  })
  fc.assert(
    fc.property(anyCase, ({ masks, client }) => {
      const clientAddress = addressOfWords(client)
      fc.pre(
        ![client, ...masks.map(({ words }) => words)].some((words) => addressOfWords(words).isMappedIPv4()),
      )
      const group = new NetmaskGroup()
      let best = { bits: -1, isMember: false }
      for (const { words, bits, isMember } of masks) {
        const netmask = netmaskOf(addressOfWords(words), bits)
        group.addMask(isMember ? netmask : `!${netmask.toString()}`)
        const covers = bitsOf(words).slice(0, bits) === bitsOf(client).slice(0, bits)
        if (covers && bits >= best.bits) best = { bits, isMember }
      }
      assert.equal(group.match(clientAddress), best.isMember)
      assert.equal(group.size, group.masks().length)
      assert.equal(groupOf(...group.masks()).match(clientAddress), best.isMember)
    }),
    { numRuns: 500 },
  )
})

test('100,000 networks are matched about as fast as a hundred', () => {
  const networks = (count: number): NetmaskGroup => {
    const group = new NetmaskGroup()
    for (let index = 0; index < count; index++)
      group.addMask(netmaskOf(addressOfWords([index >> 8, index & 0xffff]), 32))
    return group
  }
  const clients = Array.from({ length: 1_000 }, (_, index) => addressOfWords([0xc000, index]))
  const nsPerMatch = (group: NetmaskGroup): number => {
    const start = performance.now()
    for (let round = 0; round < 20; round++) for (const client of clients) group.match(client)
    return ((performance.now() - start) * 1e6) / 20_000
  }
  const large = networks(100_000)
  assert.equal(large.size, 100_000)
  // Microseconds, where a scan takes milliseconds: the bound is wide enough for any machine.
  assert.ok(nsPerMatch(large) < 50_000)
})
