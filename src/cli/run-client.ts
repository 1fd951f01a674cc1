/**
 * The commands that start no server. Main thread.
 */
import { inspectConfiguration } from '../config/inspect-configuration.ts'
import type { Inspection } from '../config/inspection.ts'
import { messageOf } from '../errors.ts'
import { runAlerts } from './alerts.ts'
import { checkConfiguration } from './check-configuration.ts'
import { isFailure } from './chunk.ts'
import type { CommandLine, ControlChoice } from './command-line.ts'
import { ControlSession } from './control-session.ts'
import { findControlTarget } from './control-target.ts'
import { dumpDatabase } from './dump-database.ts'
import { EXIT, type ExitStatus } from './exit-status.ts'
import { openConsole } from './open-console.ts'
import { PacedOutput } from './paced-output.ts'
import { runPipedCommands } from './piped-commands.ts'
import { sendReport } from './send-report.ts'
import { testSink } from './notify-test.ts'
import type { Surroundings } from './surroundings.ts'

type ClientCommand = Extract<
  CommandLine,
  { readonly kind: 'console' | 'execute' | 'check' | 'report' | 'dump' | 'alerts' | 'notify-test' }
>

/**
 * Does what was asked for.
 *
 * @param configFileOf - the absolute path of a configuration, or of the default one
 */
export async function runClient(
  command: ClientCommand,
  around: Surroundings,
  configFileOf: (given: string | undefined) => string,
): Promise<ExitStatus> {
  const write = (text: string): void => void around.output.write(text)
  const writeError = (text: string): void => void around.errors.write(`trackalert: ${text}`)
  if (command.kind === 'check') {
    const configFile = configFileOf(command.configFile)
    around.enterFolder(configFile)
    return await checkConfiguration({ configFile, environment: around.environment, write })
  }
  const session = async (control: ControlChoice, announce: (text: string) => void): Promise<ControlSession> =>
    new ControlSession(
      await findControlTarget(control, {
        environment: around.environment,
        inspect: () => inspect(around, configFileOf(control.configFile)),
      }),
      announce,
    )
  try {
    switch (command.kind) {
      case 'report': {
        const configFile = configFileOf(command.configFile)
        return await sendReport(command.report, {
          inspect: () => inspect(around, configFile),
          write,
          writeError,
        })
      }
      case 'execute':
        return await execute(await session(command.control, write), command.line, write)
      case 'console':
        return await converse(await session(command.control, write), around)
      case 'dump': {
        // Standard output is for the lines alone.
        const runner = await session(command.control, () => undefined)
        return await dumpDatabase(command.database, {
          runner,
          output: new PacedOutput(around.output),
          writeError,
        })
      }
      case 'alerts': {
        const configFile = configFileOf(command.configFile)
        const output = new PacedOutput(around.output)
        return await runAlerts(command.alerts, {
          inspect: () => inspect(around, configFile),
          write,
          writeError,
          isRead: () => output.failure === undefined,
          user: userOf(around),
        })
      }
      case 'notify-test': {
        const runner = await session(command.control, () => undefined)
        return await testSink(command.sink, { runner, write, writeError })
      }
      default:
        return command satisfies never
    }
  } catch (error) {
    writeError(`${messageOf(error)}\n`)
    return EXIT.unreachable
  }
}

/** What a client needs to know of the configuration; the environment is the server's as far as anyone can tell. */
function inspect({ environment, enterFolder }: Surroundings, configFile: string): Promise<Inspection> {
  enterFolder(configFile)
  return inspectConfiguration({
    mode: 'client',
    configFile,
    stateDirectoryFromEnvironment: environment['STATE_DIRECTORY'],
    environment,
  })
}

/** Whom an alert's history names. */
function userOf({ environment }: Surroundings): string {
  // Set to nothing is as good as not set.
  return environment['USER'] || environment['LOGNAME'] || 'trackalert'
}

async function execute(
  session: ControlSession,
  line: string,
  write: (text: string) => void,
): Promise<ExitStatus> {
  const reply = await session.run(line)
  session.close()
  write(`${reply}\n`)
  return isFailure(reply) ? EXIT.failed : EXIT.ok
}

async function converse(session: ControlSession, around: Surroundings): Promise<ExitStatus> {
  const { input, output, environment } = around
  await session.verify()
  try {
    if (input.isTTY !== true || output.isTTY !== true) {
      return await runPipedCommands({ input, runner: session, write: (text) => void output.write(text) })
    }
    await openConsole(session, { input, output, environment }).left
    return EXIT.ok
  } finally {
    session.close()
  }
}
