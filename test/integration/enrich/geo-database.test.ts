import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { bundledCountryDatabasePath } from '../../../src/enrich/geoip/bundled-country-database.ts'
import { loadGeoDatabaseFile } from '../../../src/enrich/geoip/geo-database-file.ts'
import { type GeoDatabase, openGeoDatabase } from '../../../src/enrich/geoip/geo-database.ts'
import { mmdbFile, type MmdbValue } from '../../support/mmdb-file.ts'

const EMPTY = {
  country_code: '',
  country_name: '',
  region: '',
  city: '',
  postal_code: '',
  continent_code: '',
  latitude: 0,
  longitude: 0,
  accuracy_radius: 0,
  time_zone: '',
}

const NESTED = {
  city: { names: { de: 'Köln', en: 'Cologne' } },
  continent: { code: 'EU' },
  country: { iso_code: 'DE', names: { en: 'Germany' }, is_in_european_union: true },
  location: { latitude: 50.9333, longitude: 6.95, accuracy_radius: 20, time_zone: 'Europe/Berlin' },
  postal: { code: '50667' },
  subdivisions: [{ iso_code: 'NW' }, { iso_code: 'XX' }],
  traits: { isp: 'Rhine Net', autonomous_system_number: 64_500, big: 2n ** 40n },
}

function open(networks: { readonly [network: string]: MmdbValue }, options = {}): GeoDatabase {
  return openGeoDatabase('test', '/test.mmdb', mmdbFile(networks, options))
}

describe('a GeoIP database', () => {
  it('knows its name, path, type and age', () => {
    const database = open({ '1.2.3.0/24': NESTED }, { type: 'Test-City', builtAt: 1_600_000_000 })
    assert.equal(database.name, 'test')
    assert.equal(database.path, '/test.mmdb')
    assert.equal(database.type, 'Test-City')
    assert.equal(database.builtAt.toISOString(), '2020-09-13T12:26:40.000Z')
  })

  for (const recordBits of [24, 28, 32] as const) {
    it(`answers from a tree of ${recordBits}-bit records`, () => {
      const database = open({ '1.2.3.0/24': NESTED, '2001:db8::/32': { country_code: 'NO' } }, { recordBits })
      assert.equal(database.lookupCountry('1.2.3.4'), 'DE')
      assert.equal(database.lookupCountry('1.2.4.4'), '')
      assert.equal(database.lookupCountry('2001:db8:1::5'), 'NO')
    })
  }

  it('reads nested records', () => {
    const database = open({ '1.2.3.0/24': NESTED })
    assert.deepEqual(database.lookupCity('1.2.3.4'), {
      country_code: 'DE',
      country_name: 'Germany',
      region: 'NW',
      city: 'Cologne',
      postal_code: '50667',
      continent_code: 'EU',
      latitude: 50.9333,
      longitude: 6.95,
      accuracy_radius: 20,
      time_zone: 'Europe/Berlin',
    })
    assert.equal(database.lookupIsp('1.2.3.4'), 'Rhine Net')
  })

  it('reads flat records', () => {
    const database = open({
      '1.2.3.0/24': {
        city: 'Oslo',
        country_code: 'NO',
        latitude: 59.9127,
        longitude: 10.7461,
        postcode: '0150',
        state1: 'Oslo County',
        timezone: 'Europe/Oslo',
      },
    })
    assert.deepEqual(database.lookupCity('1.2.3.4'), {
      ...EMPTY,
      country_code: 'NO',
      country_name: 'Norway',
      region: 'Oslo County',
      city: 'Oslo',
      postal_code: '0150',
      latitude: 59.9127,
      longitude: 10.7461,
      time_zone: 'Europe/Oslo',
    })
  })

  it('names the organisation of the autonomous system when there is no ISP', () => {
    const database = open({
      '1.2.3.0/24': { autonomous_system_number: 64_500, autonomous_system_organization: 'Fjord AS' },
      '1.2.4.0/24': { isp: 'Fjord Broadband', autonomous_system_organization: 'Fjord AS' },
    })
    assert.equal(database.lookupIsp('1.2.3.4'), 'Fjord AS')
    assert.equal(database.lookupIsp('1.2.4.4'), 'Fjord Broadband')
  })

  it('gives values at a path, and the default of the type for anything else', () => {
    const database = open({ '1.2.3.0/24': NESTED })
    const address = '1.2.3.4'
    assert.equal(database.lookupString(address, ['city', 'names', 'de']), 'Köln')
    assert.equal(database.lookupString(address, ['subdivisions', '1', 'iso_code']), 'XX')
    assert.equal(database.lookupUnsigned(address, ['location', 'accuracy_radius']), 20)
    assert.equal(database.lookupUnsigned(address, ['traits', 'big']), 2 ** 40)
    assert.equal(database.lookupBoolean(address, ['country', 'is_in_european_union']), true)
    assert.equal(database.lookupDouble(address, ['location', 'latitude']), 50.9333)
    for (const path of [
      [],
      ['no'],
      ['city', 'names'],
      ['city', 'names', 'en', 'x'],
      ['subdivisions', 'length'],
    ]) {
      assert.equal(database.lookupString(address, path), '')
      assert.equal(database.lookupUnsigned(address, path), 0)
      assert.equal(database.lookupBoolean(address, path), false)
      assert.equal(database.lookupDouble(address, path), 0)
    }
    assert.equal(database.lookupString(address, ['location', 'latitude']), '')
    assert.equal(database.lookupUnsigned(address, ['location', 'latitude']), 0)
    assert.equal(database.lookupString(address, ['constructor', 'name']), '')
  })

  it('knows nothing about what is no address, and about IPv6 in a file of IPv4', () => {
    const database = open({ '1.2.3.0/24': NESTED, '32.0.0.0/4': NESTED }, { ipVersion: 4 })
    for (const address of ['', 'localhost', '1.2.3', '1.2.3.4.5', '2001:db8::1', '2001:218::1', '::1']) {
      assert.equal(database.lookupCountry(address), '', address)
      assert.deepEqual(database.lookupCity(address), EMPTY, address)
    }
    assert.equal(database.damagedLookups, 0)
  })

  it('takes an IPv4 address inside an IPv6 one for the IPv4 address', () => {
    for (const ipVersion of [4, 6] as const) {
      const database = open({ '1.2.3.0/24': NESTED }, { ipVersion })
      for (const address of [
        '::ffff:1.2.3.4',
        '::FFFF:1.2.3.4',
        '::ffff:102:304',
        '0:0:0:0:0:ffff:0102:0304',
      ]) {
        assert.equal(database.lookupCountry(address), 'DE', address)
      }
    }
  })

  it('answers alike with a cache of one entry', () => {
    const bytes = mmdbFile({ '1.2.3.0/24': { country_code: 'NO' }, '1.2.4.0/24': { country_code: 'SE' } })
    const database = openGeoDatabase('test', '/test.mmdb', bytes, { cacheEntries: 1 })
    for (const _ of [1, 2]) {
      assert.equal(database.lookupCountry('1.2.3.4'), 'NO')
      assert.equal(database.lookupCountry('1.2.4.4'), 'SE')
      assert.equal(database.lookupCountry('1.2.5.4'), '')
    }
  })
})

describe('the bundled country database', () => {
  const path = bundledCountryDatabasePath()
  const database = openGeoDatabase('bundled', path, loadGeoDatabaseFile(path).bytes)

  it('knows the countries of well-known addresses', () => {
    assert.equal(database.lookupCountry('8.8.8.8'), 'US')
    assert.equal(database.lookupCountry('81.2.69.160'), 'GB')
    assert.equal(database.lookupCountry('2003::1'), 'DE')
    assert.equal(database.lookupCity('81.2.69.160').country_name, 'United Kingdom')
    assert.equal(database.lookupCountry('127.0.0.1'), '')
  })

  it('answers for any address without damage', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => {
        assert.match(database.lookupCountry(address), /^(?:[A-Z]{2})?$/)
      }),
      { numRuns: 500 },
    )
    assert.equal(database.damagedLookups, 0)
  })
})
