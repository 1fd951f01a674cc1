/**
 * The options of `trackalert alerts`. Pure but for commander.
 */
import { Command, Option } from 'commander'
import { SEVERITIES } from '../alerts/severity.ts'
import type { HttpChoice } from './http-target.ts'

export const ALERT_FORMATS = ['table', 'json', 'line'] as const

export type AlertFormat = (typeof ALERT_FORMATS)[number]

/** Which alerts; the server looks at the texts and says what is wrong with them. */
export interface AlertListing {
  readonly since: string | undefined
  readonly severity: string | undefined
  readonly state: string | undefined
  readonly rule: string | undefined
  readonly key: string | undefined
  readonly limit: string | undefined
}

export type AlertWish =
  | { readonly kind: 'list'; readonly listing: AlertListing; readonly follow: boolean }
  | { readonly kind: 'show'; readonly id: number }
  | { readonly kind: 'explain'; readonly id: number }
  | {
      readonly kind: 'act'
      readonly action: AlertActionName
      readonly id: number
      /** Undefined: whoever runs the command. */
      readonly author: string | undefined
      readonly comment: string
    }

export interface AlertsChoice {
  readonly wish: AlertWish
  readonly format: AlertFormat
  readonly server: HttpChoice
}

const ACTIONS = ['ack', 'resolve', 'comment'] as const
const VERBS = ['show', 'explain', ...ACTIONS] as const
type AlertActionName = (typeof ACTIONS)[number]

const LISTING_NAMES = ['since', 'severity', 'state', 'rule', 'key', 'limit', 'follow'] as const

interface GivenOptions extends Partial<Record<Exclude<(typeof LISTING_NAMES)[number], 'follow'>, string>> {
  readonly follow?: true
  readonly format: AlertFormat
  readonly author?: string
  readonly url?: string
  readonly passwordFile?: string
}

interface Words {
  readonly action: string | undefined
  readonly id: string | undefined
  readonly comment: string | undefined
}

export function alertsCommand(choose: (choice: AlertsChoice) => void): Command {
  return new Command('alerts')
    .description('list the alerts of a running server, or look after one')
    .argument('[action]', `${VERBS.join(', ')}; without one, alerts are listed`)
    .argument('[id]', 'the number of the alert')
    .argument('[comment]', 'why, or what is to be noted')
    .option('--since <time>', 'raised last within a time such as 3m, or since a date')
    .addOption(new Option('--severity <severity>', 'at least so severe').choices(SEVERITIES))
    .option('--state <states>', 'open, acknowledged or resolved; several with commas between them')
    .option('--rule <pattern>', 'of these rules; * stands for any text')
    .option('--key <pattern>', 'of these keys; * stands for any text')
    .option('--limit <number>', 'at most so many (default: 100)')
    .option('--follow', 'go on and print what is raised from now on, until interrupted')
    .addOption(
      new Option('--format <format>', 'how they are printed').choices(ALERT_FORMATS).default('table'),
    )
    .option('--author <name>', 'who acknowledges, resolves or comments (default: the user)')
    .option('--url <url>', 'the listener (default: the first one of the configuration)')
    .option('--password-file <file>', 'file that holds the password (default: that of the configuration)')
    .action((...given: CommandArguments) => {
      const [action, id, comment, options, command] = given
      const wish = wishOf({ action, id, comment }, options)
      if (typeof wish === 'string') return command.error(`error: ${wish}`)
      const { format, url, passwordFile } = options
      choose({ wish, format, server: { url, passwordFile } })
    })
}

type Word = string | undefined
/** As commander calls an action: the arguments, then the options and the command. */
type CommandArguments = readonly [
  action: Word,
  id: Word,
  comment: Word,
  options: GivenOptions,
  command: Command,
]

/** What is wanted, or what is wrong with the words. */
function wishOf({ action, id, comment = '' }: Words, options: GivenOptions): AlertWish | string {
  if (action === undefined) {
    if (options.author !== undefined) return `--author goes with ${ACTIONS.join(', ')}`
    const { since, severity, state, rule, key, limit, follow } = options
    if (follow === true && limit !== undefined) return '--limit does not go with --follow'
    return { kind: 'list', listing: { since, severity, state, rule, key, limit }, follow: follow === true }
  }
  const verb = VERBS.find((name) => name === action)
  if (verb === undefined) return `there is no action ${JSON.stringify(action)}; there are ${VERBS.join(', ')}`
  const unfitting = LISTING_NAMES.find((name) => options[name] !== undefined)
  if (unfitting !== undefined) return `--${unfitting} goes with the list, not with ${action}`
  if (id === undefined || !/^[1-9]\d{0,14}$/.test(id))
    return `${action} needs the number of an alert, such as: alerts ${action} 12`
  if (verb === 'show' || verb === 'explain') {
    if (comment !== '' || options.author !== undefined) return `${verb} takes nothing but the number`
    return { kind: verb, id: Number(id) }
  }
  if (verb === 'comment' && comment === '') return 'comment needs a text: alerts comment 12 "what is known"'
  return { kind: 'act', action: verb, id: Number(id), author: options.author, comment }
}
