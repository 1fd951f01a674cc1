/**
 * One person who uses the service: where they live and work, their devices, and what will happen to them. All of it is
 * drawn when the person is made, so that any day can be told without the days before it. Pure.
 */
import {
  HOME_PLANS,
  HOME_SHARES,
  DESTINATIONS,
  type CountryPlan,
  type Destination,
  type HomeCountry,
} from './address-plan.ts'
import { makeDevice, type Device } from './device-catalogue.ts'
import { mix, type Random } from './random.ts'

export const DAY_SECONDS = 86_400

export interface Person {
  readonly login: string
  /** Of all chance that concerns this person. */
  readonly seed: number
  readonly country: HomeCountry
  readonly plan: CountryPlan
  readonly home: Home
  readonly mobileNetwork: string
  readonly rhythm: Rhythm
  readonly office: Office | undefined
  readonly devices: readonly Device[]
  /** Half of their days with a computer go through a VPN. */
  readonly usesVpn: boolean
  /** It goes on reading mail while they travel. */
  readonly leavesDesktopOn: boolean
  readonly trips: readonly Trip[]
  /** Days without any login: holidays without the phone, illness. */
  readonly holidays: readonly Days[]
  readonly dormancy: Days | undefined
  readonly passwordEvents: readonly PasswordEvent[]
  /** Logins that they share with others. */
  readonly mailboxes: readonly string[]
  readonly customerKind: 'private' | 'business'
}

export interface Home {
  readonly network: string
  readonly network6: string | undefined
  /** After so many days the line gets another address near the last one. */
  readonly leaseDays: number
}

/** In hours; those of work count from getting up. */
export interface Rhythm {
  readonly upAt: number
  readonly awake: number
  readonly workFrom: number
  readonly workTo: number
  readonly isNightWorker: boolean
}

export interface Office {
  readonly country: HomeCountry
  readonly address: string
}

/** Both ends included; a day counts from the start of the simulation. */
export interface Days {
  readonly from: number
  readonly to: number
}

export interface Trip extends Days {
  readonly destination: Destination
}

/** Seconds count from the start of the simulation. */
export interface PasswordEvent {
  readonly at: number
  /** Guesses before it; 0: the password was changed and not forgotten. */
  readonly wrongTries: number
  /** The password is another one afterwards. */
  readonly isChange: boolean
  /** Where the old one stays, and until when. */
  readonly stale: { readonly device: Device; readonly until: number } | undefined
}

/** Probabilities. Those of events are per 30 days. */
const SHARES = {
  ipv6: 0.35,
  office: 0.6,
  commuter: 0.02,
  nightWorker: 0.04,
  vpn: 0.04,
  cloudClient: 0.05,
  pop3: 0.06,
  business: 0.3,
  trip: 0.08,
  visit: 0.15,
  leavesDesktopOn: 0.2,
  holiday: 0.2,
  newDevice: 0.08,
  forgotten: 0.12,
  changed: 0.06,
  staleAfterChange: 0.6,
  dormantAndBack: 0.03,
} as const
const EVENT_DAYS = 30
/** Of so many people one never comes back. */
const PEOPLE_PER_GONE = 30
/** Under so many days of silence nobody is dormant. */
export const DORMANT_DAYS = 10
const LEASES_DAYS: readonly [number, ...number[]] = [1, 7, 30, 365]

const FIRST_NAMES = 'anna ben clara david emma felix greta hans ida jan karin leo mia nils olga paul rosa simon tina uwe vera willi yara zoe carlos elena hugo ines jules marek'.split(' ') // prettier-ignore
const LAST_NAMES = 'bauer becker berg braun busch dietz ernst fischer frank fuchs graf haas hahn hartmann hofer huber jansen kaiser keller koch kraft kuhn lang lehmann lorenz maier meyer moreau novak otto peters pohl richter roth rossi sauer schmid schulz seidel simon sommer stein vogel wagner weber winter wolf ziegler'.split(' ') // prettier-ignore

export interface PersonSetup {
  readonly index: number
  readonly seed: number
  /** Of the simulation. */
  readonly days: number
  readonly offices: readonly [Office, ...Office[]]
  readonly mailboxes: readonly string[]
}

export function makePerson({ index, seed, days, offices, mailboxes }: PersonSetup, random: Random): Person {
  const country = homeCountry(random)
  const plan: CountryPlan = HOME_PLANS[country]
  const devices = makeDevices(days, random)
  const away = { holidays: makeHolidays(days, random), dormancy: makeDormancy(index, days, random) }
  return {
    login: loginOf(index),
    seed,
    country,
    plan,
    home: {
      network: pickFrom(plan.homes, random),
      network6: random.chance(SHARES.ipv6) ? plan.homes6[0] : undefined,
      leaseDays: random.pick(LEASES_DAYS),
    },
    mobileNetwork: pickFrom(plan.mobile, random),
    rhythm: makeRhythm(random),
    office: chooseOffice(country, offices, random),
    devices,
    usesVpn: random.chance(SHARES.vpn),
    leavesDesktopOn: random.chance(SHARES.leavesDesktopOn),
    trips: makeJourneys(country, days, random),
    ...away,
    // Nobody changes a password meanwhile.
    passwordEvents: makePasswordEvents(devices, days, random).filter(
      ({ at }) => !isSilentOn(away, Math.floor(at / DAY_SECONDS)),
    ),
    mailboxes,
    customerKind: random.chance(SHARES.business) ? 'business' : 'private',
  }
}

/** The password that is right at a time: the n-th that this person has had. */
export function passwordAt({ passwordEvents }: Person, at: number): number {
  return passwordEvents.reduce((count, event) => count + (event.isChange && event.at <= at ? 1 : 0), 0)
}

/** True: no login of theirs comes on that day. */
export function isSilentOn(
  { dormancy, holidays }: Pick<Person, 'dormancy' | 'holidays'>,
  day: number,
): boolean {
  return [...holidays, ...(dormancy === undefined ? [] : [dormancy])].some(
    ({ from, to }) => from <= day && day <= to,
  )
}

function loginOf(index: number): string {
  const first = FIRST_NAMES[index % FIRST_NAMES.length] ?? ''
  const last = LAST_NAMES[mix(index % LAST_NAMES.length, 7) % LAST_NAMES.length] ?? ''
  // The number keeps it one of a kind.
  return `${first}.${last}${index + 1}@example.net`
}

function homeCountry(random: Random): HomeCountry {
  let rest = random.below(HOME_SHARES.reduce((sum, [, share]) => sum + share, 0))
  for (const [country, share] of HOME_SHARES) {
    if (rest < share) return country
    rest -= share
  }
  return 'DE'
}

function makeRhythm(random: Random): Rhythm {
  const isNightWorker = random.chance(SHARES.nightWorker)
  const upAt = isNightWorker ? random.around(15, 1.5) : random.around(7, 1.5)
  const workFrom = isNightWorker ? random.between(5.5, 7) : random.between(0.75, 2)
  return {
    upAt,
    awake: random.around(16, 1),
    workFrom,
    workTo: workFrom + random.around(8.5, 1),
    isNightWorker,
  }
}

/** More than half work in the first office, which is a large company's; few in a country that is not theirs. */
function chooseOffice(
  country: HomeCountry,
  offices: readonly [Office, ...Office[]],
  random: Random,
): Office | undefined {
  if (!random.chance(SHARES.office)) return undefined
  const isCommuter = random.chance(SHARES.commuter / SHARES.office)
  const [large] = offices
  const fitting = offices.filter((office) => (office.country === country) !== isCommuter)
  if (fitting.includes(large) && random.chance(0.6)) return large
  return fitting[random.below(fitting.length)]
}

function makeDevices(days: number, random: Random): readonly Device[] {
  const devices = [makeDevice('phone', 0, random), makeDevice('browser', 0, random)]
  if (random.chance(0.6)) devices.push(makeDevice('desktop', 0, random))
  if (random.chance(SHARES.pop3)) devices.push(makeDevice('pop3', 0, random))
  if (random.chance(SHARES.cloudClient)) devices.push(makeDevice('cloud-client', 0, random))
  if (happens(SHARES.newDevice, days, random)) {
    devices.push(makeDevice(random.pick(['phone', 'desktop', 'browser']), random.integer(1, days), random))
  }
  return devices
}

function makeTrips(days: number, random: Random): readonly Trip[] {
  if (!happens(SHARES.trip, days, random)) return []
  const from = random.below(days)
  return [{ from, to: from + random.integer(2, 14), destination: random.pick(DESTINATIONS) }]
}

function makeJourneys(country: HomeCountry, days: number, random: Random): readonly Trip[] {
  const trips = makeTrips(days, random)
  const visits = makeVisits(country, days, random)
  // Nobody is in two places.
  return trips.length > 0 ? trips : visits
}

/** Some days with friends or in a hotel of their own country, on a line of somebody else. */
function makeVisits(country: HomeCountry, days: number, random: Random): readonly Trip[] {
  if (!happens(SHARES.visit, days, random)) return []
  const { homes, utcOffsetHours } = HOME_PLANS[country]
  const from = random.below(days)
  const destination = { country, utcOffsetHours, network: pickFrom(homes, random) }
  return [{ from, to: from + random.integer(1, 4), destination }]
}

function makeHolidays(days: number, random: Random): readonly Days[] {
  if (!happens(SHARES.holiday, days, random)) return []
  const from = random.below(days)
  return [{ from, to: from + random.integer(3, 9) }]
}

function makeDormancy(index: number, days: number, random: Random): Days | undefined {
  const from = random.integer(1, 4)
  const back = random.integer(from + DORMANT_DAYS, Math.max(from + DORMANT_DAYS, days - 2))
  // Counted, not drawn: few people as well must have one whose login a thief can wake.
  if (index % PEOPLE_PER_GONE === 17) return { from, to: Number.POSITIVE_INFINITY }
  return random.chance(SHARES.dormantAndBack) ? { from, to: back } : undefined
}

function makePasswordEvents(
  devices: readonly Device[],
  days: number,
  random: Random,
): readonly PasswordEvent[] {
  const isForgotten = happens(SHARES.forgotten, days, random)
  const isChanged = happens(SHARES.changed, days, random)
  if (!isForgotten && !isChanged) return []
  const at = random.between(0, days * DAY_SECONDS)
  const isChange = isChanged || random.chance(0.5)
  const mailers = devices.filter(
    ({ kind, fromDay }) => (kind === 'phone' || kind === 'desktop') && fromDay === 0,
  )
  const device = mailers[random.below(mailers.length)]
  const staysStale = isChange && random.chance(SHARES.staleAfterChange)
  return [
    {
      at,
      wrongTries: isForgotten ? random.integer(2, 6) : 0,
      isChange,
      stale:
        staysStale && device !== undefined
          ? { device, until: at + random.between(0.2, 5) * DAY_SECONDS }
          : undefined,
    },
  ]
}

/** Whether something happens at least once in that many days; @param per30Days - below 0.5 */
function happens(per30Days: number, days: number, random: Random): boolean {
  return random.chance(Math.min(0.5, (per30Days * days) / EVENT_DAYS))
}

function pickFrom(list: readonly string[], random: Random): string {
  return list[random.below(list.length)] ?? ''
}
