/**
 * One run of a script, in a process group of its own, within a time limit and with its output bounded. Main thread.
 *
 * running → ended by itself; or told to end (SIGTERM to the group) → ended, or killed (SIGKILL to the group). What the
 * script has started in the background goes with the group when the time is up, and is left alone otherwise.
 */
import { Buffer } from 'node:buffer'
import { spawn, type ChildProcess } from 'node:child_process'
import { messageOf } from '../../../errors.ts'

export interface ScriptRun {
  readonly argv: readonly [string, ...string[]]
  readonly folder: string
  readonly uid: number | undefined
  readonly gid: number | undefined
  readonly environment: Readonly<Record<string, string>>
  readonly input: Uint8Array
  readonly timeoutMs: number
  /** Ends the script before its time. */
  readonly signal: AbortSignal
}

export type ScriptEnd =
  | { readonly kind: 'exit'; readonly status: number; readonly output: string }
  /** By a signal that was not ours. */
  | { readonly kind: 'signal'; readonly signal: string; readonly output: string }
  /** We ended it: its time was up, or the server stops. */
  | { readonly kind: 'ended'; readonly output: string }
  | { readonly kind: 'not-started'; readonly reason: string }

/** What is kept of standard output and standard error together; the rest is read and thrown away. */
const MAX_OUTPUT_BYTES = 4096
/** Between SIGTERM and SIGKILL. */
const GRACE_MS = 2_000
/** For output that is still on its way when the process has ended. */
const OUTPUT_GRACE_MS = 100

/** Never rejects. Ends at most `GRACE_MS` after the time limit. */
export function runScript(run: ScriptRun): Promise<ScriptEnd> {
  let child: ChildProcess
  try {
    child = spawn(run.argv[0], run.argv.slice(1), {
      cwd: run.folder,
      env: run.environment,
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(run.uid === undefined ? {} : { uid: run.uid }),
      ...(run.gid === undefined ? {} : { gid: run.gid }),
    })
  } catch (error) {
    return Promise.resolve({ kind: 'not-started', reason: messageOf(error) })
  }
  return watch(child, run)
}

function watch(child: ChildProcess, { input, timeoutMs, signal }: ScriptRun): Promise<ScriptEnd> {
  return new Promise((resolve) => {
    const output = collectOutput(child)
    let isEnding = false
    let killTimer: NodeJS.Timeout | undefined
    const end = (): void => {
      if (isEnding) return
      isEnding = true
      signalGroup(child, 'SIGTERM')
      killTimer = setTimeout(() => signalGroup(child, 'SIGKILL'), GRACE_MS)
    }
    const timer = setTimeout(end, timeoutMs)
    const settle = (result: ScriptEnd): void => {
      clearTimeout(timer)
      clearTimeout(killTimer)
      signal.removeEventListener('abort', end)
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy()
      resolve(result)
    }
    signal.addEventListener('abort', end)
    if (signal.aborted) end()
    child.on('error', (error) => {
      if (child.pid === undefined) settle({ kind: 'not-started', reason: messageOf(error) })
    })
    child.on('exit', (status, ownSignal) => {
      // The leader is gone; what of its group outlived our SIGTERM has no more time than it had.
      if (isEnding) signalGroup(child, 'SIGKILL')
      // A process in the background may hold the output open for ever.
      const grace = setTimeout(finish, OUTPUT_GRACE_MS)
      child.on('close', finish)
      function finish(): void {
        clearTimeout(grace)
        settle(scriptEnd({ isEnding, status, ownSignal, output: output() }))
      }
    })
    // A script need not read its input, and may close its output.
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.on('error', () => undefined)
    child.stdin?.end(input)
  })
}

interface HowItEnded {
  readonly isEnding: boolean
  readonly status: number | null
  readonly ownSignal: string | null
  readonly output: string
}

function scriptEnd({ isEnding, status, ownSignal, output }: HowItEnded): ScriptEnd {
  if (isEnding) return { kind: 'ended', output }
  if (status !== null) return { kind: 'exit', status, output }
  return { kind: 'signal', signal: ownSignal ?? 'unknown signal', output }
}

function collectOutput(child: ChildProcess): () => string {
  const chunks: Buffer[] = []
  let length = 0
  const keep = (chunk: Buffer): void => {
    if (length >= MAX_OUTPUT_BYTES) return
    const kept = chunk.subarray(0, MAX_OUTPUT_BYTES - length)
    chunks.push(kept)
    length += kept.length
  }
  child.stdout?.on('data', keep)
  child.stderr?.on('data', keep)
  return () => Buffer.concat(chunks).toString()
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, signal)
  } catch {
    // ESRCH: the whole group is gone, which is what was wanted.
  }
}
