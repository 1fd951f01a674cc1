/**
 * Console commands from a pipe or a file, one after another, without a prompt. Main thread of the client.
 */
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { goesOn, isFailure } from './chunk.ts'
import type { CommandRunner } from './command-runner.ts'
import { EXIT, type ExitStatus } from './exit-status.ts'

interface PipeDeps {
  readonly input: Readable
  readonly runner: CommandRunner
  /** Takes answers, each with a line end. */
  readonly write: (text: string) => void
}

/**
 * Runs every line; a chunk may have several. One that fails does not keep the others from running.
 *
 * @returns 0 when every command succeeded, else 1
 * @throws TrackError TRK_CONTROL_* when the server cannot be asked any more.
 */
export async function runPipedCommands({ input, runner, write }: PipeDeps): Promise<ExitStatus> {
  let status: ExitStatus = EXIT.ok
  let chunk: string[] = []
  /** What the server said of the chunk so far. */
  let pending = ''
  const finish = (reply: string): void => {
    write(`${reply}\n`)
    if (isFailure(reply)) status = EXIT.failed
    chunk = []
  }
  for await (const line of createInterface({ input, terminal: false, crlfDelay: Infinity })) {
    if (chunk.length === 0 && line.trim() === '') continue
    if (chunk.length === 0 && line.trim() === 'quit') break
    chunk.push(line)
    pending = await runner.run(chunk.join('\n'))
    if (!goesOn(pending)) finish(pending)
  }
  if (chunk.length > 0) finish(pending)
  return status
}
