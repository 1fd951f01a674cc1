import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { loadGeoDatabaseFile } from '../../../src/enrich/geoip/geo-database-file.ts'
import { type GeoDatabase, openGeoDatabase } from '../../../src/enrich/geoip/geo-database.ts'
import { mmdbFile } from '../../support/mmdb-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'trackalert-geoip-'))
after(() => rmSync(folder, { recursive: true }))

const NETWORKS = { '1.2.3.0/24': { country: { iso_code: 'DE' } } }

describe('a GeoIP file', () => {
  it('is read into shared memory', () => {
    const path = join(folder, 'good.mmdb')
    const bytes = mmdbFile(NETWORKS)
    writeFileSync(path, Buffer.from(bytes))
    const loaded = loadGeoDatabaseFile(path).bytes
    assert.ok(loaded instanceof SharedArrayBuffer)
    assert.deepEqual(Buffer.from(loaded), Buffer.from(bytes))
    assert.equal(openGeoDatabase('good', path, loaded).lookupCountry('1.2.3.4'), 'DE')
  })

  const files: Readonly<Record<string, readonly [content: Buffer | undefined, reason: RegExp]>> = {
    missing: [undefined, /missing\.mmdb.*ENOENT|ENOENT.*missing\.mmdb/],
    empty: [Buffer.alloc(0), /empty\.mmdb: the file is empty/],
    compressed: [gzipSync(Buffer.from(mmdbFile(NETWORKS))), /compressed\.mmdb: it is compressed with gzip/],
    other: [Buffer.from('country,code\n'.repeat(1000)), /other\.mmdb: it is no MaxMind DB file/],
    short: [Buffer.from(mmdbFile(NETWORKS)).subarray(0, 300), /short\.mmdb: it is no MaxMind DB file/],
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

describe("MaxMind's test files", () => {
  const shared = fileURLToPath(new URL('../../../../shared/data/geoip/', import.meta.url))
  const options = existsSync(shared) ? {} : { skip: 'the folder ../shared/data/geoip is absent' }
  const openShared = (file: string): GeoDatabase => {
    const path = join(shared, file)
    return openGeoDatabase(file, path, loadGeoDatabaseFile(path).bytes)
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
