import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { bundledCountryDatabasePath } from '../../../src/enrich/geoip/bundled-country-database.ts'
import { loadGeoDatabaseFile } from '../../../src/enrich/geoip/geo-database-file.ts'
import { type GeoDatabase, openGeoDatabase } from '../../../src/enrich/geoip/geo-database.ts'
import { mmdbFile, type MmdbValue, RawValue } from '../../support/mmdb-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'trackalert-geoip-'))
after(() => rmSync(folder, { recursive: true }))

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
      assert.throws(() => open({ '1.2.3.0/24': NESTED }, { metadata: wrong }), {
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
    const whole = Buffer.from(mmdbFile({ '1.2.3.0/24': NESTED, '8.0.0.0/6': { country_code: 'US' } }))
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

describe('a GeoIP file', () => {
  it('is read into shared memory', () => {
    const path = join(folder, 'good.mmdb')
    const bytes = mmdbFile({ '1.2.3.0/24': NESTED })
    writeFileSync(path, Buffer.from(bytes))
    const loaded = loadGeoDatabaseFile(path)
    assert.ok(loaded instanceof SharedArrayBuffer)
    assert.deepEqual(Buffer.from(loaded), Buffer.from(bytes))
    assert.equal(openGeoDatabase('good', path, loaded).lookupCountry('1.2.3.4'), 'DE')
  })

  const files: Readonly<Record<string, readonly [content: Buffer | undefined, reason: RegExp]>> = {
    missing: [undefined, /missing\.mmdb.*ENOENT|ENOENT.*missing\.mmdb/],
    empty: [Buffer.alloc(0), /empty\.mmdb: the file is empty/],
    compressed: [
      gzipSync(Buffer.from(mmdbFile({ '1.2.3.0/24': NESTED }))),
      /compressed\.mmdb: it is compressed with gzip/,
    ],
    other: [Buffer.from('country,code\n'.repeat(1000)), /other\.mmdb: it is no MaxMind DB file/],
    short: [
      Buffer.from(mmdbFile({ '1.2.3.0/24': NESTED })).subarray(0, 300),
      /short\.mmdb: it is no MaxMind DB file/,
    ],
  }
  for (const [name, [content, reason]] of Object.entries(files)) {
    it(`that is ${name} gives an error with path and reason`, () => {
      const path = join(folder, `${name}.mmdb`)
      if (content !== undefined) writeFileSync(path, content)
      assert.throws(() => loadGeoDatabaseFile(path), { code: 'TRK_GEOIP_UNREADABLE', message: reason })
    })
  }

  it('that is a folder gives an error', () => {
    assert.throws(() => loadGeoDatabaseFile(folder), {
      code: 'TRK_GEOIP_UNREADABLE',
      message: /it is no file/,
    })
  })
})

describe('the bundled country database', () => {
  const path = bundledCountryDatabasePath()
  const database = openGeoDatabase('bundled', path, loadGeoDatabaseFile(path))

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

describe("MaxMind's test files", () => {
  const shared = new URL('../../../../shared/data/geoip/', import.meta.url)
  const isThere = (() => {
    try {
      return readFileSync(new URL('GeoIP2-City-Test.mmdb', shared)).length > 0
    } catch {
      return false
    }
  })()
  const options = isThere ? {} : { skip: 'the folder ../shared/data/geoip is absent' }
  const openShared = (file: string): GeoDatabase => {
    const path = new URL(file, shared).pathname
    return openGeoDatabase(file, path, loadGeoDatabaseFile(path))
  }

  it('give places', options, () => {
    const city = openShared('GeoIP2-City-Test.mmdb')
    assert.equal(city.lookupCity('81.2.69.160').city, 'London')
    assert.equal(city.lookupCity('81.2.69.160').region, 'ENG')
    assert.equal(city.lookupCity('89.160.20.112').city, 'Linköping')
    assert.equal(city.lookupCity('89.160.20.112').country_name, 'Sweden')
    assert.equal(city.lookupCountry('2001:218::1'), 'JP')
    assert.equal(city.lookupCity('81.2.69.160').time_zone, 'Europe/London')
    assert.equal(openShared('GeoIP2-Country-Test.mmdb').lookupCountry('81.2.69.160'), 'GB')
    assert.equal(openShared('GeoIP2-Enterprise-Test.mmdb').lookupCity('81.2.69.160').city, 'London')
  })

  it('give networks', options, () => {
    const isp = openShared('GeoIP2-ISP-Test.mmdb')
    assert.equal(isp.lookupIsp('1.128.0.0'), 'Telstra Internet')
    assert.equal(isp.lookupUnsigned('1.128.0.0', ['autonomous_system_number']), 1221)
    assert.equal(openShared('GeoLite2-ASN-Test.mmdb').lookupIsp('1.128.0.0'), 'Telstra Pty Ltd')
    const anonymous = openShared('GeoIP2-Anonymous-IP-Test.mmdb')
    assert.equal(anonymous.lookupBoolean('1.2.0.0', ['is_anonymous_vpn']), true)
    assert.equal(anonymous.lookupBoolean('1.2.0.0', ['is_tor_exit_node']), false)
  })

  it('give values of every type', options, () => {
    const decoder = openShared('MaxMind-DB-test-decoder.mmdb')
    const address = '::1.1.1.0'
    assert.equal(decoder.lookupDouble(address, ['double']), 42.123456)
    assert.equal(decoder.lookupUnsigned(address, ['uint16']), 100)
    assert.equal(decoder.lookupUnsigned(address, ['uint32']), 2 ** 28)
    assert.equal(decoder.lookupUnsigned(address, ['uint64']), 2 ** 60)
    assert.equal(decoder.lookupUnsigned(address, ['int32']), 0)
    assert.equal(decoder.lookupBoolean(address, ['boolean']), true)
    assert.equal(decoder.lookupString(address, ['utf8_string']), 'unicode! ☯ - ♫')
    assert.equal(decoder.lookupUnsigned(address, ['array', '2']), 3)
    assert.equal(decoder.lookupUnsigned(address, ['map', 'mapX', 'arrayX', '0']), 7)
  })

  for (const file of [
    'GeoIP2-City-Test-Broken-Double-Format.mmdb',
    'MaxMind-DB-test-broken-pointers-24.mmdb',
  ]) {
    it(`that are damaged are refused: ${file}`, options, () => {
      assert.throws(() => openShared(file), {
        code: 'TRK_GEOIP_UNREADABLE',
        message: new RegExp(`${file}: .*byte \\d+`),
      })
    })
  }
})
