/**
 * Reports of the simulator as bodies of requests, by number. Lives in the load client, which keeps what it has made: several
 * servers get the same.
 */
import { ATTACK_TYPES } from '../../src/simulator/attacks/attack-types.ts'
import type { SimulatedReport } from '../../src/simulator/simulated-report.ts'
import { simulate } from '../../src/simulator/simulate.ts'

/** So many that a bench plays about a day of theirs: few logins come twice within a minute of it. */
const USERS = 10_000
/** Of half a million reports, more than any bench plays; those that nobody asks for are not made. */
const DAYS = 4

export class SimulatedBodies {
  readonly #made: string[] = []
  #reports: Iterator<SimulatedReport> | undefined

  /** @throws Error when the simulated days have fewer reports. */
  take(first: number, count: number): readonly string[] {
    this.#reports ??= startSimulation()
    while (this.#made.length < first + count) {
      const next = this.#reports.next()
      if (next.done === true) throw new Error(`the simulation has only ${this.#made.length} reports`)
      // What the simulator knows about a login is nothing that a sender would know.
      const { label: _label, attack: _attack, trap: _trap, ...report } = next.value
      this.#made.push(JSON.stringify(report))
    }
    return this.#made.slice(first, first + count)
  }
}

/** People from the first day on, and of each attack one. */
function startSimulation(): Iterator<SimulatedReport> {
  const { reports } = simulate({
    users: USERS,
    days: DAYS,
    seed: 1,
    rate: 1,
    startSeconds: Date.UTC(2026, 0, 5) / 1000,
    attacks: { types: ATTACK_TYPES, instances: 1, quietDays: 0 },
  })
  return reports[Symbol.iterator]()
}
