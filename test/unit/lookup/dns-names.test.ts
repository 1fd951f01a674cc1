import assert from 'node:assert/strict'
import { test } from 'node:test'
import { askableName, blockListName, pointerName } from '../../../src/lookup/dns-names.ts'

const V6 = '1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2'

const pointers = [
  ['192.0.2.7', '7.2.0.192.in-addr.arpa'],
  ['::ffff:192.0.2.7', '7.2.0.192.in-addr.arpa'],
  ['2001:db8::1', `${V6}.ip6.arpa`],
  ['not an address', undefined],
  ['', undefined],
] as const

for (const [address, name] of pointers) {
  test(`the pointer name of ${JSON.stringify(address)} is ${name}`, () => {
    assert.equal(pointerName(address), name)
  })
}

test('a zone id does not get into a pointer name', () => {
  assert.match(pointerName('fe80::1%eth0') ?? '', /^1(?:\.0)+\.0\.8\.e\.f\.ip6\.arpa$/)
})

test('an address is looked up in a block list with its parts reversed', () => {
  assert.equal(blockListName('192.0.2.7', 'sbl.example.org'), '7.2.0.192.sbl.example.org')
  assert.equal(blockListName('2001:db8::1', '.sbl.example.org'), `${V6}.sbl.example.org`)
})

const names = [
  ['Mail.Example.org', 'mail.example.org'],
  ['bücher.example', 'xn--bcher-kva.example'],
  ['', undefined],
  ['with blank.example', undefined],
  ['cut\0off.example', undefined],
  ['\udcff.example', undefined],
  [`${'a.'.repeat(126)}toolong`, undefined],
] as const

for (const [name, asked] of names) {
  test(`the name ${JSON.stringify(name.slice(0, 30))} is asked for as ${asked}`, () => {
    assert.equal(askableName(name), asked)
  })
}
