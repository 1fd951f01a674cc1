/**
 * The processes of a measurement: the server from source, the yardstick, and the client that loads them.
 */
import { fork, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { BASE_CONFIGURATION, basicAuth, ServerProcess } from '../support/server-process.ts'
import type { LoadOrder, LoadResult } from './load-messages.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const START_DEADLINE_MS = 60_000
/** Reports that nobody runs for so long are a fault. */
const BACKLOG_DEADLINE_MS = 120_000
const BACKLOG_LOOK_MS = 5

/** A load client; one serves all scenarios, so that its own code is warm. */
export class LoadClient {
  readonly #child: ChildProcess

  constructor() {
    this.#child = forked('load-client-child.ts')
  }

  /** @throws Error when a connection broke. */
  async run(order: Omit<LoadOrder, 'authorization'>): Promise<LoadResult> {
    const ended = new AbortController()
    const onExit = (): void => ended.abort(new Error('the load client has ended'))
    this.#child.once('exit', onExit)
    this.#child.send({ ...order, authorization: basicAuth() } satisfies LoadOrder)
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the client sends nothing else
    const [result] = (await once(this.#child, 'message', { signal: ended.signal })) as [LoadResult]
    this.#child.off('exit', onExit)
    return result
  }

  close(): void {
    this.#child.kill()
  }
}

export interface RawServer {
  readonly pid: number
  readonly url: string
  readonly close: () => void
}

/** @param waitMs it answers after so many milliseconds. */
export async function startRawServer(waitMs = 0): Promise<RawServer> {
  const child = forked('raw-server-child.ts', String(waitMs))
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- its address is all that it says
  const [url] = (await once(child, 'message')) as [string]
  return { pid: child.pid ?? 0, url, close: () => child.kill() }
}

function forked(file: string, ...args: readonly string[]): ChildProcess {
  return fork(fileURLToPath(new URL(file, import.meta.url)), args)
}

export interface BenchServer {
  readonly pid: number
  readonly url: string
  /** Milliseconds from the start of the process to its line `ready`. */
  readonly readyMs: number
  /** Resolves with the Unix milliseconds at which every report was run and committed. */
  readonly backlogEmpty: () => Promise<number>
  readonly stop: () => Promise<void>
}

/** Starts the server with an empty state directory, which goes when it stops; `policy` comes after listener and password. */
export async function startBenchServer(policy: string): Promise<BenchServer> {
  const folder = await makeFolder()
  const server = await startIn(folder, policy)
  return {
    ...server,
    async stop() {
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Starts and stops the server in one folder, so that it finds what it kept: the milliseconds of each start to `ready`. */
export async function startAgainAndAgain(policy: string, times: number): Promise<readonly number[]> {
  const folder = await makeFolder()
  const startsMs: number[] = []
  for (let count = 0; count < times; count++) {
    const server = await startIn(folder, policy)
    startsMs.push(server.readyMs)
    await server.stop()
  }
  await rm(folder, { recursive: true, force: true })
  return startsMs
}

function makeFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'trackalert-bench-'))
}

async function startIn(folder: string, policy: string): Promise<BenchServer> {
  const configuration = join(folder, 'trackalert.conf')
  await writeFile(configuration, `${BASE_CONFIGURATION}setMetricsNoPassword()\n${policy}`)
  const startedMs = performance.now()
  const child = spawn(process.execPath, [MAIN, '-s', '-C', configuration], { cwd: folder })
  const server = new ServerProcess(folder, child)
  await server.waitFor(/ info {2}ready: /, START_DEADLINE_MS)
  const readyMs = performance.now() - startedMs
  return {
    pid: child.pid ?? 0,
    url: server.url,
    readyMs,
    backlogEmpty: () => backlogEmpty(server),
    stop: async () => {
      await server.stop()
    },
  }
}

/** The server's own count; a report that was acknowledged is in it until its outcome is committed. */
async function backlogEmpty(server: ServerProcess): Promise<number> {
  const endMs = performance.now() + BACKLOG_DEADLINE_MS
  for (;;) {
    const atMs = performance.timeOrigin + performance.now()
    const metrics = await (await server.get('/metrics')).text()
    if (/^trackalert_backlog_reports 0$/m.test(metrics)) return atMs
    if (performance.now() > endMs) throw new Error('reports are left that are not run')
    await sleep(BACKLOG_LOOK_MS)
  }
}
