/**
 * A program in a terminal of its own (a pty, made by util-linux's script), typed at and read from as a person would.
 */
import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from 'node:child_process'
import type { TestContext } from 'node:test'
import { stripVTControlCharacters } from 'node:util'

const DEADLINE_MS = 20_000

/** Why there can be no terminal here; false when there can. */
export const NO_TERMINAL: string | false =
  process.platform === 'linux' && spawnSync('script', ['--version']).status === 0
    ? false
    : 'there is no script of util-linux, which makes terminals'

export const KEY = { ctrlC: '\u0003', ctrlD: '\u0004', tab: '\t', up: '\u001B[A', enter: '\r' } as const

interface TerminalOptions {
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
}

export class Terminal {
  readonly #child: ChildProcessWithoutNullStreams
  /** Status of the program. */
  readonly exited: Promise<number | null>
  #raw = ''
  #watch: () => void = () => undefined
  /** Up to here `waitFor` has read. */
  #seen = 0

  /** @param command - as a shell takes it */
  constructor(t: TestContext, command: string, { env = {}, cwd }: TerminalOptions = {}) {
    this.#child = spawn('script', ['--quiet', '--return', '--flush', '--command', command, '/dev/null'], {
      env: { ...process.env, TERM: 'xterm', ...env },
      cwd,
    })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.setEncoding('utf8')
      stream.on('data', (text: string) => {
        this.#raw += text
        this.#watch()
      })
    }
    this.#child.stdin.on('error', () => undefined)
    this.exited = new Promise((resolve) => {
      this.#child.once('close', (code) => {
        this.#watch()
        resolve(code)
      })
    })
    t.after(async () => {
      if (this.#child.exitCode === null) this.#child.kill('SIGKILL')
      await this.exited
    })
  }

  /** With the control sequences. */
  get raw(): string {
    return this.#raw
  }

  /** Everything shown so far, as text. */
  get output(): string {
    return stripVTControlCharacters(this.#raw).replaceAll('\r', '')
  }

  type(text: string): void {
    this.#child.stdin.write(text)
  }

  /** Waits for what matches behind the last match. */
  async waitFor(pattern: RegExp): Promise<RegExpExecArray> {
    const { promise, resolve, reject } = Promise.withResolvers<RegExpExecArray>()
    const timer = setTimeout(
      () =>
        reject(new Error(`${String(pattern)} was not shown; shown was:\n${this.output.slice(this.#seen)}`)),
      DEADLINE_MS,
    )
    this.#watch = () => {
      const match = pattern.exec(this.output.slice(this.#seen))
      if (match === null) return
      this.#seen += match.index + match[0].length
      resolve(match)
    }
    this.#watch()
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      this.#watch = () => undefined
    }
  }
}
