/**
 * Runs one file of policy tests in a Lua state of its own. Lives on the thread that runs the tests.
 */
import { readFileSync } from 'node:fs'
import { messageOf } from '../errors.ts'
import type { CallOutcome } from '../lua/calls.ts'
import { createTestState, type TestStateOptions } from './test-state.ts'

export interface TestResult {
  readonly name: string
  readonly durationMs: number
  /** Why it failed, with file and line; undefined when it passed. */
  readonly failure: string | undefined
}

export interface FileResult {
  readonly file: string
  readonly tests: readonly TestResult[]
}

interface RunFileOptions extends TestStateOptions {
  /** Only tests whose name contains this, in any case; empty: all. */
  readonly filter: string
}

/** A test of its own stands for what went wrong before any could be run. */
const LOADING = '(loading the file)'

/** Runs the tests of a file one after another; each begins with empty trends and no alerts. */
export async function runTestFile(file: string, options: RunFileOptions): Promise<FileResult> {
  const { configFile, filter } = options
  const state = await createTestState(options)
  try {
    for (const path of configFile === undefined ? [file] : [configFile, file]) {
      const failure = await timed(LOADING, async () =>
        failureOf(await state.runFile(readFileSync(path), path)),
      )
      if (failure.failure !== undefined) return { file, tests: [failure] }
    }
    const wanted = filter.toLowerCase()
    const tests: TestResult[] = []
    for (const test of state.tests()) {
      if (!test.name.toLowerCase().includes(wanted)) continue
      tests.push(await timed(test.name, async () => failureOf(await state.runTest(test))))
    }
    return { file, tests }
  } finally {
    state.close()
  }
}

async function timed(name: string, run: () => Promise<string | undefined>): Promise<TestResult> {
  const beganMs = performance.now()
  let failure: string | undefined
  try {
    failure = await run()
  } catch (error) {
    failure = messageOf(error)
  }
  return { name, durationMs: performance.now() - beganMs, failure }
}

function failureOf(outcome: CallOutcome): string | undefined {
  return outcome.ok ? undefined : outcome.error.message
}
