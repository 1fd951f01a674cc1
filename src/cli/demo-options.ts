/**
 * The options of `trackalert demo`. Pure but for commander.
 */
import { Command } from 'commander'
import type { DemoChoice } from '../demo/run-demo.ts'
import { wholeNumber } from './number-option.ts'

interface GivenOptions {
  readonly users: number
  readonly seed: number
  readonly day: number
  readonly stay?: true
}

export function demoCommand(choose: (choice: DemoChoice) => void): Command {
  return new Command('demo')
    .description(
      'show what trackalert does: play simulated logins and attacks into a server that goes with the demo',
    )
    .option('--users <number>', 'people', wholeNumber(20, 1000), 50)
    .option('--seed <number>', 'another number, another story', wholeNumber(0, 4_294_967_295), 1)
    .option('--day <seconds>', 'how long a day with attacks takes', wholeNumber(0, 86_400), 6)
    .option('--stay', 'keep the server up when everything is played, until interrupted')
    .action(({ users, seed, day, stay }: GivenOptions) =>
      choose({ users, seed, dayMs: day * 1000, stay: stay === true }),
    )
}
