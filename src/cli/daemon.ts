/**
 * `-d`: a server that outlives the terminal. The process that was started waits until its child, which is in a session of
 * its own, is ready or has failed, and ends with what became of it. Main thread of both.
 *
 * Node cannot fork, so the child is the same program with the same words, told by its environment what it is.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { messageOf, TrackError } from '../errors.ts'

/** Set for the child, with this value, and removed by it before anything else runs. */
export const DAEMON_VARIABLE = 'TRACKALERT_DAEMON_CHILD'

/** Opening a large store takes a while; a child that takes longer than this would never be seen. */
const READY_DEADLINE_MS = 300_000

/** From the child to the process that waits for it. */
export type DaemonNews = { readonly type: 'ready' } | { readonly type: 'failed'; readonly message: string }

interface DaemonOptions {
  /** The words with which this process was started: Node, its options, the program, its words. */
  readonly command: readonly [program: string, ...words: string[]]
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Absolute path; undefined: output goes nowhere. */
  readonly logFile: string | undefined
}

/**
 * Starts the child and waits for it.
 *
 * @throws TrackError TRK_DAEMON when it did not become ready; it is gone then.
 */
export async function startDaemon({ command, environment, logFile }: DaemonOptions): Promise<void> {
  const [program, ...words] = command
  const log = logFile === undefined ? undefined : openLog(logFile)
  const output = log ?? ('ignore' as const)
  const child = spawn(program, words, {
    // A session of its own, without a terminal: what ends with the terminal does not reach it.
    detached: true,
    stdio: ['ignore', output, output, 'ipc'],
    env: { ...environment, [DAEMON_VARIABLE]: '1' },
  })
  if (log !== undefined) closeSync(log)
  const failure = await outcomeOf(child)
  if (failure !== undefined) {
    child.kill('SIGKILL')
    throw new TrackError('TRK_DAEMON', failure)
  }
  child.disconnect()
  child.unref()
}

function openLog(path: string): number {
  try {
    return openSync(path, 'a', 0o640)
  } catch (error) {
    throw new TrackError('TRK_DAEMON', `the log file cannot be opened: ${messageOf(error)}`, { cause: error })
  }
}

/** Why the child is not ready; undefined when it is. */
function outcomeOf(child: ChildProcess): Promise<string | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      resolve(`it was not ready after ${READY_DEADLINE_MS / 1000} s`)
    }, READY_DEADLINE_MS)
    const settle = (failure: string | undefined): void => {
      clearTimeout(timer)
      resolve(failure)
    }
    child.once('error', (error) => settle(error.message))
    child.once('exit', (code, signal) => settle(`it ended at once with ${signal ?? `status ${code}`}`))
    child.on('message', (news: DaemonNews) => {
      switch (news.type) {
        case 'ready':
          settle(undefined)
          return
        case 'failed':
          settle(news.message)
          return
        default:
          news satisfies never
      }
    })
  })
}
