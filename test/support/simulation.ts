/** Simulated traffic for tests. */
import { ATTACK_TYPES } from '../../src/simulator/attacks/attack-types.ts'
import { simulate, type SimulationOptions } from '../../src/simulator/simulate.ts'
import type { SimulatedReport } from '../../src/simulator/simulated-report.ts'

export const DAY = 86_400
/** A Monday. */
export const START = Date.parse('2026-01-05T00:00:00Z') / 1000
export const ALL_ATTACKS = { types: ATTACK_TYPES, instances: 2, quietDays: 14 } as const
export const NO_ATTACKS = { types: [], instances: 2, quietDays: 14 } as const

export function optionsWith(changes: Partial<SimulationOptions> = {}): SimulationOptions {
  return { users: 60, days: 20, seed: 7, rate: 1, startSeconds: START, attacks: ALL_ATTACKS, ...changes }
}

export function simulated(changes: Partial<SimulationOptions> = {}): readonly SimulatedReport[] {
  return [...simulate(optionsWith(changes)).reports]
}

export function groupBy<T>(
  list: Iterable<T>,
  keyOf: (entry: T) => string,
): ReadonlyMap<string, readonly T[]> {
  return Map.groupBy(list, keyOf)
}
