/**
 * The options of `trackalert replay`. Pure but for commander.
 */
import { SEVERITIES, type Severity } from '../alerts/severity.ts'
import { Command, Option } from 'commander'
import { wholeNumber } from './number-option.ts'

const FORMATS = ['table', 'json'] as const

export interface ReplayChoice {
  /** `-`: standard input. Empty: the server's own history. */
  readonly files: readonly string[]
  /** The configuration that is compared. */
  readonly against: string | undefined
  readonly format: (typeof FORMATS)[number]
  /** Alerts of each rule that are shown. */
  readonly examples: number
  /** Alerts that never were as severe are as good as none. */
  readonly leastSeverity: Severity
  readonly isOnline: boolean
}

interface GivenOptions {
  readonly against?: string
  readonly history?: true
  readonly format: ReplayChoice['format']
  readonly examples: number
  readonly severity: Severity
  readonly online?: true
}

const MOST_EXAMPLES = 1000

export function replayCommand(choose: (replay: ReplayChoice) => void): Command {
  return new Command('replay')
    .description('run past reports through a configuration and print the alerts; no server is touched')
    .argument('[file...]', 'reports, a JSON object a line, gzip or not; - is standard input')
    .option('--against <file>', 'another configuration: print what it would change')
    .option('--history', "take the server's own history in place of files")
    .addOption(new Option('--format <format>', 'how to print').choices(FORMATS).default('table'))
    .option('--examples <number>', 'alerts of each rule to show', wholeNumber(0, MOST_EXAMPLES), 3)
    .addOption(
      new Option('--severity <severity>', 'leave out alerts that are less severe')
        .choices(SEVERITIES)
        .default('info'),
    )
    .option('--online', 'let the policy ask other systems')
    .action((files: readonly string[], options: GivenOptions, command: Command) => {
      const isHistory = options.history === true
      if (isHistory === files.length > 0) command.error('error: give files to replay, or --history')
      if (files.filter((file) => file === '-').length > 1)
        command.error('error: standard input can be read once')
      choose({
        files,
        against: options.against,
        format: options.format,
        examples: options.examples,
        leastSeverity: options.severity,
        isOnline: options.online === true,
      })
    })
}
