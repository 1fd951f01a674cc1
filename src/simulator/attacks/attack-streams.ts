/**
 * Which attacks there are, when, and on whom. Pure.
 */
import { DAY_SECONDS, DORMANT_DAYS, type Person } from '../person.ts'
import { mix, numberOf, Random } from '../random.ts'
import type { SimulatedReport } from '../simulated-report.ts'
import type { Site } from '../site.ts'
import { ATTACK_TYPES, type Attack, type AttackType } from './attack-types.ts'
import { bruteForce, distributedBruteForce } from './brute-force.ts'
import { sprayAddress, sprayNetwork, sprayPatient, sprayPrefix, stuffing } from './spray.ts'
import {
  takeoverAbroad,
  takeoverAfterFailures,
  takeoverDomestic,
  takeoverDormant,
  takeoverNewProtocol,
  takeoverTravel,
} from './takeover.ts'

const ATTACKS: Readonly<Record<AttackType, Attack>> = {
  'brute-force': bruteForce,
  'distributed-brute-force': distributedBruteForce,
  'spray-address': sprayAddress,
  'spray-prefix': sprayPrefix,
  'spray-network': sprayNetwork,
  'spray-patient': sprayPatient,
  stuffing,
  'takeover-abroad': takeoverAbroad,
  'takeover-domestic': takeoverDomestic,
  'takeover-travel': takeoverTravel,
  'takeover-after-failures': takeoverAfterFailures,
  'takeover-dormant': takeoverDormant,
  'takeover-new-protocol': takeoverNewProtocol,
}

const AIMED_AT_MANY: ReadonlySet<AttackType> = new Set([
  'spray-address',
  'spray-prefix',
  'spray-network',
  'spray-patient',
  'stuffing',
])

/** The longest attacks need so many days. */
export const ATTACK_DAYS = 4

export interface AttackChoice {
  readonly types: readonly AttackType[]
  /** Of each type. */
  readonly instances: number
  /** Days without attacks at the start, so that a policy can learn. */
  readonly quietDays: number
}

/** An attack that takes place. */
export interface PlannedAttack {
  readonly id: string
  readonly type: AttackType
  readonly reports: Iterable<SimulatedReport>
}

/**
 * The attacks of a simulation, easy and patient ones in turn. Nobody is the only victim of two; when too few people fit,
 * there are fewer attacks than asked for.
 */
export function planAttacks(site: Site, choice: AttackChoice): readonly PlannedAttack[] {
  const window = { from: choice.quietDays * DAY_SECONDS, to: site.days * DAY_SECONDS }
  const taken = new Set<Person>()
  const planned: PlannedAttack[] = []
  for (const type of ATTACK_TYPES.filter((name) => choice.types.includes(name))) {
    for (let number = 1; number <= choice.instances; number++) {
      const random = new Random(site.seed, numberOf(type), number)
      const candidates = site.people.filter((person) => !taken.has(person) && isFit(person, type, site))
      const victim = candidates[mix(site.seed, numberOf(type), number) % candidates.length]
      if (victim === undefined) break
      if (!AIMED_AT_MANY.has(type)) taken.add(victim)
      const form = number % 2 === 1 ? 'easy' : 'patient'
      const id = `${type}-${number}-${form}`
      planned.push({ id, type, reports: ATTACKS[type]({ site, id, type, form, random, window, victim }) })
    }
  }
  return planned
}

function isFit(person: Person, type: AttackType, { days }: Site): boolean {
  const { dormancy, devices, trips, usesVpn } = person
  if (type === 'takeover-dormant') {
    return dormancy !== undefined && dormancy.to > days && dormancy.from + DORMANT_DAYS + ATTACK_DAYS <= days
  }
  if (dormancy !== undefined) return false
  switch (type) {
    case 'takeover-new-protocol':
      return devices.every(({ kind }) => kind !== 'pop3')
    case 'takeover-travel':
      return trips.length === 0 && !usesVpn
    default:
      return true
  }
}
