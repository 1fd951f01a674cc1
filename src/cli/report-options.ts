/**
 * The options of `trackalert report`. Pure but for commander.
 */
import { Command, InvalidArgumentError } from 'commander'

/** One report to send, and where. What is undefined comes from the configuration, or stays out of the report. */
export interface ReportChoice {
  readonly login: string
  readonly remote: string
  readonly success: boolean
  readonly failType: string | undefined
  readonly protocol: string | undefined
  readonly deviceId: string | undefined
  readonly sessionId: string | undefined
  readonly attributes: Readonly<Record<string, string>>
  /** Of the listener: http://127.0.0.1:8084 */
  readonly url: string | undefined
  readonly passwordFile: string | undefined
}

interface GivenOptions {
  readonly login: string
  readonly remote: string
  readonly success?: true
  readonly fail?: string | true
  readonly protocol?: string
  readonly deviceId?: string
  readonly sessionId?: string
  readonly attr?: ReadonlyMap<string, string>
  readonly url?: string
  readonly passwordFile?: string
}

export function reportCommand(choose: (report: ReportChoice) => void): Command {
  return new Command('report')
    .description('send one login report to a running server and print its answer')
    .requiredOption('--login <name>', 'who logged in')
    .option('--remote <address>', 'from where', '127.0.0.1')
    .option('--success', 'the login succeeded; the default')
    .option('--fail [type]', 'the login failed; TYPE says why, such as credentials')
    .option('--protocol <name>', 'imap, https, …')
    .option('--device-id <text>', 'what the device called itself, such as a User-Agent')
    .option('--session-id <text>', 'session of the login')
    .option('--attr <key=value>', 'an entry of attrs; may be given again', attribute)
    .option('--url <url>', 'the listener (default: the first one of the configuration)')
    .option('--password-file <file>', 'file that holds the password (default: that of the configuration)')
    .action((options: GivenOptions, command: Command) => {
      if (options.success === true && options.fail !== undefined) {
        command.error('error: --success and --fail exclude each other')
      }
      choose(choiceOf(options))
    })
}

function choiceOf(options: GivenOptions): ReportChoice {
  return {
    login: options.login,
    remote: options.remote,
    success: options.fail === undefined,
    failType: typeof options.fail === 'string' ? options.fail : undefined,
    protocol: options.protocol,
    deviceId: options.deviceId,
    sessionId: options.sessionId,
    attributes: Object.fromEntries(options.attr ?? []),
    url: options.url,
    passwordFile: options.passwordFile,
  }
}

function attribute(
  text: string,
  before: ReadonlyMap<string, string> | undefined,
): ReadonlyMap<string, string> {
  const [, key, value] = /^([^=]+)=([\s\S]*)$/.exec(text) ?? []
  if (key === undefined || value === undefined) throw new InvalidArgumentError('It is written KEY=VALUE.')
  return new Map([...(before ?? []), [key, value]])
}
