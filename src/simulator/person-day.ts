/**
 * All reports that one person causes on one day, in the order of time. Pure: a day is told from the person and its number
 * alone, so attacks can ask what their victim is doing.
 */
import { GATEWAY_ADDRESS } from './address-plan.ts'
import { deviceIdOn, type Device } from './device-catalogue.ts'
import { passwordReports, staleAt } from './password-trouble.ts'
import { DAY_SECONDS, isSilentOn, passwordAt, type Person } from './person.ts'
import { placeAt, tripAt, type Moment, type Place } from './places.ts'
import { mix, Random } from './random.ts'
import {
  guessedHash,
  passwordHash,
  sessionId,
  toMilliseconds,
  type SimulatedReport,
  type Trap,
} from './simulated-report.ts'
import type { Site } from './site.ts'

/** How often each kind of device logs in on a work day and on a free one. */
const LOGINS_PER_DAY: Readonly<Record<Device['kind'], readonly [work: number, free: number]>> = {
  phone: [5, 5],
  desktop: [3, 1],
  browser: [1.4, 0.8],
  pop3: [4, 3],
  'cloud-client': [5, 5],
}
const TYPING_ERRORS = 0.03
const SENDS = 0.15
const READS_SHARED_MAILBOX = 0.6

/** Traps of places that say more than any of the day. */
const WHEREVER: ReadonlySet<Trap> = new Set(['vpn', 'travel', 'visit', 'left-on', 'cloud-client'])

/** One login of a device that nothing is wrong with. */
interface Login {
  readonly person: Person
  readonly device: Device
  readonly at: number
  readonly place: Place
  readonly trap: Trap | undefined
}

/** What all reports of a day are made from. */
interface Today {
  readonly site: Site
  readonly person: Person
  readonly day: number
  readonly random: Random
}

/** @param day - counted from the start of the simulation; a day is one of UTC */
export function personDay(site: Site, person: Person, day: number): readonly SimulatedReport[] {
  if (isSilentOn(person, day)) return []
  const today: Today = { site, person, day, random: new Random(person.seed, 0xda, day) }
  const reports: SimulatedReport[] = []
  for (const device of person.devices) {
    if (device.fromDay > day) continue
    for (let left = countOf(device, today); left > 0; left--) {
      reports.push(...loginReports(today, device, momentOf(device, today)))
    }
  }
  reports.push(...passwordReports(site, person, day, today.random))
  return reports
    .map((report) => duringOutage(site, report))
    .toSorted((one, other) => one.t - other.t || (one.login < other.login ? -1 : 1))
}

/** Whole logins by chance, so that the mean is right at any rate. */
function countOf({ kind }: Device, { site, day, random }: Today): number {
  const [work, free] = LOGINS_PER_DAY[kind]
  const mean = (isWorkDay(site, day) ? work : free) * site.rate * random.between(0.5, 1.5)
  return Math.floor(mean) + (random.chance(mean % 1) ? 1 : 0)
}

function isWorkDay({ startSeconds }: Site, day: number): boolean {
  // 1970 began on a Thursday.
  const weekday = (Math.floor(startSeconds / DAY_SECONDS) + day + 4) % 7
  return weekday !== 0 && weekday !== 6
}

/** A moment at which the device is used, by the clock of the place where the person is. */
function momentOf({ kind }: Device, { site, person, day, random }: Today): Moment {
  const { upAt, awake, workFrom, workTo } = person.rhythm
  const isFreeDay = !isWorkDay(site, day)
  const isAtDesk = kind === 'desktop' && !isFreeDay && random.chance(0.85)
  const sinceUp = isAtDesk
    ? random.between(workFrom, workTo)
    : random.between(0, kind === 'cloud-client' ? 24 : awake)
  const trip = tripAt(person, (day + 0.5) * DAY_SECONDS)
  const isAway = trip !== undefined && trip !== 'under way'
  const offset = isAway ? trip.destination.utcOffsetHours : person.plan.utcOffsetHours
  const hour = (((upAt + sinceUp - offset) % 24) + 24) % 24
  return { at: day * DAY_SECONDS + hour * 3600, sinceUp, isWorkDay: !isFreeDay }
}

function loginReports(today: Today, device: Device, moment: Moment): readonly SimulatedReport[] {
  const { site, person, day, random } = today
  const { at } = moment
  const place = placeAt(person, device, moment)
  if (place === undefined || staleAt(person, device, at)) return []
  const login: Login = { person, device, at, place, trap: trapOf(today, device, place) }
  const reports = [reportOf(site, login)]
  if (device.kind === 'browser') {
    if (random.chance(TYPING_ERRORS)) reports.push(mistyped(site, login, random))
    reports.push(gatewayReport(site, login))
  }
  if (device.kind !== 'cloud-client' && random.chance(SENDS)) reports.push(sendReport(site, login, random))
  if (device.kind === 'desktop') {
    const read = person.mailboxes.filter(() => random.chance(READS_SHARED_MAILBOX))
    for (const mailbox of read) reports.push(mailboxReport(site, login, mailbox))
  }
  // What follows a login may be after midnight; the day ends there.
  const end = site.startSeconds + (day + 1) * DAY_SECONDS
  return reports.filter(({ t }) => t < end)
}

/** The most particular of all that is odd about a login. */
function trapOf({ person, day }: Today, device: Device, { trap }: Place): Trap | undefined {
  if (trap !== undefined && WHEREVER.has(trap)) return trap
  if (person.dormancy !== undefined && day === person.dormancy.to + 1) return 'dormant-return'
  if (device.fromDay > 0 && device.fromDay === day) return 'new-device'
  return trap ?? (person.rhythm.isNightWorker ? 'night-worker' : undefined)
}

function reportOf(site: Site, { person, device, at, place, trap }: Login): SimulatedReport {
  const t = toMilliseconds(site.startSeconds + at)
  return {
    t,
    login: person.login,
    remote: place.remote,
    success: true,
    pwhash: passwordHash(person.login, passwordAt(person, at)),
    protocol: device.program.protocol,
    tls: device.tls,
    device_id: deviceIdOn(device, Math.floor(at / DAY_SECONDS)),
    ...(device.kind === 'browser' ? { session_id: sessionId(person.login, t) } : {}),
    attrs: { customer: person.customerKind },
    ...(trap === undefined ? {} : { trap }),
  }
}

function mistyped(site: Site, login: Login, random: Random): SimulatedReport {
  const { session_id: _none, ...report } = reportOf(site, login)
  return {
    ...report,
    t: toMilliseconds(Math.max(report.t - random.between(4, 30), startOfDay(report.t))),
    success: false,
    fail_type: 'credentials',
    pwhash: guessedHash(report.login, random.next()),
    trap: 'typing-error',
  }
}

/** Web mail reads the mailbox over IMAP, from its own address. */
function gatewayReport(site: Site, login: Login): SimulatedReport {
  const { session_id: _none, ...report } = reportOf(site, login)
  return {
    ...report,
    t: toMilliseconds(report.t + 0.35),
    remote: GATEWAY_ADDRESS,
    protocol: 'imap',
    device_id: '',
    trap: 'gateway',
  }
}

function sendReport(site: Site, login: Login, random: Random): SimulatedReport {
  const { session_id: _none, ...report } = reportOf(site, login)
  return { ...report, t: toMilliseconds(report.t + random.between(20, 200)), protocol: 'smtp', device_id: '' }
}

function mailboxReport(site: Site, login: Login, mailbox: string): SimulatedReport {
  const report = reportOf(site, login)
  return {
    ...report,
    t: toMilliseconds(report.t + 0.8 + (mix(report.t) % 1000) / 1000),
    login: mailbox,
    pwhash: passwordHash(mailbox, 0),
    trap: 'shared-mailbox',
  }
}

function duringOutage({ outages, startSeconds }: Site, report: SimulatedReport): SimulatedReport {
  const at = report.t - startSeconds
  const outage = outages.find(({ from, to }) => from <= at && at < to)
  if (outage === undefined) return report
  const { session_id: _none, ...failed } = report
  return { ...failed, success: false, fail_type: outage.failType, trap: 'outage' }
}

function startOfDay(t: number): number {
  return Math.floor(t / DAY_SECONDS) * DAY_SECONDS
}
