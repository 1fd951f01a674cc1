/**
 * Runs the lines of a console in the server of this process. Main thread.
 */
import { TrackError } from '../errors.ts'
import type { CommandRunner } from './command-runner.ts'

/** How the log names whoever sits at the server's own terminal. */
const PEER = 'terminal'

export function createLocalRunner(runLine: (line: string, peer: string) => Promise<string>): CommandRunner {
  let giveUp: (() => void) | undefined
  return {
    run(line) {
      return new Promise((resolve, reject) => {
        giveUp = () =>
          reject(
            new TrackError(
              'TRK_CONTROL_CLOSED',
              'you did not wait for the answer; the command may still run',
            ),
          )
        runLine(line, PEER).then(resolve, reject)
      })
    },
    interrupt: () => giveUp?.(),
    close: () => undefined,
  }
}
