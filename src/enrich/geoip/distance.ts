/**
 * How far two places of GeoIP records are apart, and how fast one would have to travel. Pure. A place whose coordinates
 * nobody knows has no distance to anything: an answer of 0 or of half the world would raise false alerts.
 */

/** What of a record counts here; degrees, north and east positive. */
export interface Coordinates {
  readonly latitude: number
  readonly longitude: number
}

/** The mean radius R1 of the Earth in GRS 80 (H. Moritz, "Geodetic Reference System 1980", J. Geodesy 74, 2000). */
const EARTH_RADIUS_KM = 6371.0088
const RADIANS_PER_DEGREE = Math.PI / 180
const SECONDS_PER_HOUR = 3600
/** Reports of one moment often differ by less; dividing by that would make any distance a rocket's. */
const LEAST_SECONDS = 1

/**
 * Kilometres along the great circle; undefined when either place is unknown. The Earth is taken for a sphere, which is
 * wrong by 0.6 % at most. Source of the formula (haversine): R. W. Sinnott, "Virtues of the Haversine", Sky and Telescope
 * 68 (1984).
 */
export function distanceKm(from: Coordinates, to: Coordinates): number | undefined {
  if (!isKnown(from) || !isKnown(to)) return undefined
  const [latitude1, latitude2] = [from.latitude * RADIANS_PER_DEGREE, to.latitude * RADIANS_PER_DEGREE]
  const longitudes = (to.longitude - from.longitude) * RADIANS_PER_DEGREE
  const a =
    haversine(latitude2 - latitude1) + Math.cos(latitude1) * Math.cos(latitude2) * haversine(longitudes)
  // Rounding may take it past 1 for places on opposite sides.
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.sqrt(Math.min(1, a)))
}

/**
 * Kilometres per hour between two places over a time in seconds, whichever was first; undefined when either place is
 * unknown. Less than a second counts as one.
 */
export function speedKmh(from: Coordinates, to: Coordinates, elapsedSeconds: number): number | undefined {
  const km = distanceKm(from, to)
  if (km === undefined) return undefined
  return km / (Math.max(LEAST_SECONDS, Math.abs(elapsedSeconds)) / SECONDS_PER_HOUR)
}

/**
 * Both zero is how records say that they have no coordinates, also those that have a country: databases of countries have
 * none at all. The spot itself is open sea.
 */
function isKnown({ latitude, longitude }: Coordinates): boolean {
  if (latitude === 0 && longitude === 0) return false
  return Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180
}

function haversine(angle: number): number {
  return Math.sin(angle / 2) ** 2
}
