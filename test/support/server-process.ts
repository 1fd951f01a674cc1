/**
 * The real server as a child process: started from source with a configuration of the test's, stopped and cleaned up
 * when the test ends.
 */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
/** Stands for the configuration file's path in `args`. */
export const CONFIGURATION = 'CONF'

const START_DEADLINE_MS = 60_000
/** Compiling takes a third of a start, and there are hundreds; each new state directory has a cache of its own otherwise. */
const COMPILED_CODE = fileURLToPath(new URL('../../node_modules/.cache/compiled-tests', import.meta.url))
const LINE_DEADLINE_MS = 15_000

export const PASSWORD = 'a secret: with a colon'

/** A listener on a free port and a password; tests add their policy. */
export const BASE_CONFIGURATION = `
addListener("127.0.0.1:0", false, "", "", {})
setWebserverPassword(${JSON.stringify(PASSWORD)})
`

export interface ServerOptions {
  /** The configuration file's text. */
  readonly configuration: string
  /** Further files beside it, by name. */
  readonly files?: Readonly<Record<string, string>>
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Folder of an earlier server, whose state this one finds. */
  readonly folder?: string
}

export interface ExitStatus {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A process that was started, whether or not it became a server. */
export class ServerProcess {
  readonly folder: string
  readonly child: ChildProcessWithoutNullStreams
  readonly exited: Promise<ExitStatus>
  /** Everything written so far, both streams. */
  output = ''
  readonly #watchers = new Set<() => void>()

  constructor(folder: string, child: ChildProcessWithoutNullStreams) {
    this.folder = folder
    this.child = child
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8')
      stream.on('data', (text: string) => {
        this.output += text
        for (const watch of this.#watchers) watch()
      })
    }
    this.exited = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        for (const watch of this.#watchers) watch()
        resolve({ code, signal })
      })
    })
  }

  /** The first match of the pattern in the output, waiting for it. */
  async waitFor(pattern: RegExp, deadlineMs = LINE_DEADLINE_MS): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        clearTimeout(timer)
        this.#watchers.delete(look)
      }
      const look = (): void => {
        const match = pattern.exec(this.output)
        if (match !== null) {
          finish()
          resolve(match)
        } else if (this.child.exitCode !== null) {
          finish()
          reject(
            new Error(`the server ended without printing ${String(pattern)}; it printed:\n${this.output}`),
          )
        }
      }
      const timer = setTimeout(() => {
        finish()
        reject(new Error(`the server did not print ${String(pattern)}; it printed:\n${this.output}`))
      }, deadlineMs)
      this.#watchers.add(look)
      look()
    })
  }

  /** URLs of the listeners, in the order of the configuration. */
  get urls(): readonly string[] {
    return Array.from(this.output.matchAll(/listening: url="([^"]+)"/g), (match) => match[1] ?? '')
  }

  get url(): string {
    const [first] = this.urls
    if (first === undefined) throw new Error(`no listener is up; the server printed:\n${this.output}`)
    return first
  }

  /** POSTs to a path with the password; objects are sent as JSON. */
  post(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    return fetch(new URL(path, this.url), {
      method: 'POST',
      headers: { authorization: basicAuth(), 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
  }

  get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    return fetch(new URL(path, this.url), { headers: { authorization: basicAuth(), ...headers } })
  }

  /** Sends a signal and waits for the end. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<ExitStatus> {
    this.child.kill(signal)
    return this.exited
  }
}

export function basicAuth(password = PASSWORD, user = 'wforce'): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
}

/** Starts the process and does not wait for it. */
export async function spawnServer(t: TestContext, options: ServerOptions): Promise<ServerProcess> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'trackalert-test-')))
  await writeFile(join(folder, 'trackalert.conf'), options.configuration)
  for (const [name, text] of Object.entries(options.files ?? {})) await writeFile(join(folder, name), text)
  const configFile = join(folder, 'trackalert.conf')
  const args = (options.args ?? ['-s', '-C', CONFIGURATION]).map((arg) =>
    arg === CONFIGURATION ? configFile : arg,
  )
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: folder,
    env: { NODE_COMPILE_CACHE: COMPILED_CODE, ...process.env, ...options.env },
  })
  const server = new ServerProcess(folder, child)
  t.after(async () => {
    if (child.exitCode === null) child.kill('SIGKILL')
    await server.exited
    await rm(folder, { recursive: true, force: true })
  })
  return server
}

/** Starts the server and waits until it is ready. */
export async function startServer(t: TestContext, options: ServerOptions): Promise<ServerProcess> {
  const server = await spawnServer(t, options)
  await server.waitFor(/ info {2}ready: /, START_DEADLINE_MS)
  return server
}
