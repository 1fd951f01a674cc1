/**
 * The simulator: login reports of people and of attackers, in the order of time, from a seed. Pure; what it keeps does not
 * grow with the number of days.
 */
import { planAttacks, type AttackChoice } from './attacks/attack-streams.ts'
import type { AttackType } from './attacks/attack-types.ts'
import { mergeStreams } from './merge-streams.ts'
import { personDay } from './person-day.ts'
import type { Person } from './person.ts'
import type { SimulatedReport } from './simulated-report.ts'
import { makeSite, type Site, type SiteOptions } from './site.ts'

export interface SimulationOptions extends SiteOptions {
  readonly attacks: AttackChoice
}

interface Simulation {
  /** In ascending order of `t`; can be gone through once. */
  readonly reports: Iterable<SimulatedReport>
  /** The types of the attacks among them, once for each attack. */
  readonly attacks: readonly AttackType[]
}

/**
 * The same options give the same reports everywhere, and the reports of people are the same whatever the attacks.
 */
export function simulate({ attacks, ...options }: SimulationOptions): Simulation {
  const site = makeSite(options)
  const planned = planAttacks(site, attacks)
  return {
    reports: mergeStreams([
      ...site.people.map((person) => personReports(site, person)),
      ...planned.map(({ reports }) => reports),
    ]),
    attacks: planned.map(({ type }) => type),
  }
}

function* personReports(site: Site, person: Person): Generator<SimulatedReport, void, undefined> {
  for (let day = 0; day < site.days; day++) yield* personDay(site, person, day)
}
