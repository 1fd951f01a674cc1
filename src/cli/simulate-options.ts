/**
 * The options of `trackalert simulate`. Pure but for commander.
 */
import { Command, InvalidArgumentError, Option } from 'commander'
import { ATTACK_DAYS } from '../simulator/attacks/attack-streams.ts'
import { ATTACK_TYPES, type AttackType } from '../simulator/attacks/attack-types.ts'
import type { SimulationOptions } from '../simulator/simulate.ts'
import { wholeNumber } from './number-option.ts'

/** What to simulate, and where the reports go. */
export interface SimulateChoice {
  readonly simulation: SimulationOptions
  /** undefined: standard output. */
  readonly outputFile: string | undefined
}

interface GivenOptions {
  readonly users: number
  readonly days: number
  readonly attacks: readonly AttackType[]
  readonly instances?: number
  readonly quietDays: number
  readonly seed: number
  readonly start: number
  readonly rate: number
  readonly output: string
}

const DEFAULT_START = '2026-01-05'

export function simulateCommand(choose: (choice: SimulateChoice) => void): Command {
  return new Command('simulate')
    .description('write made-up login reports of honest people and of attackers, a JSON object a line')
    .option('--users <number>', 'people', wholeNumber(1, 50_000), 1000)
    .option('--days <number>', 'days to tell', wholeNumber(1, 366), 30)
    .addOption(
      new Option('--attacks <list>', 'types of attack, separated by commas, or all, or none')
        .argParser(attackList)
        .default(ATTACK_TYPES, 'all'),
    )
    .option(
      '--instances <number>',
      'attacks of each type (default: one per 100 users, 2 to 10)',
      wholeNumber(1, 1000),
    )
    .option('--quiet-days <number>', 'days without attacks at the start', wholeNumber(0, 366), 14)
    .option('--seed <number>', 'another number, another story', wholeNumber(0, 4_294_967_295), 1)
    .addOption(
      new Option('--start <date>', 'the first day, in UTC')
        .argParser(startOfDay)
        .default(startOfDay(DEFAULT_START), DEFAULT_START),
    )
    .option('--rate <number>', 'how often clients log in, 1 being usual', rate, 1)
    .option('--output <file>', 'where to write; - is standard output', '-')
    .action((options: GivenOptions, command: Command) => {
      const { attacks, days, quietDays } = options
      if (attacks.length > 0 && days < quietDays + ATTACK_DAYS) {
        command.error(
          `error: attacks take up to ${ATTACK_DAYS} days after ${quietDays} quiet ones: give --days ${quietDays + ATTACK_DAYS} or more, fewer --quiet-days, or --attacks none`,
        )
      }
      choose(choiceOf(options))
    })
}

function choiceOf(options: GivenOptions): SimulateChoice {
  const { users, days, seed, rate: loginRate, start, attacks, quietDays, output } = options
  const instances = options.instances ?? Math.min(10, Math.max(2, Math.round(users / 100)))
  return {
    simulation: {
      users,
      days,
      seed,
      rate: loginRate,
      startSeconds: start,
      attacks: { types: attacks, instances, quietDays },
    },
    outputFile: output === '-' ? undefined : output,
  }
}

function rate(text: string): number {
  const value = /^\d{1,3}(\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN
  if (value >= 0.1 && value <= 100) return value
  throw new InvalidArgumentError('It is a number from 0.1 to 100.')
}

function attackList(text: string): readonly AttackType[] {
  if (text === 'all') return ATTACK_TYPES
  if (text === 'none') return []
  const names = text.split(',').map((name) => name.trim())
  const types = ATTACK_TYPES.filter((type) => names.includes(type))
  if (types.length === new Set(names).size) return types
  throw new InvalidArgumentError(`There are ${ATTACK_TYPES.join(', ')}.`)
}

/** Unix seconds of a midnight in UTC. */
function startOfDay(text: string): number {
  const seconds = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) / 1000 : Number.NaN
  // Date.parse takes the 31st of February for the 3rd of March.
  const isDay = Number.isFinite(seconds) && new Date(seconds * 1000).toISOString().startsWith(text)
  if (isDay && seconds >= 0) return seconds
  throw new InvalidArgumentError('It is a day since 1970, such as 2026-01-05.')
}
