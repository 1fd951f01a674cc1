import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { parseComboAddress } from '../../../src/login/combo-address.ts'
import { parseNetmask } from '../../../src/login/netmask.ts'
import { address6In, addressIn } from '../../../src/simulator/address.ts'

const NETWORKS = ['79.192.0.0/13', '192.0.2.0/24', '198.51.100.7/32', '90.0.0.0/12', '222.128.0.0/13', '2003:c0::/27', '2a01:4f8::/32', '2a02:9000::/24'] // prettier-ignore

describe('an address by number', () => {
  test('is in its network, and the same for the same number', () => {
    fc.assert(
      fc.property(fc.constantFrom(...NETWORKS), fc.integer(), (network, number) => {
        const address = parseComboAddress(addressIn(network, number))
        assert.ok(address !== undefined)
        assert.ok(parseNetmask(network)?.contains(address), `${address.address} is not in ${network}`)
        assert.equal(addressIn(network, number), addressIn(network, number))
      }),
    )
  })

  test('of one line is in one /64, whatever the device', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer(), fc.integer(), (line, device, other) => {
        const [one, two] = [device, other].map((own) => address6In('2003:c0::/27', line, own))
        assert.deepEqual(one?.split(':').slice(0, 4), two?.split(':').slice(0, 4))
        if (device !== other) assert.notEqual(one, two)
      }),
    )
  })

  test('counts through a small network, without the first and the last one', () => {
    const all = new Set(Array.from({ length: 1000 }, (_, number) => addressIn('192.0.2.0/24', number)))
    assert.equal(all.size, 254)
    assert.ok(!all.has('192.0.2.0') && !all.has('192.0.2.255'))
  })
})
