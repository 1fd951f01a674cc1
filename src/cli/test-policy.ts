/**
 * `trackalert test`: the tests of a policy, from the command line. Main thread.
 */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { runPolicyTests } from '../policy-test/run-policy-tests.ts'
import type { CommandLine } from './command-line.ts'
import { EXIT, type ExitStatus } from './exit-status.ts'
import type { Surroundings } from './surroundings.ts'

interface TestDeps {
  /** The absolute path of a configuration, or of the default one. */
  readonly configFileOf: (given: string | undefined) => string
  readonly ownRegexesFile: string
}

/** @returns 0 when there are tests and all of them pass. */
export async function testPolicy(
  { configFile: given, regexesFile, test }: Extract<CommandLine, { readonly kind: 'test' }>,
  { environment, output, enterFolder }: Surroundings,
  { configFileOf, ownRegexesFile }: TestDeps,
): Promise<ExitStatus> {
  const configFile = configFileOf(given)
  const absolute = (file: string | undefined): string | undefined => file && resolve(file)
  const options = {
    path: absolute(test.path),
    // Without -C, tests may do without a configuration.
    configFile: given !== undefined || existsSync(configFile) ? configFile : undefined,
    filter: test.filter,
    junitFile: absolute(test.junitFile),
    coverage: test.coverage,
    lcovFile: absolute(test.lcovFile),
    regexesFile: resolve(regexesFile ?? ownRegexesFile),
    environment,
    workingFolder: resolve('.'),
  }
  if (options.configFile !== undefined) enterFolder(options.configFile)
  const passed = await runPolicyTests(options, (text) => void output.write(text))
  return passed ? EXIT.ok : EXIT.failed
}
