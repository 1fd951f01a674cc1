/**
 * `trackalert test`: finds the files of policy tests, runs them, and says what failed and which lines of Lua never ran.
 * Main thread of the command; no server is needed or touched.
 */
import { existsSync, globSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { junitReport } from './junit-report.ts'
import { coveredLines, lcovOf, LineCounter, uncoveredRanges, type FileCoverage } from './line-coverage.ts'
import { runTestFile, type FileResult } from './run-test-file.ts'

export interface PolicyTestOptions {
  /** Absolute path of a folder or of one file of tests; undefined: the folder of the configuration. */
  readonly path: string | undefined
  /** Absolute path of the configuration whose policy is tested; undefined: the tests set one themselves. */
  readonly configFile: string | undefined
  /** Only tests whose name contains this; empty: all. */
  readonly filter: string
  /** Absolute path of the JUnit XML file to write. */
  readonly junitFile: string | undefined
  readonly coverage: boolean
  /** Absolute path of the LCOV file to write; goes with coverage. */
  readonly lcovFile: string | undefined
  readonly regexesFile: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Names of files are printed relative to it. */
  readonly workingFolder: string
}

const TEST_FILES = '**/*_test.lua'

/** @returns whether there were tests and all passed */
export async function runPolicyTests(
  options: PolicyTestOptions,
  write: (text: string) => void,
): Promise<boolean> {
  const folderOrFile =
    options.path ?? (options.configFile === undefined ? options.workingFolder : dirname(options.configFile))
  if (!existsSync(folderOrFile)) {
    write(`there is no ${folderOrFile}\n`)
    return false
  }
  const isFolder = statSync(folderOrFile).isDirectory()
  const folder = isFolder ? folderOrFile : dirname(folderOrFile)
  const files = isFolder ? luaFiles(folder, TEST_FILES) : [folderOrFile]
  if (files.length === 0) {
    write(`there is no file ${TEST_FILES} in ${folder}\n`)
    return false
  }
  const counter = options.coverage || options.lcovFile !== undefined ? new LineCounter() : undefined
  const results = await runFiles(files, folder, { options, counter, write })
  if (options.junitFile !== undefined) writeFileSync(options.junitFile, junitReport(results))
  if (counter !== undefined) {
    const covered = coverageOf(counter, folder)
    if (options.lcovFile !== undefined) writeFileSync(options.lcovFile, lcovOf(covered))
    write(coverageText(covered, options.workingFolder))
  }
  return writeSummary(results, options.filter, write)
}

interface Running {
  readonly options: PolicyTestOptions
  readonly counter: LineCounter | undefined
  readonly write: (text: string) => void
}

async function runFiles(
  files: readonly string[],
  folder: string,
  { options, counter, write }: Running,
): Promise<readonly FileResult[]> {
  const results: FileResult[] = []
  for (const file of files) {
    let printed = ''
    const result = await runTestFile(file, {
      ...options,
      folder,
      print: (text) => (printed += text),
      onLine: counter?.onLine,
    })
    results.push(result)
    if (result.tests.length === 0) continue
    write(fileText({ ...result, file: relative(options.workingFolder, file) }))
    const hasFailed = result.tests.some(({ failure }) => failure !== undefined)
    if (hasFailed && printed !== '')
      write(`  what was printed and logged:\n${indent(printed.trimEnd(), 4)}\n`)
  }
  return results
}

function fileText({ file, tests }: FileResult): string {
  const lines = tests.map(({ name, failure }) =>
    failure === undefined ? `  ok   ${name}\n` : `  FAIL ${name}\n${indent(failure, 7)}\n`,
  )
  return `${file}\n${lines.join('')}`
}

function writeSummary(
  results: readonly FileResult[],
  filter: string,
  write: (text: string) => void,
): boolean {
  const tests = results.flatMap((result) => result.tests)
  const failed = tests.filter(({ failure }) => failure !== undefined).length
  if (tests.length === 0) {
    write(filter === '' ? 'no test is defined\n' : `no test has ${JSON.stringify(filter)} in its name\n`)
    return false
  }
  const ms = tests.reduce((total, { durationMs }) => total + durationMs, 0)
  const count = `${tests.length} ${tests.length === 1 ? 'test' : 'tests'}`
  write(`${count}, ${failed === 0 ? 'all passed' : `${failed} failed`}, ${(ms / 1000).toFixed(1)} s\n`)
  return failed === 0
}

/** The folder's own files, also those that no test loaded, and whatever else ran. */
function coverageOf(counter: LineCounter, folder: string): readonly FileCoverage[] {
  const files = new Set([...luaFiles(folder, '**/*.lua'), ...counter.files()])
  const covered = [...files]
    .filter((file) => !file.endsWith('_test.lua') && existsSync(file))
    .map((file) => counter.coverageOf(file, readFileSync(file)))
  return covered.toSorted((a, b) => (a.file < b.file ? -1 : 1))
}

function coverageText(files: readonly FileCoverage[], workingFolder: string): string {
  const lines = files.map((file) => {
    const ran = coveredLines(file)
    const percent = file.lines.size === 0 ? 100 : Math.floor((ran / file.lines.size) * 1000) / 10
    const missing = ran === file.lines.size ? '' : `  not run: ${uncoveredRanges(file)}`
    return `  ${percent.toFixed(1).padStart(5)} %  ${relative(workingFolder, file.file)}${missing}\n`
  })
  return `lines that ran:\n${lines.join('')}`
}

function luaFiles(folder: string, pattern: string): readonly string[] {
  return globSync(pattern, { cwd: folder, exclude: ['**/node_modules/**'] })
    .toSorted()
    .map((name) => join(folder, name))
}

function indent(text: string, width: number): string {
  return text
    .split('\n')
    .map((line) => `${' '.repeat(width)}${line}`)
    .join('\n')
}
