/**
 * Passwords that are forgotten, changed, and still the old ones in a client that tries again and again. Pure.
 */
import { deviceIdOn, type Device } from './device-catalogue.ts'
import { DAY_SECONDS, passwordAt, type PasswordEvent, type Person } from './person.ts'
import { placeAt, type Moment } from './places.ts'
import type { Random } from './random.ts'
import { guessedHash, passwordHash, toMilliseconds, type SimulatedReport } from './simulated-report.ts'
import type { Site } from './site.ts'

/** How long a client waits between two tries with the old password, in seconds. */
const RETRY_SECONDS = [300, 900] as const
/** Between two guesses of somebody who has forgotten it. */
const GUESS_SECONDS = [5, 60] as const

/** True: this device has an old password at that time, and its usual logins do not work. */
export function staleAt(person: Person, device: Device, at: number): boolean {
  return person.passwordEvents.some(
    (event) => event.stale?.device === device && event.at <= at && at < event.stale.until,
  )
}

/** What the person's troubles with passwords add to a day, in no order. */
export function passwordReports(
  site: Site,
  person: Person,
  day: number,
  random: Random,
): readonly SimulatedReport[] {
  return person.passwordEvents.flatMap((event) => [
    ...(Math.floor(event.at / DAY_SECONDS) === day ? forgottenReports(site, person, event, random) : []),
    ...staleReports(site, person, { event, day }, random),
  ])
}

/** Some guesses in the browser; then it came back to mind, or was set anew. */
function forgottenReports(
  site: Site,
  person: Person,
  event: PasswordEvent,
  random: Random,
): readonly SimulatedReport[] {
  const device = person.devices.find(({ kind }) => kind === 'browser')
  const place = device && placeAt(person, device, atTime(event.at))
  if (device === undefined || place === undefined || event.wrongTries === 0) return []
  const end = (Math.floor(event.at / DAY_SECONDS) + 1) * DAY_SECONDS
  const reports: SimulatedReport[] = []
  let at = event.at
  for (let left = event.wrongTries; left >= 0 && at < end; left--) {
    const success = left === 0
    reports.push({
      ...reportOf(site, person, { device, at, remote: place.remote }),
      success,
      pwhash: success
        ? passwordHash(person.login, passwordAt(person, at))
        : guessedHash(person.login, random.next()),
      ...(success ? {} : { fail_type: 'credentials' }),
      trap: 'forgotten-password',
    })
    at += random.between(...GUESS_SECONDS)
  }
  return reports
}

/** The same old hash, every few minutes while the device is on, from wherever it usually is. */
function staleReports(
  site: Site,
  person: Person,
  { event, day }: { readonly event: PasswordEvent; readonly day: number },
  random: Random,
): readonly SimulatedReport[] {
  if (event.stale === undefined) return []
  const { device, until } = event.stale
  const end = Math.min(until, (day + 1) * DAY_SECONDS)
  const reports: SimulatedReport[] = []
  for (let at = Math.max(event.at, day * DAY_SECONDS); at < end; at += random.between(...RETRY_SECONDS)) {
    const moment = atTime(at)
    const isOn = hoursSinceUp(person, at) < person.rhythm.awake
    const place = isOn ? placeAt(person, device, moment) : undefined
    if (place === undefined) continue
    reports.push({
      ...reportOf(site, person, { device, at, remote: place.remote }),
      success: false,
      pwhash: passwordHash(person.login, passwordAt(person, event.at) - 1),
      fail_type: 'credentials',
      trap: 'stale-password',
    })
  }
  return reports
}

/** Troubles are had where people are when they do not work, on the way or at home. */
function atTime(at: number): Moment {
  return { at, sinceUp: 0, isWorkDay: false }
}

function hoursSinceUp({ rhythm, plan }: Person, at: number): number {
  const hour = (at / 3600 + plan.utcOffsetHours - rhythm.upAt) % 24
  return (hour + 24) % 24
}

function reportOf(
  site: Site,
  person: Person,
  { device, at, remote }: { readonly device: Device; readonly at: number; readonly remote: string },
): Omit<SimulatedReport, 'success' | 'pwhash'> {
  return {
    t: toMilliseconds(site.startSeconds + at),
    login: person.login,
    remote,
    protocol: device.program.protocol,
    tls: device.tls,
    device_id: deviceIdOn(device, Math.floor(at / DAY_SECONDS)),
    attrs: { customer: person.customerKind },
  }
}
