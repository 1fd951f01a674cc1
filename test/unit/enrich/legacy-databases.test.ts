import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bundledCountryDatabasePath } from '../../../src/enrich/geoip/bundled-country-database.ts'
import { findLegacyReplacement, legacyCandidatePaths } from '../../../src/enrich/geoip/legacy-databases.ts'

describe('the replacement of a legacy GeoIP database', () => {
  it('is the first candidate that is there', () => {
    for (const kind of ['country', 'city', 'isp'] as const) {
      const candidates = legacyCandidatePaths(kind)
      assert.equal(
        findLegacyReplacement(kind, () => true),
        candidates[0],
      )
      assert.equal(
        findLegacyReplacement(kind, (path) => path === candidates.at(-1)),
        candidates.at(-1),
      )
    }
  })

  it('may be a file of MaxMind or of its free line in either usual folder', () => {
    assert.deepEqual(legacyCandidatePaths('country').toSorted(), [
      '/usr/share/GeoIP/GeoIP2-Country.mmdb',
      '/usr/share/GeoIP/GeoLite2-Country.mmdb',
      '/var/lib/GeoIP/GeoIP2-Country.mmdb',
      '/var/lib/GeoIP/GeoLite2-Country.mmdb',
    ])
    assert.ok(legacyCandidatePaths('isp').includes('/var/lib/GeoIP/GeoLite2-ASN.mmdb'))
    assert.ok(legacyCandidatePaths('city').includes('/usr/share/GeoIP/GeoLite2-City.mmdb'))
  })

  it('is the bundled one for countries, and none for the others, when there is no file', () => {
    assert.equal(
      findLegacyReplacement('country', () => false),
      bundledCountryDatabasePath(),
    )
    assert.equal(
      findLegacyReplacement('city', () => false),
      undefined,
    )
    assert.equal(
      findLegacyReplacement('isp', () => false),
      undefined,
    )
  })
})
