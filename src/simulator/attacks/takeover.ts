/**
 * A thief who has the right password, or finds it. Pure.
 */
import { FAR_NETWORKS, HOSTING_NETWORKS, THIEF_NETWORKS, DESTINATIONS } from '../address-plan.ts'
import { addressIn } from '../address.ts'
import { makeLookAlike, makeStrangeDevice } from '../device-catalogue.ts'
import { personDay } from '../person-day.ts'
import { DAY_SECONDS, DORMANT_DAYS } from '../person.ts'
import { mix } from '../random.ts'
import type { SimulatedReport, Trap } from '../simulated-report.ts'
import {
  attackReport,
  beginOf,
  deviceOf,
  scriptProtocol,
  type Attack,
  type AttackSetup,
  type TryDevice,
} from './attack-types.ts'

const HOUR = 3600
/** Share of the thieves who have the program and the system of one of the victim's devices. */
const LOOK_ALIKES = 1 / 3
/** Of those, the share whose program says nothing of itself, over a protocol over which the victim's does. */
const SILENT = 1 / 4
/** Of reports that say where somebody is: the address is that of their line or their office. */
const AT_USUAL_PLACES: ReadonlySet<Trap | undefined> = new Set([
  undefined,
  'shared-office',
  'commuter',
  'night-worker',
])
/** Journeys of so many hours and more, which nobody makes in the time that a patient thief waits. */
const FAR_AWAY = DESTINATIONS.filter(({ country }) => ['US', 'TH', 'CA', 'JP'].includes(country))

/** From a country where nobody of the service goes. */
export const takeoverAbroad: Attack = (setup) => takeOver(setup, farAddress(setup))

/** From the victim's own country, over a provider that the victim does not use. */
export const takeoverDomestic: Attack = (setup) => takeOver(setup, nearAddress(setup))

/** A login that has been silent for ten days or more. Easy: from abroad. Patient: from the victim's country. */
export const takeoverDormant: Attack = (setup) =>
  takeOver(
    { ...setup, window: { ...setup.window, from: dormantFrom(setup) } },
    setup.form === 'easy' ? farAddress(setup) : nearAddress(setup),
  )

/**
 * Soon after the victim was seen at home. Easy: within the hour, from the other end of the world. Patient: one to three
 * hours later, from a place to which people of the service do travel.
 */
export const takeoverTravel: Attack = function* (setup): Generator<SimulatedReport> {
  const { random, form, victim, site } = setup
  const seen = victimSeenAt(setup)
  if (seen === undefined) return
  const isEasy = form === 'easy'
  const place = FAR_AWAY[random.below(FAR_AWAY.length)]
  const remote = isEasy || place === undefined ? farAddress(setup) : addressIn(place.network, random.next())
  const thief = thiefOf(setup, 'browser')
  let at = seen + (isEasy ? random.between(5, 50) * 60 : random.between(1, 3) * HOUR)
  for (let left = random.integer(1, 3); left > 0 && at < site.days * DAY_SECONDS; left--) {
    yield attackReport(setup, victim, {
      at,
      login: victim.login,
      remote,
      password: 'right',
      ...thief(at),
    })
    at += random.between(60, 600)
  }
}

/** Guesses first. Easy: a few dozen within minutes. Patient: over a day, from the addresses of a /24. */
export const takeoverAfterFailures: Attack = function* (setup): Generator<SimulatedReport> {
  const { random, form, victim, window } = setup
  const isEasy = form === 'easy'
  const [, network] = random.pick(HOSTING_NETWORKS)
  const first = addressIn(network, random.next())
  const prefix = `${first.replace(/\d+$/, '0')}/24`
  const tries = random.integer(15, 40)
  const [least, most] = isEasy ? [5, 30] : [900, 2400]
  const how = scriptProtocol(random)
  let at = beginOf(setup, (tries + 1) * most)
  for (let left = tries; left >= 0 && at < window.to; left--) {
    const remote = isEasy ? first : addressIn(prefix, random.next())
    const password = left === 0 ? 'right' : undefined
    yield attackReport(setup, victim, { at, login: victim.login, remote, password, ...how })
    at += random.between(least, most)
  }
}

/** POP3 for the first time, to take everything. Easy: at once, from abroad. Patient: once a day, from near. */
export const takeoverNewProtocol: Attack = function* (setup): Generator<SimulatedReport> {
  const { random, form, victim, window } = setup
  const isEasy = form === 'easy'
  const remote = isEasy ? farAddress(setup) : nearAddress(setup)
  let at = beginOf(setup, isEasy ? HOUR : 3 * DAY_SECONDS)
  for (let left = random.integer(2, 4); left > 0 && at < window.to; left--) {
    const how = { protocol: 'pop3', deviceId: '' }
    yield attackReport(setup, victim, { at, login: victim.login, remote, password: 'right', ...how })
    at += isEasy ? random.between(60, 600) : DAY_SECONDS + random.between(-HOUR, HOUR)
  }
}

/**
 * Easy: a look with a browser, then mail is sent. Patient: a mail program that reads once a day, at hours at which the victim
 * is up.
 */
function* takeOver(setup: AttackSetup, remote: string): Generator<SimulatedReport> {
  const { random, form, victim, window } = setup
  const { login } = victim
  if (form === 'easy') {
    const thief = thiefOf(setup, 'browser')
    let at = beginOf(setup, HOUR)
    yield attackReport(setup, victim, { at, login, remote, password: 'right', ...thief(at) })
    for (let left = random.integer(2, 8); left > 0; left--) {
      at += random.between(30, 300)
      const how = { protocol: 'smtp', deviceId: '' }
      yield attackReport(setup, victim, { at, login, remote, password: 'right', ...how })
    }
    return
  }
  const thief = thiefOf(setup, 'desktop')
  const firstDay = Math.floor(beginOf(setup, 4 * DAY_SECONDS) / DAY_SECONDS) + 1
  for (let day = firstDay; day < firstDay + 3; day++) {
    const hour = victim.rhythm.upAt - victim.plan.utcOffsetHours + random.between(1, 12)
    const at = day * DAY_SECONDS + (((hour % 24) + 24) % 24) * HOUR
    if (at >= window.to) return
    yield attackReport(setup, victim, { at, login, remote, password: 'right', ...thief(at) })
  }
}

/** What the thief's device says of itself at a time. It never says all that one of the victim's does. */
function thiefOf(
  { random, victim, window }: AttackSetup,
  kind: 'browser' | 'desktop',
): (at: number) => TryDevice {
  const lastDay = Math.ceil(window.to / DAY_SECONDS)
  const lookAlike = random.chance(LOOK_ALIKES)
    ? makeLookAlike(kind, victim.devices, lastDay, random)
    : undefined
  if (lookAlike !== undefined && random.chance(SILENT)) return () => ({ protocol: 'imap', deviceId: '' })
  const device = lookAlike ?? makeStrangeDevice(kind, victim.devices, random)
  return (at) => deviceOf(device, at)
}

/** When the victim has logged in from where they live, after the start of the window. */
function victimSeenAt({ site, victim, window, random }: AttackSetup): number | undefined {
  const first = Math.ceil(window.from / DAY_SECONDS)
  const last = Math.floor(window.to / DAY_SECONDS) - 1
  const start = random.integer(first, last)
  for (let tried = 0; tried <= last - first; tried++) {
    const day = first + ((start - first + tried) % (last - first + 1))
    const seen = personDay(site, victim, day).filter(
      ({ success, trap, login }) => success && login === victim.login && AT_USUAL_PLACES.has(trap),
    )
    const report = seen[random.below(seen.length)]
    if (report !== undefined) return report.t - site.startSeconds
  }
  return undefined
}

/** The start of the window, or later when the victim is not dormant by then. */
function dormantFrom({ window, victim }: AttackSetup): number {
  return Math.max(window.from, ((victim.dormancy?.from ?? 0) + DORMANT_DAYS) * DAY_SECONDS)
}

function farAddress({ random }: AttackSetup): string {
  const [, network] = random.pick(FAR_NETWORKS)
  return addressIn(network, random.next())
}

function nearAddress({ random, victim }: AttackSetup): string {
  return addressIn(THIEF_NETWORKS[victim.country], mix(random.next()))
}
