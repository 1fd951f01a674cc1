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
import { firstLine } from '../support/first-line.ts'
import { MAIN } from '../support/program.ts'
import { BASE_CONFIGURATION, basicAuth, ServerProcess } from '../support/server-process.ts'
import type { LoadOrder, LoadResult } from './load-messages.ts'

const START_DEADLINE_MS = 60_000
/** Reports that nobody runs for so long are a fault. */
const BACKLOG_DEADLINE_MS = 300_000
const SHORTEST_LOOK_MS = 5
const LONGEST_LOOK_MS = 1_000

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
  const folder = await makeBenchFolder()
  const server = await startServerIn(folder, policy)
  return {
    ...server,
    async stop() {
      await server.stop()
      await removeBenchFolder(folder)
    },
  }
}

/** For a server that is to find what an earlier one kept, in `state` there. */
export function makeBenchFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'trackalert-bench-'))
}

export function removeBenchFolder(folder: string): Promise<void> {
  return rm(folder, { recursive: true, force: true })
}

/** Starts the server as operators do, by its first line, in a folder where it stays what it was when it has stopped. */
export async function startServerIn(folder: string, policy: string): Promise<BenchServer> {
  const configuration = join(folder, 'trackalert.conf')
  await writeFile(configuration, `${BASE_CONFIGURATION}setMetricsNoPassword()\n${policy}`)
  const startedMs = performance.now()
  const { nodeOptions, environment } = firstLine()
  const child = spawn(process.execPath, [...nodeOptions, MAIN, '-s', '-C', configuration], {
    cwd: folder,
    env: { ...process.env, ...environment },
  })
  const server = new ServerProcess(folder, child)
  try {
    await server.waitFor(/ info {2}ready: /, START_DEADLINE_MS)
  } catch (error) {
    await server.stop('SIGKILL')
    throw error
  }
  const readyMs = performance.now() - startedMs
  const { url } = server
  // A line for each report is read, as somebody must, and not kept.
  child.stdout.removeAllListeners('data').resume()
  return {
    pid: child.pid ?? 0,
    url,
    readyMs,
    backlogEmpty: () => backlogEmpty(url),
    stop: async () => {
      await server.stop()
    },
  }
}

/**
 * The server's own count; a report that was acknowledged is in it until its outcome is committed. Failed runs are no speed. A look costs the server
 * about as much as ten reports, so there are few: each waits for half of the time that what is left will take.
 */
async function backlogEmpty(url: string): Promise<number> {
  const endMs = performance.now() + BACKLOG_DEADLINE_MS
  let before: { readonly atMs: number; readonly left: number } | undefined
  for (;;) {
    const atMs = performance.timeOrigin + performance.now()
    const metrics = await (await fetch(new URL('/metrics', url))).text()
    const failed = Number(/^trackalert_failed_reports (\d+)$/m.exec(metrics)?.[1])
    if (failed > 0) throw new Error(`the runs of ${failed} reports have failed`)
    const left = Number(/^trackalert_backlog_reports (\d+)$/m.exec(metrics)?.[1])
    if (left === 0) return atMs
    if (performance.now() > endMs) throw new Error(`${left} reports are left that are not run`)
    const perMs = before === undefined ? 0 : (before.left - left) / (atMs - before.atMs)
    const restMs = perMs > 0 ? left / perMs : 0
    before = { atMs, left }
    await sleep(Math.min(Math.max(restMs / 2, SHORTEST_LOOK_MS), LONGEST_LOOK_MS))
  }
}
