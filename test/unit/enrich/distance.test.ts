/** Distances and speeds between places. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { distanceKm, speedKmh, type Coordinates } from '../../../src/enrich/geoip/distance.ts'

const at = (latitude: number, longitude: number): Coordinates => ({ latitude, longitude })
/** A quarter of a circle around a sphere of the Earth's mean radius. */
const QUARTER_KM = (6371.0088 * Math.PI) / 2

const place = fc
  .record({
    latitude: fc.double({ min: -90, max: 90, noNaN: true }),
    longitude: fc.double({ min: -180, max: 180, noNaN: true }),
  })
  .filter(({ latitude, longitude }) => latitude !== 0 || longitude !== 0)

describe('the distance between two places', () => {
  const KNOWN: readonly (readonly [title: string, from: Coordinates, to: Coordinates, km: number])[] = [
    ['pole to equator', at(90, 0), at(0, 50), QUARTER_KM],
    ['pole to pole', at(90, 10), at(-90, 10), 2 * QUARTER_KM],
    ['opposite sides of the equator', at(0, 90), at(0, -90), 2 * QUARTER_KM],
    ['across the date line', at(0, 179.5), at(0, -179.5), QUARTER_KM / 90],
    ['one degree of latitude', at(10, 20), at(11, 20), QUARTER_KM / 90],
    ['no distance at all', at(51.5, -0.1), at(51.5, -0.1), 0],
  ]
  for (const [title, from, to, km] of KNOWN) {
    test(`is right for ${title}`, () => {
      assert.ok(Math.abs((distanceKm(from, to) ?? Number.NaN) - km) < 1e-6)
    })
  }

  const UNKNOWN = [at(0, 0), at(Number.NaN, 1), at(91, 0), at(0, 181), at(Infinity, 0)]
  for (const nowhere of UNKNOWN) {
    test(`is not known for ${nowhere.latitude}, ${nowhere.longitude}`, () => {
      assert.equal(distanceKm(nowhere, at(1, 1)), undefined)
      assert.equal(distanceKm(at(1, 1), nowhere), undefined)
      assert.equal(speedKmh(at(1, 1), nowhere, 60), undefined)
    })
  }

  test('is the same both ways, never more than half way round, and obeys the triangle inequality', () => {
    fc.assert(
      fc.property(place, place, place, (a, b, c) => {
        const [ab, ba] = [distanceKm(a, b) ?? Number.NaN, distanceKm(b, a) ?? Number.NaN]
        assert.ok(ab >= 0 && ab <= 2 * QUARTER_KM + 1e-6)
        assert.ok(Math.abs(ab - ba) < 1e-6)
        const detour = (distanceKm(a, c) ?? Number.NaN) + (distanceKm(c, b) ?? Number.NaN)
        // Rounding of the haversine is worst near the opposite side of the Earth: a fraction of a metre.
        assert.ok(ab <= detour + 1e-3)
      }),
    )
  })
})

describe('the speed between two places', () => {
  const [from, to] = [at(0, 90), at(0, -90)]

  test('is the distance over the time, whichever was first', () => {
    assert.ok(Math.abs((speedKmh(from, to, 7200) ?? 0) - QUARTER_KM) < 1e-6)
    assert.equal(speedKmh(from, to, -7200), speedKmh(from, to, 7200))
  })

  test('stays finite for two reports of one moment', () => {
    assert.equal(speedKmh(from, to, 0), speedKmh(from, to, 1))
    assert.equal(speedKmh(from, from, 0), 0)
  })
})
