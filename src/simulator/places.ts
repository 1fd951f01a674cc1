/**
 * Where somebody is at a moment, and so the address that their device comes from. Pure: numbers of the moment decide, so
 * the same moment has the same address whoever asks.
 */
import { CLOUD_CLIENT_NETWORK, VPN_NETWORKS } from './address-plan.ts'
import { addressIn, address6In } from './address.ts'
import type { Device } from './device-catalogue.ts'
import { DAY_SECONDS, type Person, type Trip } from './person.ts'
import { mix } from './random.ts'
import type { Trap } from './simulated-report.ts'

export interface Place {
  readonly remote: string
  readonly trap: Trap | undefined
}

/** A person's moment: where it is on the clock of the simulation and in the person's day. */
export interface Moment {
  /** Seconds since the start of the simulation. */
  readonly at: number
  /** Hours since the person got up. */
  readonly sinceUp: number
  readonly isWorkDay: boolean
}

/** Of the day on which a trip begins or ends, in seconds: nothing comes between, as the journey takes that long. */
const LEAVES_AT = 7 * 3600
const ARRIVES_AT = 21 * 3600
/** So few, so that people of one carrier share them. */
const CARRIER_ADDRESSES = 200
/** A phone keeps its address for about so long. */
const MOBILE_SECONDS = 2400
/** A line's next address is in the same pool. */
const POOL_ADDRESSES = 4096
const VPN_ADDRESSES = 40

/** @returns undefined while they are under way between two places */
export function placeAt(person: Person, device: Device, moment: Moment): Place | undefined {
  const day = Math.floor(moment.at / DAY_SECONDS)
  const coin = mix(person.seed, Math.floor(moment.at / MOBILE_SECONDS)) / 4_294_967_296
  if (device.kind === 'cloud-client') {
    return { remote: addressIn(CLOUD_CLIENT_NETWORK[1], mix(Math.floor(coin * 16))), trap: 'cloud-client' }
  }
  const where = tripAt(person, moment.at)
  if (where === 'under way') return undefined
  if (where !== undefined) {
    if (device.kind === 'phone' && coin < 0.5) return mobile(person, moment.at)
    if (device.kind === 'pop3') return undefined
    if (person.leavesDesktopOn && device.kind === 'desktop') {
      return { ...home(person, device, day), trap: 'left-on' }
    }
    const isAbroad = where.destination.country !== person.country
    return {
      remote: addressIn(where.destination.network, mix(person.seed, where.from)),
      trap: isAbroad ? 'travel' : 'visit',
    }
  }
  if (isOnVpn(person, device, day)) return vpn(person, day)
  return device.kind === 'pop3' ? home(person, device, day) : placeOnUsualDay(person, device, moment, coin)
}

/** The trip that somebody is on, if one. */
export function tripAt({ trips }: Person, at: number): Trip | 'under way' | undefined {
  const day = Math.floor(at / DAY_SECONDS)
  const second = at % DAY_SECONDS
  for (const trip of trips) {
    if (day < trip.from || day > trip.to) continue
    if (day === trip.from && second < LEAVES_AT) return undefined
    if (day === trip.to && second >= ARRIVES_AT) return undefined
    const isMoving = second >= LEAVES_AT && second < ARRIVES_AT
    return (day === trip.from || day === trip.to) && isMoving ? 'under way' : trip
  }
  return undefined
}

function placeOnUsualDay(person: Person, device: Device, moment: Moment, coin: number): Place {
  const day = Math.floor(moment.at / DAY_SECONDS)
  const { workFrom, workTo } = person.rhythm
  const isAtWork = moment.isWorkDay && moment.sinceUp >= workFrom && moment.sinceUp < workTo
  const isOnTheWay =
    moment.isWorkDay && !isAtWork && moment.sinceUp >= workFrom - 1 && moment.sinceUp < workTo + 1
  if (device.kind === 'phone') {
    if (isOnTheWay || coin < 0.2) return mobile(person, moment.at)
    if (isAtWork) return coin < 0.7 ? office(person, device, day) : mobile(person, moment.at)
  }
  return isAtWork ? office(person, device, day) : home(person, device, day)
}

function office(person: Person, device: Device, day: number): Place {
  if (person.office === undefined) return home(person, device, day)
  const isAbroad = person.office.country !== person.country
  return { remote: person.office.address, trap: isAbroad ? 'commuter' : 'shared-office' }
}

function home(person: Person, device: Device, day: number): Place {
  const { home: line, seed } = person
  const lease = Math.floor((day + (seed % line.leaseDays)) / line.leaseDays)
  const number = (mix(seed, 11) & ~(POOL_ADDRESSES - 1)) | (mix(seed, 12, lease) % POOL_ADDRESSES)
  // A browser or a phone prefers IPv6 where there is one; old mail programs do not know it.
  if (line.network6 === undefined || device.kind === 'pop3' || device.kind === 'desktop') {
    return { remote: addressIn(line.network, number), trap: undefined }
  }
  return {
    remote: address6In(line.network6, number, mix(seed, numberOfDevice(person, device), day)),
    trap: undefined,
  }
}

function numberOfDevice({ devices }: Person, device: Device): number {
  return devices.indexOf(device)
}

function mobile({ mobileNetwork, seed }: Person, at: number): Place {
  const exit = mix(seed, Math.floor(at / MOBILE_SECONDS), 13) % CARRIER_ADDRESSES
  return { remote: addressIn(mobileNetwork, mix(exit)), trap: 'mobile-network' }
}

function isOnVpn({ usesVpn, seed }: Person, device: Device, day: number): boolean {
  const isForIt = device.kind === 'browser' || device.kind === 'desktop'
  return usesVpn && isForIt && mix(seed, day, 14) % 2 === 0
}

function vpn({ seed }: Person, day: number): Place {
  const [, network] = VPN_NETWORKS[mix(seed, day, 15) % VPN_NETWORKS.length] ?? VPN_NETWORKS[0]
  return { remote: addressIn(network, mix(seed, day, 16) % VPN_ADDRESSES), trap: 'vpn' }
}
