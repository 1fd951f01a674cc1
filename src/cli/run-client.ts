/**
 * The commands that start no server. Main thread.
 */
import { isAbsolute, resolve } from 'node:path'
import { inspectConfiguration } from '../config/inspect-configuration.ts'
import type { Inspection } from '../config/inspection.ts'
import { messageOf, TrackError } from '../errors.ts'
import { checkConfiguration } from './check-configuration.ts'
import type { CommandLine, ControlChoice } from './command-line.ts'
import { EXIT, type ExitStatus } from './exit-status.ts'
import { sendReport } from './send-report.ts'
import type { Surroundings } from './surroundings.ts'

type ClientCommand = Extract<
  CommandLine,
  { readonly kind: 'console' | 'execute' | 'check' | 'report' | 'dump' }
>

/**
 * Does what was asked for.
 *
 * @param configFileOf - the absolute path of a configuration, or of the default one
 */
export async function runClient(
  command: ClientCommand,
  around: Surroundings,
  configFileOf: (given: string | undefined) => string,
): Promise<ExitStatus> {
  return EXIT.ok
}
