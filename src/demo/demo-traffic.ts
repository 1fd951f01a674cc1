/**
 * The logins that the demo plays: made up by the simulator, for days that are over. Pure.
 */
import { ATTACK_TYPES } from '../simulator/attacks/attack-types.ts'
import type { SimulatedReport } from '../simulator/simulated-report.ts'
import { simulate } from '../simulator/simulate.ts'

/** Days on which the policy gets to know the people. */
export const LEARNING_DAYS = 14
/** And days on which they are attacked. */
export const ATTACK_DAYS = 4
const DAY_SECONDS = 86_400
/** 1970 began with a Thursday. */
const FIRST_MONDAY_SECONDS = 4 * DAY_SECONDS

export interface DemoTraffic {
  readonly learning: readonly SimulatedReport[]
  readonly attacked: readonly SimulatedReport[]
  readonly attacks: number
  /** Unix seconds. */
  readonly startSeconds: number
  readonly attackedSeconds: number
}

/** It begins with a Monday, so that one seed tells one story whatever day it is, and all of it is over by now. */
export function makeDemoTraffic(users: number, seed: number, nowMs: number): DemoTraffic {
  const days = LEARNING_DAYS + ATTACK_DAYS
  const latest = nowMs / 1000 - days * DAY_SECONDS - FIRST_MONDAY_SECONDS
  const week = 7 * DAY_SECONDS
  const startSeconds = Math.floor(latest / week) * week + FIRST_MONDAY_SECONDS
  const { reports, attacks } = simulate({
    users,
    days,
    seed,
    rate: 1,
    startSeconds,
    attacks: { types: ATTACK_TYPES, instances: 1, quietDays: LEARNING_DAYS },
  })
  const attackedSeconds = startSeconds + LEARNING_DAYS * DAY_SECONDS
  const { learning = [], attacked = [] } = Object.groupBy(reports, ({ t }) =>
    t < attackedSeconds ? 'learning' : 'attacked',
  )
  return { learning, attacked, attacks: attacks.length, startSeconds, attackedSeconds }
}
