/**
 * The service that is simulated: its people, the offices in which they work, what they share, and its outages. Pure.
 */
import { HOME_SHARES, OFFICE_NETWORKS } from './address-plan.ts'
import { addressIn } from './address.ts'
import { DAY_SECONDS, makePerson, type Office, type Person } from './person.ts'
import { mix, Random } from './random.ts'

export interface Site {
  readonly seed: number
  /** Unix seconds at which day 0 begins: a midnight in UTC. */
  readonly startSeconds: number
  readonly days: number
  /** How often clients log in, 1 being usual. */
  readonly rate: number
  readonly people: readonly Person[]
  readonly outages: readonly Outage[]
}

/** In seconds since the start of the simulation. For that time every honest login fails, for this reason. */
export interface Outage {
  readonly from: number
  readonly to: number
  /** The second kind is a directory that answers "no" to everything. */
  readonly failType: 'internal' | 'credentials'
}

export type SiteOptions = Pick<Site, 'seed' | 'startSeconds' | 'days' | 'rate'> & { readonly users: number }

const USERS_PER_OFFICE = 60
const USERS_PER_MAILBOX = 40
const OUTAGE_SECONDS = 600
const DAYS_PER_OUTAGE = 15

export function makeSite({ users, ...options }: SiteOptions): Site {
  const { seed, days } = options
  const random = new Random(seed, 0x51)
  const offices = makeOffices(users, random)
  const mailboxes = makeMailboxes(users, random)
  const people = Array.from({ length: users }, (_, index) => {
    const own = mix(seed, 0x9e, index)
    return makePerson(
      { index, seed: own, days, offices, mailboxes: mailboxes.get(index) ?? [] },
      new Random(own),
    )
  })
  return { ...options, people, outages: makeOutages(days, random) }
}

function makeOffices(users: number, random: Random): readonly [Office, ...Office[]] {
  const large: Office = { country: 'DE', address: addressIn(OFFICE_NETWORKS.DE, random.next()) }
  const small = HOME_SHARES.flatMap(([country, share]) =>
    Array.from({ length: Math.ceil((users * share) / 100 / USERS_PER_OFFICE) }, () => ({
      country,
      address: addressIn(OFFICE_NETWORKS[country], random.next()),
    })),
  )
  return [large, ...small]
}

/** By number of the person, the mailboxes that they share: each belongs to three to six people. */
function makeMailboxes(users: number, random: Random): ReadonlyMap<number, readonly string[]> {
  const byPerson = new Map<number, string[]>()
  for (let number = 1; number <= Math.ceil(users / USERS_PER_MAILBOX); number++) {
    const login = `office${number}@example.net`
    const members = new Set(Array.from({ length: random.integer(3, 6) }, () => random.below(users)))
    for (const member of members) byPerson.set(member, [...(byPerson.get(member) ?? []), login])
  }
  return byPerson
}

/** At work time, when it is noticed. */
function makeOutages(days: number, random: Random): readonly Outage[] {
  return Array.from({ length: Math.max(1, Math.floor(days / DAYS_PER_OUTAGE)) }, (_, number) => {
    const from = random.below(days) * DAY_SECONDS + random.between(8, 16) * 3600
    return { from, to: from + OUTAGE_SECONDS, failType: number % 2 === 0 ? 'internal' : 'credentials' }
  })
}
