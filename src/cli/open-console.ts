/**
 * A console on this process's terminal, with the user's history. Main thread.
 */
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { CommandRunner } from './command-runner.ts'
import { Console } from './console.ts'
import { HistoryFile } from './history-file.ts'
import type { Surroundings } from './surroundings.ts'

const HISTORY_NAME = '.trackalert_history'

export function openConsole(
  runner: CommandRunner,
  { input, output, environment }: Pick<Surroundings, 'input' | 'output' | 'environment'>,
): Console {
  return new Console({
    input,
    output,
    runner,
    history: new HistoryFile(join(environment['HOME'] ?? homedir(), HISTORY_NAME)),
    hasColours: output.isTTY === true && (environment['NO_COLOR'] ?? '') === '',
  })
}
