/**
 * The options of `trackalert test`. Pure but for commander.
 */
import { Command } from 'commander'

export interface TestChoice {
  /** Folder or file; undefined: the configuration's folder. */
  readonly path: string | undefined
  readonly filter: string
  readonly junitFile: string | undefined
  readonly coverage: boolean
  readonly lcovFile: string | undefined
}

interface GivenOptions {
  readonly filter?: string
  readonly junit?: string
  readonly coverage?: true
  readonly lcov?: string
}

export function testCommand(choose: (test: TestChoice) => void): Command {
  return new Command('test')
    .description('run the tests of a policy; no server is needed or touched')
    .argument('[dir]', 'folder with files *_test.lua, or one file (default: that of the configuration)')
    .option('--filter <text>', 'only tests with this in their name')
    .option('--junit <file>', 'write the results as JUnit XML')
    .option('--coverage', 'say which lines of Lua never ran')
    .option('--lcov <file>', 'write the coverage as an LCOV file')
    .action((path: string | undefined, options: GivenOptions) =>
      choose({
        path,
        filter: options.filter ?? '',
        junitFile: options.junit,
        coverage: options.coverage === true,
        lcovFile: options.lcov,
      }),
    )
}
