/**
 * `trackalert notify-test`: has a running server send a marked test through one of its alert sinks, and prints what the other
 * side answered. Main thread of the client.
 */
import { isFailure } from './chunk.ts'
import type { CommandRunner } from './command-runner.ts'
import { EXIT, type ExitStatus } from './exit-status.ts'
import { luaText } from './lua-text.ts'

interface NotifyTestDeps {
  readonly runner: Pick<CommandRunner, 'run' | 'close'>
  readonly write: (text: string) => void
  readonly writeError: (text: string) => void
}

/** Before the answer of a test that went well. */
const OK_MARK = '+'

/**
 * @returns 0 when the test was taken, 1 when it was not or there is no such sink.
 * @throws TrackError TRK_CONTROL_* when the server cannot be asked.
 */
export async function testSink(
  sink: string,
  { runner, write, writeError }: NotifyTestDeps,
): Promise<ExitStatus> {
  // Policy workers run the line as well, where testAlertSink answers nothing: it must not fail there.
  const reply = await runner.run(
    `local ok, said = testAlertSink(${luaText(sink)})\nreturn (ok and "${OK_MARK}" or "-") .. (said or "")`,
  )
  runner.close()
  if (isFailure(reply)) {
    writeError(`${reply}\n`)
    return EXIT.failed
  }
  const answer = reply.slice(1).trimEnd()
  if (reply.startsWith(OK_MARK)) {
    write(`${sink}: ${answer}\n`)
    return EXIT.ok
  }
  writeError(`${sink}: the test was not delivered: ${answer}\n`)
  return EXIT.failed
}
