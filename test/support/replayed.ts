/** What `trackalert replay --format json` printed, as tests look at it. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { runProgram } from './program.ts'

export interface ReplayedAlert {
  readonly id: number
  readonly rule: string
  readonly key: string
  readonly count: number
  readonly first: number
  readonly last: number
  readonly [field: string]: unknown
}

interface ReplayedConfiguration {
  readonly file: string
  readonly alerts: readonly ReplayedAlert[]
  readonly rules: readonly Readonly<Record<string, unknown>>[]
  readonly failed_runs: number
  readonly failures: readonly Readonly<Record<string, unknown>>[]
  readonly background_runs: number
  readonly background_gaps: number
  readonly webhooks: number
  readonly judgement?: Readonly<Record<string, unknown>>
}

export interface Replayed {
  readonly reports: number
  readonly late: number
  readonly seconds: number
  readonly bad_lines: { readonly count: number; readonly first: readonly unknown[] }
  readonly configurations: readonly ReplayedConfiguration[]
  readonly difference?: {
    readonly both: number
    readonly only_first: readonly ReplayedAlert[]
    readonly only_second: readonly ReplayedAlert[]
  }
}

/** Runs the command, which must end with this status and say nothing on standard error. */
export async function replayed(
  t: TestContext,
  words: readonly string[],
  options: { readonly cwd: string; readonly input?: string; readonly status?: number },
): Promise<Replayed> {
  const { code, stdout, stderr } = await runProgram(t, ['replay', '--format', 'json', ...words], options)
  assert.deepEqual({ code, stderr }, { code: options.status ?? 0, stderr: '' })
  return JSON.parse(stdout) as Replayed
}

/** The only configuration of a replay. */
export function only({ configurations }: Replayed): ReplayedConfiguration {
  const [first] = configurations
  assert.ok(first !== undefined && configurations.length === 1)
  return first
}
