/**
 * `trackalert check`: every mistake of a configuration, one a line, and what its author most likely did not mean.
 */
import { warningsOf } from '../app/options-from-settings.ts'
import { inspectConfiguration } from '../config/inspect-configuration.ts'
import type { Inspection, Mistake } from '../config/inspection.ts'
import { settingsFrom, type Settings } from '../config/settings.ts'
import { messageOf } from '../errors.ts'
import { EXIT, type ExitStatus } from './exit-status.ts'

interface CheckOptions {
  /** Absolute path. */
  readonly configFile: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly write: (text: string) => void
}

/** @returns 0 when a server would start with the file, as far as can be told without starting one. */
export async function checkConfiguration({
  configFile,
  environment,
  write,
}: CheckOptions): Promise<ExitStatus> {
  let inspection: Inspection
  try {
    inspection = await inspectConfiguration({
      mode: 'check',
      configFile,
      stateDirectoryFromEnvironment: environment['STATE_DIRECTORY'],
      environment,
    })
  } catch (error) {
    write(`${configFile}: ${messageOf(error)}\n`)
    return EXIT.failed
  }
  const { lines, isGood } = findings(inspection, configFile)
  for (const line of lines) write(`${line}\n`)
  return isGood ? EXIT.ok : EXIT.failed
}

/** The lines to print. Pure. */
function findings(
  inspection: Inspection,
  configFile: string,
): { readonly lines: readonly string[]; readonly isGood: boolean } {
  const mistakes = inspection.mistakes.map((mistake) => mistakeLine(mistake, configFile))
  const checked = checkedSettings(inspection)
  if (typeof checked === 'string') mistakes.push(`${configFile}: ${checked}`)
  if (mistakes.length === 0 && typeof checked !== 'string') {
    const warnings = [...warningsOf(checked), ...controlWarnings(inspection)]
    const lines = warnings.map((warning) => `${configFile}: warning: ${warning}`)
    return { lines: [...lines, `${configFile}: no mistakes found`], isGood: true }
  }
  const ending = inspection.ranToEnd
    ? []
    : [`${configFile}: the file ended at an error; what comes after it has not been looked at`]
  const count = `${configFile}: ${mistakes.length} ${mistakes.length === 1 ? 'mistake' : 'mistakes'}`
  return { lines: [...mistakes, ...ending, count], isGood: false }
}

function mistakeLine({ file, line, message }: Mistake, configFile: string): string {
  return file === undefined ? `${configFile}: ${message}` : `${file}:${line}: ${message}`
}

/** The settings, or what is wrong with them as a whole. */
function checkedSettings({ raw }: Inspection): Settings | string {
  try {
    return settingsFrom(raw)
  } catch (error) {
    return messageOf(error)
  }
}

function controlWarnings({ controlSocket, controlKey }: Inspection): readonly string[] {
  if (controlSocket !== null && controlKey === null)
    return ['controlSocket() without setKey(): the console cannot be used']
  if (controlSocket === null && controlKey !== null)
    return ['setKey() without controlSocket(): the console cannot be used']
  return []
}
