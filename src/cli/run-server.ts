/**
 * The server from start to stop, whatever it was started as: in front, with a console, or as the child of `-d`. Main
 * thread.
 */
import { resolve } from 'node:path'
import { createApp, type App } from '../app/create-app.ts'
import type { ServerThreads } from '../app/server-threads.ts'
import { createServiceNotify, type ServiceNotify } from '../app/service-notify.ts'
import { messageOf } from '../errors.ts'
import { lowerV8Threads } from '../thread-priorities.ts'
import { createServerLog, type ServerLog } from '../telemetry/server-log.ts'
import type { ServerChoice } from './command-line.ts'
import type { Console } from './console.ts'
import type { DaemonNews } from './daemon.ts'
import { EXIT, type ExitStatus } from './exit-status.ts'
import { createLocalRunner } from './local-runner.ts'
import { openConsole } from './open-console.ts'
import { writePidFile } from './pid-file.ts'
import type { Surroundings } from './surroundings.ts'

/** Everything in flight has this long to end, then the process does. */
const STOP_DEADLINE_MS = 10_000
/** And then the log, to be read. */
const LOG_DEADLINE_MS = 2_000

export interface ServerHost {
  readonly surroundings: Surroundings
  /** Absolute path. */
  readonly configFile: string
  /** The rules that come with the program; absolute path. */
  readonly ownRegexesFile: string
  readonly pid: number
  /** Started before this part of the program was loaded. */
  readonly threads: ServerThreads
  /** Calls back at the first signal that asks for the end, with its name. */
  readonly onStopSignal: (listener: (signal: string) => void) => void
  /** Calls back at every signal that asks to read the configuration again. */
  readonly onReloadSignal: (listener: () => void) => void
  /** Calls back when the process ends, also in a crash; nothing can be waited for any more. */
  readonly onExit: (listener: () => void) => void
  /** In the child of `-d`: tells the process that waits for it. */
  readonly tellParent: ((news: DaemonNews) => Promise<void>) | undefined
}

/** Resolves when the server has stopped, or could not start. */
export async function runServer(choice: ServerChoice, host: ServerHost): Promise<ExitStatus> {
  const { output: stream, outputIsJournal, environment } = host.surroundings
  const serverLog = createServerLog(choice.log, {
    stream,
    isJournal: outputIsJournal,
    environment,
    pid: host.pid,
  })
  host.onExit(serverLog.flush)
  try {
    await serve(choice, host, serverLog)
    await serverLog.close(LOG_DEADLINE_MS)
    return EXIT.ok
  } catch (error) {
    await serverLog.close(LOG_DEADLINE_MS)
    const message = messageOf(error)
    host.surroundings.errors.write(`trackalert: ${message}\n`)
    await host.tellParent?.({ type: 'failed', message })
    return EXIT.failed
  }
}

async function serve(choice: ServerChoice, host: ServerHost, serverLog: ServerLog): Promise<void> {
  const { surroundings, configFile } = host
  const { log } = serverLog
  let console: Console | undefined
  const regexesFile = choice.regexesFile === undefined ? host.ownRegexesFile : resolve(choice.regexesFile)
  // Before the folder changes, of which the file's name may be relative.
  const removePidFile =
    choice.pidFile === undefined ? undefined : writePidFile(resolve(choice.pidFile), host.pid)
  try {
    surroundings.enterFolder(configFile)
    // The first who asks decides; a policy may ask before everything is up.
    const stopAsked = Promise.withResolvers<string>()
    let onReload = (): void => undefined
    // From the beginning, since the signal ends a process that does not listen; a start reads the file anyway.
    host.onReloadSignal(() => onReload())
    const app = await createApp({
      configFile,
      regexesFile,
      version: surroundings.version,
      stateDirectoryFromEnvironment: surroundings.environment['STATE_DIRECTORY'],
      environment: surroundings.environment,
      log,
      logLinesDropped: serverLog.dropped,
      threads: host.threads,
      recover: choice.recover,
      onShutdownRequested: () => stopAsked.resolve('the policy asked for it'),
    })
    lowerV8Threads()
    const service = createServiceNotify(
      { log, isAlive: app.isAlive },
      { environment: surroundings.environment, pid: host.pid },
    )
    onReload = () => void reload(app, service)
    host.onStopSignal((signal) => stopAsked.resolve(signal))
    await service.ready()
    // Whoever is told, or sees the prompt, may look into the log at once.
    serverLog.flush()
    await host.tellParent?.({ type: 'ready' })
    if (choice.mode === 'console') {
      console = openConsole(createLocalRunner(app.runLine), surroundings)
      serverLog.divert(console.print.bind(console))
      void console.left.then(() => stopAsked.resolve('the console was left'))
    }

    log.info('stopping', { why: await stopAsked.promise })
    void service.stopping()
    // What could not be finished in time is in the log; to have been asked to stop is no failure.
    await app.stop(STOP_DEADLINE_MS)
    log.info('stopped')
  } finally {
    console?.close()
    removePidFile?.()
  }
}

/** systemd is told when it begins and when it has ended, whatever came of it. */
async function reload(app: App, service: ServiceNotify): Promise<void> {
  await service.reloading()
  await app.reload()
  await service.ready()
}
