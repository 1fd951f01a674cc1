/** The program as a command that ends by itself: its status and everything that it wrote. */
import { spawn, spawnSync } from 'node:child_process'
import { closeSync, existsSync, openSync } from 'node:fs'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

export const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

const DEADLINE_MS = 60_000

export interface ProgramResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

interface ProgramOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly input?: string
}

export async function runProgram(
  t: TestContext,
  args: readonly string[],
  { cwd, env = {}, input }: ProgramOptions = {},
): Promise<ProgramResult> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd,
    env: { ...process.env, ...env },
    timeout: DEADLINE_MS,
    killSignal: 'SIGKILL',
  })
  t.after(() => child.kill('SIGKILL'))
  const result = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8')
    child[name].on('data', (text: string) => (result[name] += text))
  }
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, ...result }
}

/** A disk that is full, for standard output. */
export const FULL_DISK = '/dev/full'
/** Why a test that needs it is skipped; false where it is there. */
export const lacksFullDisk = existsSync(FULL_DISK) ? false : `there is no ${FULL_DISK}`

/** Runs the program with its output onto a disk that is full. */
export function runOntoFullDisk(
  args: readonly string[],
  cwd?: string,
): Pick<ProgramResult, 'code' | 'stderr'> {
  const output = openSync(FULL_DISK, 'w')
  try {
    const { status, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
      cwd,
      stdio: ['ignore', output, 'pipe'],
      encoding: 'utf8',
      timeout: DEADLINE_MS,
      killSignal: 'SIGKILL',
    })
    return { code: status, stderr }
  } finally {
    closeSync(output)
  }
}
