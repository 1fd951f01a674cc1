import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type GeoDatabase, openGeoDatabase } from '../../../src/enrich/geoip/geo-database.ts'
import { mmdbFile, type MmdbValue, RawValue } from '../../support/mmdb-file.ts'

const RECORD = {
  city: { names: { en: 'Cologne' } },
  country: { iso_code: 'DE' },
  location: { latitude: 50.9333, longitude: 6.95 },
  subdivisions: [{ iso_code: 'NW' }],
}

function open(networks: { readonly [network: string]: MmdbValue }, options = {}): GeoDatabase {
  return openGeoDatabase('test', '/test.mmdb', mmdbFile(networks, options))
}

describe('a damaged GeoIP database', () => {
  const double = [0x68, ...Buffer.from('4049776c8b439581', 'hex')]
  const faults: Readonly<Record<string, readonly number[]>> = {
    'a number of the wrong size': [0xe1, 0x41, 0x61, 0x65, 1, 2, 3, 4, 5],
    'a map that is longer than the file': [0xfe, 0xff, 0xff, 0x41, 0x61],
    'a text that is no UTF-8': [0xe1, 0x41, 0x61, 0x42, 0xc3, 0x28],
    'a key that is no text': [0xe1, ...double, ...double],
    'a pointer out of the data': [0xe1, 0x41, 0x61, 0x38, 0xff, 0xff, 0xff, 0xff],
    'a pointer to itself': [0xe1, 0x41, 0x61, 0x20, 0x03],
    'a map inside itself': [0xe1, 0x41, 0x61, 0x20, 0x00],
    'an unknown type': [0xe1, 0x41, 0x61, 0x00, 0x0a],
    'a boolean that is neither': [0xe1, 0x41, 0x61, 0x02, 0x07],
  }
  for (const [fault, bytes] of Object.entries(faults)) {
    it(`is refused: ${fault}`, () => {
      const networks = { '0.0.0.0/1': new RawValue(bytes) }
      assert.throws(() => open(networks), { code: 'TRK_GEOIP_UNREADABLE', message: /\/test\.mmdb.*byte \d+/ })
    })
  }

  it('is refused when pointers fan out without end', () => {
    // Fourteen arrays, each of two pointers to the one before: thirty thousand values.
    const bytes = [0x41, 0x61]
    let previous = 0
    for (let level = 0; level < 14; level++) {
      const here = bytes.length
      bytes.push(0x02, 0x04, 0x20 | (previous >> 8), previous & 0xff, 0x20 | (previous >> 8), previous & 0xff)
      previous = here
    }
    const start = previous
    const database = (): GeoDatabase =>
      open({
        '1.0.0.0/8': new RawValue(bytes),
        '2.0.0.0/8': new RawValue([0xe1, 0x41, 0x61, 0x20 | (start >> 8), start & 0xff]),
      })
    assert.throws(database, { code: 'TRK_GEOIP_UNREADABLE', message: /more than 10000 values/ })
  })

  const metadata: Readonly<Record<string, { readonly [key: string]: MmdbValue }>> = {
    'a tree larger than the file': { node_count: 1_000_000 },
    'a tree of another size': { node_count: 3 },
    'no nodes': { node_count: 0 },
    'nodes that are no number': { node_count: 'many' },
    'another record size': { record_size: 23 },
    'another version of addresses': { ip_version: 5 },
    'another version of the format': { binary_format_major_version: 3 },
    'no type': { database_type: 7 },
    'no date': { build_epoch: 'yesterday' },
  }
  for (const [fault, wrong] of Object.entries(metadata)) {
    it(`is refused: metadata with ${fault}`, () => {
      assert.throws(() => open({ '1.2.3.0/24': RECORD }, { metadata: wrong }), {
        code: 'TRK_GEOIP_UNREADABLE',
        message: /\/test\.mmdb: .*; the file is damaged, fetch it again$/,
      })
    })
  }

  it('answers nothing from a damaged place that the opening did not look at, and counts it', () => {
    // Every address of a /16 has its record, more than the opening samples; one of them breaks afterwards.
    const networks = Object.fromEntries(
      Array.from({ length: 8192 }, (_, index) => [`1.${index >> 5}.${(index & 31) * 8}.0/24`, { n: index }]),
    )
    const bytes = mmdbFile(networks, { ipVersion: 4 })
    let noticed = 0
    const database = openGeoDatabase('test', '/test.mmdb', bytes, { onDamage: () => (noticed += 1) })
    const file = Buffer.from(bytes)
    const place = file.indexOf(Buffer.from([0xe1, 0x41, 0x6e, 0xc2, 0x13, 0x88]))
    file[place + 3] = 0xc7
    assert.equal(database.lookupUnsigned('1.156.64.1', ['n']), 0)
    assert.equal(database.damagedLookups, 1)
    assert.equal(noticed, 1)
    assert.equal(database.lookupUnsigned('1.156.72.1', ['n']), 5001)
  })

  it('throws nothing but TrackErrors and hangs nowhere, whatever bytes are wrong', () => {
    const whole = Buffer.from(mmdbFile({ '1.2.3.0/24': RECORD, '8.0.0.0/6': { country_code: 'US' } }))
    const flips = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(flips, fc.nat(whole.length), (changes, lostBytes) => {
        const length = lostBytes % 5 === 0 ? whole.length - (lostBytes % 200) : whole.length
        const bytes = new SharedArrayBuffer(length)
        const view = Buffer.from(bytes)
        view.set(whole.subarray(0, length))
        for (const [offset, byte] of changes) if (offset < length) view[offset] = byte
        try {
          const database = openGeoDatabase('test', '/test.mmdb', bytes)
          for (const address of ['1.2.3.4', '8.8.8.8', '255.255.255.255', '2001:db8::1']) {
            assert.equal(typeof database.lookupCountry(address), 'string')
            assert.equal(typeof database.lookupCity(address).latitude, 'number')
          }
        } catch (error) {
          assert.equal(error instanceof Error && 'code' in error && error.code, 'TRK_GEOIP_UNREADABLE')
        }
      }),
      { numRuns: 400 },
    )
  })
})
