/**
 * Tells systemd how the service is: ready, reloading, stopping, and alive as long as it is (sd_notify(3)). Main thread.
 *
 * Node has no datagram sockets of the Unix domain, so systemd's own program systemd-notify carries each message. When it
 * fails, the server goes on: one warning says what systemd does not know now.
 */
import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
import { messageOf } from '../errors.ts'
import type { Log } from '../telemetry/log.ts'
import { startWatchdog } from './watchdog.ts'

export interface ServiceNotifyDeps {
  readonly log: Log
  /** The parts without which the server does nothing answer; asked only when systemd wants to know. */
  readonly isAlive: () => Promise<boolean>
}

export interface ServiceNotifyOptions {
  /** NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID as systemd sets them, and PATH. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly pid: number
}

/** Each resolves when systemd has taken the message, or cannot be told. They never reject. */
export interface ServiceNotify {
  /** The listeners are up; also at the end of a reload, whatever came of it. */
  readonly ready: () => Promise<void>
  readonly reloading: () => Promise<void>
  readonly stopping: () => Promise<void>
}

const PROGRAM = 'systemd-notify'
/** Where it is where PATH says nothing. */
const USUAL_FOLDERS = ['/usr/bin', '/bin'] as const
/** systemd-notify itself waits five seconds for systemd to take a message. */
const DEADLINE_MS = 10_000
const ERROR_TEXT_LENGTH = 500

const nothing = async (): Promise<void> => undefined

/** Does nothing where systemd has not asked to be told. */
export function createServiceNotify(deps: ServiceNotifyDeps, options: ServiceNotifyOptions): ServiceNotify {
  const { environment, pid } = options
  const socket = environment['NOTIFY_SOCKET']
  if (socket === undefined || socket === '') return { ready: nothing, reloading: nothing, stopping: nothing }

  const program = findProgram(environment['PATH'] ?? '')
  let hasWarned = false
  const tell = async (...message: readonly string[]): Promise<void> => {
    try {
      if (program === undefined) throw new Error(`there is no program ${PROGRAM} in the folders of PATH`)
      await run(program, message, socket)
    } catch (error) {
      if (!hasWarned) {
        deps.log.warn('systemd could not be told how the service is; it may take it for failed', {
          message: message[0],
          error: messageOf(error),
        })
      }
      hasWarned = true
    }
  }
  let last = Promise.resolve()
  // One after another: what is told last is what systemd believes.
  const inTurn = (...message: readonly string[]): Promise<void> => {
    last = last.then(() => tell(...message))
    return last
  }

  let stopWatchdog: (() => void) | undefined
  return {
    ready() {
      const limitMs = watchdogLimitMs(environment, pid)
      if (limitMs !== undefined) {
        stopWatchdog ??= startWatchdog({ ...deps, tell: () => inTurn('WATCHDOG=1') }, limitMs)
      }
      return inTurn('READY=1')
    },
    reloading: () => inTurn('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`),
    stopping() {
      stopWatchdog?.()
      return inTurn('STOPPING=1')
    },
  }
}

/** After how long without a sign of life systemd ends the process; undefined when it does not watch this one. */
function watchdogLimitMs(
  environment: Readonly<Record<string, string | undefined>>,
  pid: number,
): number | undefined {
  const watched = environment['WATCHDOG_PID']
  if (watched !== undefined && watched !== String(pid)) return undefined
  const limitUs = Number(environment['WATCHDOG_USEC'])
  return Number.isSafeInteger(limitUs) && limitUs > 0 ? limitUs / 1000 : undefined
}

function findProgram(path: string): string | undefined {
  const folders = [...path.split(delimiter), ...USUAL_FOLDERS]
  return folders
    .filter((folder) => isAbsolute(folder))
    .map((folder) => join(folder, PROGRAM))
    .find(isExecutable)
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** @throws Error when it does not end well within the deadline. */
function run(program: string, message: readonly string[], socket: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, message, {
      env: { NOTIFY_SOCKET: socket },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    // Node's own time limit for a child goes on when it could not be started.
    const timer = setTimeout(() => child.kill('SIGKILL'), DEADLINE_MS)
    const fail = (reason: string): void => reject(new Error(`${program} ${reason}`))
    let errorText = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errorText = (errorText + text).slice(0, ERROR_TEXT_LENGTH)
    })
    child.once('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      if (code === 0) resolve()
      else fail(signal === null ? `ended with ${code}: ${errorText.trim()}` : `was ended by ${signal}`)
    })
  })
}
