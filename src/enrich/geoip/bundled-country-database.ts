/**
 * Where the country database is that comes with trackalert, so that country rules work without a sign-up anywhere.
 * Any thread; reads nothing.
 */
import { fileURLToPath } from 'node:url'

/** Path of the bundled MaxMind DB file: IPv4 and IPv6, records of the form `{country_code}`, in the public domain (CC0). */
export function bundledCountryDatabasePath(): string {
  return fileURLToPath(
    import.meta.resolve('@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country.mmdb'),
  )
}
