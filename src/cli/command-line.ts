/**
 * The command line: what the words after `trackalert` ask for. Pure but for commander, which it keeps from writing or
 * ending anything; main.ts does what comes out of here.
 */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { SYSLOG_FACILITIES, type SyslogFacility } from '../outgoing/syslog-facilities.ts'
import { levelOfSeverity, LOG_FORMATS, type LogFormat, type LogOptions } from '../telemetry/log-options.ts'
import { alertsCommand, type AlertsChoice } from './alerts-options.ts'
import type { DemoChoice } from '../demo/run-demo.ts'
import { demoCommand } from './demo-options.ts'
import { replayCommand, type ReplayChoice } from './replay-options.ts'
import { reportCommand, type ReportChoice } from './report-options.ts'
import { simulateCommand, type SimulateChoice } from './simulate-options.ts'
import { testCommand, type TestChoice } from './test-options.ts'

export const DEFAULT_CONFIG_FILES = ['/etc/wforce/trackalert.conf', '/etc/trackalert.conf'] as const

export interface ServerChoice {
  /** `console`: with a console on this terminal. `daemon`: from a child process that outlives it. */
  readonly mode: 'foreground' | 'console' | 'daemon'
  readonly configFile: string | undefined
  readonly regexesFile: string | undefined
  readonly recover: boolean
  readonly log: LogOptions
  readonly pidFile: string | undefined
  /** Where a daemon's output goes; undefined: nowhere. */
  readonly logFile: string | undefined
}

/** Which server to talk to; what is undefined is looked up in the environment, then in the configuration. */
export interface ControlChoice {
  readonly configFile: string | undefined
  /** ADDRESS or ADDRESS:PORT. */
  readonly address: string | undefined
  readonly keyFile: string | undefined
}

export type CommandLine =
  /** Help or version: to be printed. */
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'usage'; readonly message: string }
  | { readonly kind: 'serve'; readonly server: ServerChoice }
  | { readonly kind: 'console'; readonly control: ControlChoice }
  | { readonly kind: 'execute'; readonly control: ControlChoice; readonly line: string }
  | { readonly kind: 'check'; readonly configFile: string | undefined }
  | { readonly kind: 'report'; readonly configFile: string | undefined; readonly report: ReportChoice }
  | { readonly kind: 'simulate'; readonly choice: SimulateChoice }
  | { readonly kind: 'demo'; readonly choice: DemoChoice }
  | { readonly kind: 'dump'; readonly control: ControlChoice; readonly database: string }
  | { readonly kind: 'alerts'; readonly configFile: string | undefined; readonly alerts: AlertsChoice }
  | { readonly kind: 'notify-test'; readonly control: ControlChoice; readonly sink: string }
  | {
      readonly kind: 'test'
      readonly configFile: string | undefined
      readonly regexesFile: string | undefined
      readonly test: TestChoice
    }
  | {
      readonly kind: 'replay'
      readonly configFile: string | undefined
      readonly regexesFile: string | undefined
      /** The server whose history is replayed. */
      readonly control: ControlChoice
      readonly choice: ReplayChoice
    }

/** What the program's own options leave behind, by commander's names. */
interface ProgramOptions {
  readonly client?: string | true
  readonly config?: string
  readonly regexes?: string
  readonly server?: true
  readonly daemon?: true
  readonly docker?: true
  readonly execute?: string
  readonly control?: string
  readonly keyFile?: string
  readonly facility?: SyslogFacility
  readonly loglevel?: number
  readonly logFormat: LogFormat
  readonly logFile?: string
  readonly pidFile?: string
  readonly recover?: true
  readonly verbose?: true
}

type Subcommand =
  | { readonly name: 'check'; readonly file: string | undefined }
  | { readonly name: 'report'; readonly report: ReportChoice }
  | { readonly name: 'dump'; readonly database: string }
  | { readonly name: 'simulate'; readonly choice: SimulateChoice }
  | { readonly name: 'demo'; readonly choice: DemoChoice }
  | { readonly name: 'alerts'; readonly alerts: AlertsChoice }
  | { readonly name: 'notify-test'; readonly sink: string }
  | { readonly name: 'test'; readonly test: TestChoice }
  | { readonly name: 'replay'; readonly choice: ReplayChoice }

const SUBCOMMANDS: readonly string[] = [
  'check',
  'report',
  'dump',
  'simulate',
  'demo',
  'alerts',
  'notify-test',
  'test',
  'replay',
] satisfies readonly Subcommand['name'][]

interface Surroundings {
  readonly version: string
  /** Somebody sits at a terminal: both standard input and standard output are one. */
  readonly isTerminal: boolean
}

/** @param argv - the words after the program's name */
export function parseCommandLine(argv: readonly string[], surroundings: Surroundings): CommandLine {
  let output = ''
  let subcommand: Subcommand | undefined
  const program = programOptions(surroundings.version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => (output += text),
      writeErr: (text) => (output += text),
    })
    .action(() => undefined)
  addSubcommands(program, (chosen) => {
    subcommand = chosen
  })
  try {
    program.parse([...argv], { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return { kind: 'text', text: output }
    return usage(messageFor(error, argv))
  }
  const options = program.opts<ProgramOptions>()
  return subcommand === undefined
    ? withoutSubcommand(options, surroundings.isTerminal)
    : withSubcommand(options, subcommand)
}

/** Commander's message; a first word that is no command is better called that than an argument too many. */
function messageFor(error: CommanderError, argv: readonly string[]): string {
  const [first = ''] = argv
  const isUnknown = error.code === 'commander.excessArguments' && !first.startsWith('-')
  return isUnknown && !SUBCOMMANDS.includes(first)
    ? `there is no command ${JSON.stringify(first)}; there are ${SUBCOMMANDS.join(', ')}`
    : error.message.replace(/^error: /, '')
}

function programOptions(version: string): Command {
  return new Command('trackalert')
    .description('Watches logins for the long run: login reports in over HTTP, Lua policy, alerts out.')
    .version(`trackalert ${version}`, '--version')
    .option('-s, --server', 'run the server in the foreground, without a console')
    .option('-d, --daemon', 'run the server in the background')
    .option('-D, --docker', 'run the server in the foreground and log for a container')
    .option('-c, --client [file]', 'open a console on a running server; FILE is its configuration')
    .option('-e, --execute <command>', 'run one console command on a running server')
    .option('-C, --config <file>', `configuration file (default: ${DEFAULT_CONFIG_FILES.join(', else ')})`)
    .option('-R, --regexes <file>', 'user-agent rules tried before the built-in ones (default: regexes.yaml)')
    .option('--recover', 'set a damaged store aside and go on with what is intact of it')
    .option('--control <address>', 'where the running server listens for the console')
    .option('--key-file <file>', 'file that holds the key for the console')
    .option('--pid-file <file>', "write the server's process id into a file")
    .option('--log-file <file>', 'with -d: append the log to a file')
    .addOption(new Option('--log-format <format>', 'how log lines look').choices(LOG_FORMATS).default('text'))
    .addOption(
      new Option('-f, --facility <name>', 'facility of log lines in syslog, such as local0').argParser(
        facility,
      ),
    )
    .option('-l, --loglevel <number>', 'log what is at least so severe: 0 (emergency) to 7 (debug)', severity)
    .option('-v, --verbose', 'log debug and verbose messages; the same as -l 7')
}

function addSubcommands(program: Command, choose: (subcommand: Subcommand) => void): void {
  program
    .command('check')
    .description('find the mistakes in a configuration; nothing is started or changed')
    .argument('[file]', 'the configuration (default: that of -C)')
    .action((file: string | undefined) => choose({ name: 'check', file }))
  program.addCommand(
    reportCommand((report) => choose({ name: 'report', report })).copyInheritedSettings(program),
  )
  program
    .command('dump')
    .description('print a statistics database of a running server, a JSON object a line')
    .argument('<database>', 'its name, as newStringStatsDB has it')
    .action((database: string) => choose({ name: 'dump', database }))
  program.addCommand(
    simulateCommand((choice) => choose({ name: 'simulate', choice })).copyInheritedSettings(program),
  )
  program.addCommand(demoCommand((choice) => choose({ name: 'demo', choice })).copyInheritedSettings(program))
  program.addCommand(
    alertsCommand((alerts) => choose({ name: 'alerts', alerts })).copyInheritedSettings(program),
  )
  program
    .command('notify-test')
    .description('send a marked test through an alert sink of a running server and print the answer')
    .argument('<sink>', 'its name, as addAlertSink has it')
    .action((sink: string) => choose({ name: 'notify-test', sink }))
  program.addCommand(testCommand((test) => choose({ name: 'test', test })).copyInheritedSettings(program))
  program.addCommand(
    replayCommand((choice) => choose({ name: 'replay', choice })).copyInheritedSettings(program),
  )
}

function withoutSubcommand(options: ProgramOptions, isTerminal: boolean): CommandLine {
  const isClient = options.client !== undefined || options.execute !== undefined
  const servers = serverModesOf(options)
  if (isClient && servers.length > 0) {
    const client = options.client === undefined ? '-e' : '-c'
    return usage(`${client} talks to a server that runs, and ${servers[0]} starts one: give one of them`)
  }
  const unfitting = unfittingOption(options, isClient)
  if (unfitting !== undefined) return usage(unfitting)
  if (options.execute !== undefined) {
    return { kind: 'execute', control: controlChoice(options), line: options.execute }
  }
  if (isClient) return { kind: 'console', control: controlChoice(options) }
  if (options.daemon === true && servers.length > 1) {
    return usage(`-d goes to the background, and ${servers.find((mode) => mode !== '-d')} stays in front`)
  }
  if (servers.length === 0 && !isTerminal) {
    return usage('say -s to run the server; trackalert --help lists the options')
  }
  return { kind: 'serve', server: serverChoice(options, servers) }
}

function withSubcommand(options: ProgramOptions, subcommand: Subcommand): CommandLine {
  const mode = serverModesOf(options)[0] ?? (options.client === undefined ? undefined : '-c')
  const other = mode ?? (options.execute === undefined ? undefined : '-e')
  if (other !== undefined) return usage(`${subcommand.name} and ${other} are two commands: give one of them`)
  const unfitting = unfittingOption(options, isForServer(subcommand))
  if (unfitting !== undefined) return usage(unfitting)
  const { config: configFile } = options
  switch (subcommand.name) {
    case 'check':
      return { kind: 'check', configFile: subcommand.file ?? configFile }
    case 'report':
      return { kind: 'report', configFile, report: subcommand.report }
    case 'dump':
      return { kind: 'dump', control: controlChoice(options), database: subcommand.database }
    case 'simulate':
      return { kind: 'simulate', choice: subcommand.choice }
    case 'demo':
      return { kind: 'demo', choice: subcommand.choice }
    case 'alerts':
      return { kind: 'alerts', configFile, alerts: subcommand.alerts }
    case 'notify-test':
      return { kind: 'notify-test', control: controlChoice(options), sink: subcommand.sink }
    case 'test':
      return { kind: 'test', configFile, regexesFile: options.regexes, test: subcommand.test }
    case 'replay':
      return {
        kind: 'replay',
        configFile,
        regexesFile: options.regexes,
        control: controlChoice(options),
        choice: subcommand.choice,
      }
    default:
      return subcommand satisfies never
  }
}

/** Whether a command goes over the control socket. */
function isForServer(subcommand: Subcommand): boolean {
  const { name } = subcommand
  return (
    name === 'dump' || name === 'notify-test' || (name === 'replay' && subcommand.choice.files.length === 0)
  )
}

/** An option that would be without effect most likely means that something else was wanted. */
function unfittingOption(options: ProgramOptions, isClient: boolean): string | undefined {
  if (!isClient && (options.control !== undefined || options.keyFile !== undefined)) {
    return '--control and --key-file go with -c, -e, dump, notify-test and replay --history; a server has controlSocket() and setKey()'
  }
  if (options.daemon !== true && options.logFile !== undefined) {
    return '--log-file goes with -d; otherwise the log is on standard output'
  }
  if (options.pidFile !== undefined && isClient) return '--pid-file goes with -s, -d and -D'
  return undefined
}

function serverModesOf({ server, daemon, docker }: ProgramOptions): readonly string[] {
  const modes: readonly (readonly [option: string, isGiven: true | undefined])[] = [
    ['-s', server],
    ['-d', daemon],
    ['-D', docker],
  ]
  return modes.filter(([, isGiven]) => isGiven === true).map(([option]) => option)
}

function serverChoice(options: ProgramOptions, modes: readonly string[]): ServerChoice {
  const foreground = modes.length === 0 ? 'console' : 'foreground'
  const level = levelOfSeverity(options.loglevel ?? 6)
  return {
    mode: options.daemon === true ? 'daemon' : foreground,
    configFile: options.config,
    regexesFile: options.regexes,
    recover: options.recover === true,
    log: {
      level: options.verbose === true ? 'debug' : level,
      format: options.logFormat,
      facility: options.facility,
      timestamps: options.docker === true,
    },
    pidFile: options.pidFile,
    logFile: options.logFile,
  }
}

function controlChoice({ client, config, control, keyFile }: ProgramOptions): ControlChoice {
  // As with the reference, the configuration may follow -c itself.
  return { configFile: typeof client === 'string' ? client : config, address: control, keyFile }
}

function severity(text: string): number {
  if (/^[0-7]$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It is a number from 0 to 7.')
}

function facility(text: string): SyslogFacility {
  const known = SYSLOG_FACILITIES.find((name) => name === text.toLowerCase())
  if (known !== undefined) return known
  throw new InvalidArgumentError(`There are ${SYSLOG_FACILITIES.join(', ')}.`)
}

function usage(message: string): CommandLine {
  return { kind: 'usage', message }
}
