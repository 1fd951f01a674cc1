/**
 * `trackalert dump`: a statistics database of a running server as lines of JSON, asked for part by part so that the server
 * and this process never hold all of it. Main thread of the client.
 */
import { isFailure } from './chunk.ts'
import type { CommandRunner } from './command-runner.ts'
import { EXIT, type ExitStatus } from './exit-status.ts'
import { luaText } from './lua-text.ts'
import type { PacedOutput } from './paced-output.ts'

/** Keys that one answer has at most; it ends earlier when they are large. */
const KEYS_PER_PART = 400

interface DumpDeps {
  readonly runner: Pick<CommandRunner, 'run'>
  readonly output: Pick<PacedOutput, 'write' | 'failure' | 'complaint'>
  readonly writeError: (text: string) => void
}

/**
 * @returns 0 when everything was written or nobody reads it any more, 1 when the server refused or it cannot be written.
 * @throws TrackError TRK_CONTROL_* when the server cannot be asked any more.
 */
export async function dumpDatabase(
  database: string,
  { runner, output, writeError }: DumpDeps,
): Promise<ExitStatus> {
  let after = ''
  do {
    const reply = await runner.run(
      `local lines, after = dumpStatsDB(${luaText(database)}, ${luaText(after)}, ${KEYS_PER_PART})\n` +
        `return (after or "") .. "\\n" .. lines`,
    )
    if (isFailure(reply)) {
      writeError(`${reply}\n`)
      return EXIT.failed
    }
    const end = reply.indexOf('\n')
    after = reply.slice(0, end)
    await output.write(reply.slice(end + 1))
    const complaint = output.complaint()
    if (complaint !== undefined) {
      writeError(`${complaint}\n`)
      return EXIT.failed
    }
    if (output.failure !== undefined) return EXIT.ok
  } while (after !== '')
  return EXIT.ok
}
