#!/usr/bin/env node
/**
 * argv → the server. The only file that reads the environment, changes the working directory and ends the process.
 */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command, CommanderError } from 'commander'
import { keepCompiledCode } from './app/compile-cache.ts'
import { messageOf } from './errors.ts'
import { createLog } from './telemetry/log.ts'

const DEFAULT_CONFIG_FILES = ['/etc/wforce/trackalert.conf', '/etc/trackalert.conf'] as const
/** Everything in flight has this long to end, then the process does. */
const STOP_DEADLINE_MS = 10_000

const EXIT = { ok: 0, failed: 1, usage: 2 } as const

interface CommandLine {
  readonly server?: true
  readonly config?: string
  readonly regexes?: string
  readonly recover?: true
  readonly verbose?: true
}

async function main(): Promise<void> {
  const version = packageVersion()
  const program = new Command('trackalert')
    .description('Watches logins for the long run: login reports in over HTTP, Lua policy, alerts out.')
    .version(`trackalert ${version}`, '--version')
    .option('-s, --server', 'run the server in the foreground')
    .option('-C, --config <file>', `configuration file (default: ${DEFAULT_CONFIG_FILES.join(', else ')})`)
    .option('-R, --regexes <file>', 'user-agent rules tried before the built-in ones (default: regexes.yaml)')
    .option('--recover', 'set a damaged store aside and go on with what is intact of it')
    .option('-v, --verbose', 'log debug and verbose messages')
    .exitOverride()
  try {
    program.parse()
  } catch (error) {
    // Commander has printed the message; --help and --version end here too.
    const isMistake = error instanceof CommanderError && error.exitCode !== 0
    process.exit(isMistake ? EXIT.usage : EXIT.ok)
  }
  const options = program.opts<CommandLine>()
  if (options.server !== true) {
    process.stderr.write('trackalert: say -s to run the server; trackalert --help lists the options\n')
    process.exit(EXIT.usage)
  }
  await serve(options, version)
}

async function serve(options: CommandLine, version: string): Promise<void> {
  // Whoever read the log may be gone, such as a pager or a journal that restarts; reports go on without it.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
  const log = createLog({
    level: options.verbose === true ? 'debug' : 'info',
    write: (line) => process.stdout.write(line),
  })
  try {
    const configFile = resolve(options.config ?? defaultConfigFile())
    const regexesFile = resolve(options.regexes ?? fileURLToPath(new URL('../regexes.yaml', import.meta.url)))
    // Files that the configuration names are relative to its own folder.
    if (existsSync(configFile)) process.chdir(dirname(configFile))
    const stateDirectoryFromEnvironment = process.env['STATE_DIRECTORY']
    keepCompiledCode({ configFile, stateDirectoryFromEnvironment, environment: process.env })
    // The first who asks decides; a policy may ask before everything is up.
    const stopAsked = Promise.withResolvers<string>()
    // Loaded only now, so that its compiled code is kept too.
    const { createApp } = await import('./app/create-app.ts')
    const app = await createApp({
      configFile,
      regexesFile,
      version,
      stateDirectoryFromEnvironment,
      environment: { ...process.env },
      log,
      recover: options.recover === true,
      onShutdownRequested: () => stopAsked.resolve('the policy asked for it'),
    })
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => stopAsked.resolve(signal))
    }

    log.info('stopping', { why: await stopAsked.promise })
    // What could not be finished in time is in the log; to have been asked to stop is no failure.
    await app.stop(STOP_DEADLINE_MS)
    log.info('stopped')
    process.exit(EXIT.ok)
  } catch (error) {
    process.stderr.write(`trackalert: ${messageOf(error)}\n`)
    process.exit(EXIT.failed)
  }
}

function defaultConfigFile(): string {
  return DEFAULT_CONFIG_FILES.find((file) => existsSync(file)) ?? DEFAULT_CONFIG_FILES[0]
}

function packageVersion(): string {
  // It is beside src and dist alike.
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the file is ours
  return (JSON.parse(text) as { readonly version: string }).version
}

await main()
