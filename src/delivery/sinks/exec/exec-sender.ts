/**
 * Runs a script for every notification. Main thread.
 */
import { textToBytes } from '../../../login/byte-string.ts'
import type { Attempt } from '../../sender.ts'
import { delivered, refused, tryAgain } from '../attempts.ts'
import type { Sink } from '../sink-port.ts'
import { execEnvironment } from './exec-environment.ts'
import type { ExecSink } from './exec-sink.ts'
import { runScript, type ScriptEnd } from './run-script.ts'

/** EX_TEMPFAIL of sysexits.h: come again. */
const TEMPORARY_FAILURE = 75

export function createExecSink(sink: ExecSink): Sink {
  const { argv, folder, uid, gid, timeoutMs, concurrency } = sink
  const closing = new AbortController()
  const running = new Set<Promise<ScriptEnd>>()
  return {
    concurrency,
    async notify([message]) {
      const run = runScript({
        argv,
        folder,
        uid,
        gid,
        timeoutMs,
        environment: execEnvironment(sink.name, message),
        input: textToBytes(message.body),
        signal: closing.signal,
      })
      running.add(run)
      const end = await run
      running.delete(run)
      return attemptOf(sink, end)
    },
    async close() {
      closing.abort()
      await Promise.all(running)
    },
  }
}

function attemptOf({ onFailure, timeoutMs }: ExecSink, end: ScriptEnd): Attempt {
  switch (end.kind) {
    case 'exit':
      if (end.status === 0) return delivered(withOutput('exit status 0', end.output))
      if (onFailure === 'give-up' && end.status !== TEMPORARY_FAILURE)
        return refused('refused', withOutput(`exit status ${end.status}`, end.output))
      return tryAgain('failed', withOutput(`exit status ${end.status}`, end.output))
    case 'signal':
      return tryAgain('failed', withOutput(`ended by ${end.signal}`, end.output))
    case 'ended':
      return tryAgain('timeout', withOutput(`ended after ${timeoutMs / 1000} s`, end.output))
    case 'not-started':
      return tryAgain('failed', `could not be started: ${end.reason}`)
    default:
      return end satisfies never
  }
}

function withOutput(text: string, output: string): string {
  return output.trim() === '' ? text : `${text}: ${output}`
}
