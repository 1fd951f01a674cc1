#!/usr/bin/env -S MALLOC_ARENA_MAX=2 node --max-semi-space-size=8
/**
 * argv → what to do. The only file that reads the environment, changes the working directory and ends the process. Each
 * command is loaded when it is asked for: a client need not wait for the server's parts.
 *
 * The first line says what can only be said before Node starts, and saves memory: malloc shares what threads have given
 * back, and the main thread's young generation has a quarter of what V8 would give it. Without it all works as well.
 */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { keepCompiledCode } from './app/compile-cache.ts'
import { collectEarlier } from './app/heap-growth.ts'
import {
  DEFAULT_CONFIG_FILES,
  parseCommandLine,
  type CommandLine,
  type ServerChoice,
} from './cli/command-line.ts'
import { DAEMON_VARIABLE, startDaemon, type DaemonNews } from './cli/daemon.ts'
import { EXIT, type ExitStatus } from './cli/exit-status.ts'
import type { Surroundings } from './cli/surroundings.ts'
import { messageOf } from './errors.ts'
import { isJournal, neverWaitForReader } from './telemetry/standard-output.ts'

/** What was written has so long to get out at the end. */
const LAST_WORDS_MS = 3_000

const IS_DAEMON_CHILD = process.env[DAEMON_VARIABLE] !== undefined
// Neither the configuration nor a program that the server starts shall take it for its own.
delete process.env[DAEMON_VARIABLE]

const OWN_CONFIG_FILE = fileURLToPath(new URL('../conf/trackalert.conf', import.meta.url))
const OWN_REGEXES_FILE = fileURLToPath(new URL('../regexes.yaml', import.meta.url))

function surroundings(): Surroundings {
  return {
    version: packageVersion(),
    environment: { ...process.env },
    input: process.stdin,
    output: process.stdout,
    outputIsJournal: isJournal(1, process.env['JOURNAL_STREAM']),
    errors: process.stderr,
    enterFolder(file) {
      if (existsSync(file)) process.chdir(dirname(file))
    },
  }
}

async function run(commandLine: CommandLine, around: Surroundings): Promise<ExitStatus> {
  switch (commandLine.kind) {
    case 'text':
      process.stdout.write(commandLine.text)
      return EXIT.ok
    case 'usage':
      process.stderr.write(`trackalert: ${commandLine.message}\n`)
      return EXIT.usage
    case 'serve':
      return commandLine.server.mode === 'daemon' && !IS_DAEMON_CHILD
        ? await daemonize(commandLine.server, around)
        : await serve(commandLine.server, around)
    case 'console':
    case 'execute':
    case 'check':
    case 'report':
    case 'dump':
    case 'alerts':
    case 'notify-test': {
      // Whoever reads may have seen enough, such as head; the commands look whether the stream can still be written.
      process.stdout.on('error', () => undefined)
      const { runClient } = await import('./cli/run-client.ts')
      return await runClient(commandLine, around, configFileOf)
    }
    case 'simulate': {
      process.stdout.on('error', () => undefined)
      const { writeSimulation } = await import('./cli/simulate.ts')
      const writeError = (text: string): void => void process.stderr.write(`trackalert: ${text}`)
      return await writeSimulation(commandLine.choice, { output: process.stdout, writeError })
    }
    case 'demo': {
      process.stdout.on('error', () => undefined)
      const { runDemo } = await import('./demo/run-demo.ts')
      return await runDemo(commandLine.choice, {
        surroundings: around,
        configFile: OWN_CONFIG_FILE,
        regexesFile: OWN_REGEXES_FILE,
        onStopSignal,
      })
    }
    case 'test': {
      const { testPolicy } = await import('./cli/test-policy.ts')
      return await testPolicy(commandLine, around, { configFileOf, ownRegexesFile: OWN_REGEXES_FILE })
    }
    case 'replay': {
      process.stdout.on('error', () => undefined)
      const { replayReports } = await import('./cli/replay.ts')
      return await replayReports(commandLine, around, { configFileOf, ownRegexesFile: OWN_REGEXES_FILE })
    }
    default:
      return commandLine satisfies never
  }
}

async function daemonize(server: ServerChoice, { environment }: Surroundings): Promise<ExitStatus> {
  await startDaemon({
    command: [process.execPath, ...process.execArgv, ...process.argv.slice(1)],
    environment,
    logFile: server.logFile === undefined ? undefined : resolve(server.logFile),
  })
  return EXIT.ok
}

async function serve(server: ServerChoice, around: Surroundings): Promise<ExitStatus> {
  // Whoever read the log may be gone, such as a pager or a journal that restarts; reports go on without it.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
  neverWaitForReader(process.stdout)
  collectEarlier()
  const configFile = configFileOf(server.configFile)
  keepCompiledCode({
    configFile,
    stateDirectoryFromEnvironment: process.env['STATE_DIRECTORY'],
    environment: process.env,
  })
  // Loaded only now, so that its compiled code is kept too; the threads first, which load theirs meanwhile.
  const { startThreadsAhead } = await import('./app/server-threads.ts')
  const threads = startThreadsAhead()
  const { runServer } = await import('./cli/run-server.ts')
  return await runServer(server, {
    surroundings: around,
    configFile,
    ownRegexesFile: OWN_REGEXES_FILE,
    pid: process.pid,
    threads,
    onStopSignal,
    onReloadSignal(listener) {
      process.on('SIGHUP', listener)
    },
    onExit(listener) {
      process.on('exit', listener)
    },
    tellParent: IS_DAEMON_CHILD ? tellParent : undefined,
  })
}

function onStopSignal(listener: (signal: string) => void): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => listener(signal))
}

/** The parent may be gone, and with it the channel. */
function tellParent(news: DaemonNews): Promise<void> {
  return new Promise((done) => {
    if (process.send === undefined || !process.connected) {
      done()
      return
    }
    process.send(news, undefined, undefined, () => done())
    if (news.type === 'ready') process.channel?.unref()
  })
}

function configFileOf(given: string | undefined): string {
  // A container is told by its environment; set to nothing is as good as not set.
  const fromEnvironment = process.env['TRACKALERT_CONFIG_FILE'] || undefined
  return resolve(
    given ??
      fromEnvironment ??
      DEFAULT_CONFIG_FILES.find((file) => existsSync(file)) ??
      DEFAULT_CONFIG_FILES[0],
  )
}

function packageVersion(): string {
  // It is beside src and dist alike.
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the file is ours
  return (JSON.parse(text) as { readonly version: string }).version
}

const around = surroundings()
const isTerminal = process.stdin.isTTY && process.stdout.isTTY
try {
  const commandLine = parseCommandLine(process.argv.slice(2), { version: around.version, isTerminal })
  process.exitCode = await run(commandLine, around)
} catch (error) {
  process.stderr.write(`trackalert: ${messageOf(error)}\n`)
  process.exitCode = EXIT.failed
}
// Whatever is still open, such as a worker that does not end, must not keep the process; what was written gets out first.
process.stdout.write('', () => process.exit())
// Unless nobody takes it.
setTimeout(() => process.exit(), LAST_WORDS_MS)
