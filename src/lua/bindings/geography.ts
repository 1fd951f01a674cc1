/**
 * Helpers of policies about places and times: distance and speed between GeoIP records, networks of addresses, local
 * hours, days between times. Lives in one Lua state. What is not known is nil, never an error.
 */
import { distanceKm, speedKmh, type Coordinates } from '../../enrich/geoip/distance.ts'
import { LocalTimes } from '../../enrich/local-times.ts'
import { ComboAddress, parseComboAddress } from '../../login/combo-address.ts'
import { netmaskOf } from '../../login/netmask.ts'
import type { HostCall, HostFunction, NumberRange } from '../host-function.ts'

/** Unix seconds that a calendar can show. */
const TIME_RANGE: NumberRange = { min: 0, max: 8.64e12 }

/** Networks whose text is kept; when it is full it starts anew. */
const MOST_NETWORKS = 4096

export function geographyFunctions(): readonly HostFunction[] {
  const localTimes = new LocalTimes()
  const networks = new Map<string, string>()

  function networkText(address: ComboAddress, bits: number): string {
    const name = `${address.address}/${bits}`
    const known = networks.get(name)
    if (known !== undefined) return known
    const made = netmaskOf(address, bits).toStringNetwork()
    if (networks.size >= MOST_NETWORKS) networks.clear()
    networks.set(name, made)
    return made
  }

  return [
    {
      name: 'geoDistance',
      usage: 'geoDistance(record1, record2)',
      summary: 'Kilometres between the places of two GeoIPRecords; nil when one is not known.',
      scope: 'anywhere',
      run(call) {
        const [from, to] = [placeArgument(call, 1, 'record1'), placeArgument(call, 2, 'record2')]
        return from === undefined || to === undefined ? null : (distanceKm(from, to) ?? null)
      },
    },
    {
      name: 'geoSpeed',
      usage: 'geoSpeed(record1, time1, record2, time2)',
      summary: 'Kilometres per hour from one place and time to another; nil when a place is not known.',
      scope: 'anywhere',
      run(call) {
        const [from, to] = [placeArgument(call, 1, 'record1'), placeArgument(call, 3, 'record2')]
        const [time1, time2] = [call.number(2, 'time1', TIME_RANGE), call.number(4, 'time2', TIME_RANGE)]
        return from === undefined || to === undefined ? null : (speedKmh(from, to, time2 - time1) ?? null)
      },
    },
    {
      name: 'addressPrefix',
      usage: 'addressPrefix(address, v4bits, v6bits)',
      summary: 'The network of an address as text, by default its /24 or, for IPv6, its /64.',
      scope: 'anywhere',
      run(call) {
        const address = addressArgument(call).unmapped()
        const v4bits = prefixArgument(call, 2, { name: 'v4bits', max: 32, preset: 24 })
        const v6bits = prefixArgument(call, 3, { name: 'v6bits', max: 128, preset: 64 })
        return networkText(address, address.isIPv4() ? v4bits : v6bits)
      },
    },
    {
      name: 'localHour',
      usage: 'localHour(time, zone)',
      summary: 'The hour, 0 to 23, at a time in a time zone such as "Europe/London"; nil for the zone "".',
      scope: 'anywhere',
      run(call) {
        const time = call.number(1, 'time', TIME_RANGE)
        const zone = call.string(2, 'zone')
        // What a GeoIPRecord says when it does not know.
        return zone === '' ? null : (localTimes.hourAt(time, zone) ?? refuseZone(call, zone))
      },
    },
    {
      name: 'dayDifference',
      usage: 'dayDifference(time1, time2, zone)',
      summary: 'How many days the date at the second time is after that at the first, in a time zone.',
      scope: 'anywhere',
      run(call) {
        const [time1, time2] = [call.number(1, 'time1', TIME_RANGE), call.number(2, 'time2', TIME_RANGE)]
        const zone = call.optionalString(3, 'zone') ?? 'UTC'
        return zone === '' ? null : (localTimes.daysBetween(time1, time2, zone) ?? refuseZone(call, zone))
      },
    },
  ]
}

/** Latitude and longitude of a table; undefined of nil, and of a table that lacks one. */
function placeArgument(call: HostCall, position: number, name: string): Coordinates | undefined {
  const record = call.optionalRecord(position, name)
  const latitude = record?.get('latitude')
  const longitude = record?.get('longitude')
  return typeof latitude === 'number' && typeof longitude === 'number' ? { latitude, longitude } : undefined
}

/** A ComboAddress, or, as a convenience, its text. */
function addressArgument(call: HostCall): ComboAddress {
  const address = call.objectIf(1, ComboAddress)
  if (address !== undefined) return address
  const value = call.value(1)
  if (typeof value !== 'string') return call.object(1, 'address', ComboAddress)
  return parseComboAddress(value) ?? call.fail(`${JSON.stringify(value)} is no IP address`)
}

interface PrefixArgument {
  readonly name: string
  readonly max: number
  readonly preset: number
}

function prefixArgument(call: HostCall, position: number, { name, max, preset }: PrefixArgument): number {
  const bits = call.optionalNumber(position, name)
  return bits === undefined ? preset : call.integer(position, name, { min: 0, max })
}

function refuseZone(call: HostCall, zone: string): never {
  return call.fail(
    `there is no time zone ${JSON.stringify(zone)}; write an IANA name, such as "Europe/London"`,
  )
}
