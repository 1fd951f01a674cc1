/** A control socket with a Lua state behind it, as small as a server with a console can be. */
import { randomBytes } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { createControlServer, type ControlServer } from '../../src/control/control-server.ts'
import { createLuaState } from '../../src/lua/lua-state.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { NO_SOURCES } from './metric-sources.ts'
import { silentLog } from './silent-log.ts'

export interface ConsoleServer {
  readonly port: number
  /** Base64. */
  readonly key: string
  /** With a configuration that leads to the server. */
  readonly folder: string
  readonly configFile: string
  /** Lines that came, in their order, but for empty ones. */
  readonly lines: readonly string[]
  /** Resolves when this line has come. */
  readonly lineCame: (line: string) => Promise<void>
  /** Closes the socket and every connection. */
  readonly stop: () => Promise<void>
  /** Opens it again at the same place. */
  readonly restart: () => Promise<void>
}

/** @param names - what the console offers for completion */
export async function startConsoleServer(
  t: TestContext,
  names: readonly string[] = ['stats', 'showACL', 'showVersion', 'string.format', '"Logins"'],
): Promise<ConsoleServer> {
  const folder = await mkdtemp(join(tmpdir(), 'trackalert-console-'))
  const key = randomBytes(32)
  const lines: string[] = []
  const arrivals = new EventEmitter()
  let printed = ''
  const lua = createLuaState({
    functions: [
      {
        name: 'consoleNames',
        usage: 'consoleNames()',
        summary: 'Names for completion.',
        scope: 'anywhere',
        run: () => `${names.join('\n')}\n`,
      },
      {
        name: 'wait',
        usage: 'wait()',
        summary: 'Answers when nobody waits any more.',
        scope: 'anywhere',
        run: () =>
          new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), 3_600_000).unref()),
      },
    ],
    types: [],
    mode: 'configuration',
    clock: Date.now,
    moduleFolder: folder,
    limits: { wallMs: 3_600_000 },
    print: (text) => (printed += text),
  })
  const runLine = async (line: string): Promise<string> => {
    if (line !== '') lines.push(line)
    arrivals.emit('line')
    printed = ''
    const asExpression = await lua.runText(`return ${line}`, 'console')
    const isExpression = asExpression.ok || !/near/.test(asExpression.error.message)
    const outcome = isExpression ? asExpression : await lua.runText(line, 'console')
    if (!outcome.ok) return `Error: ${outcome.error.message}`
    const [value] = outcome.values
    return typeof value === 'string' || typeof value === 'number' ? String(value) : printed
  }
  const metrics = createMetrics(NO_SOURCES)
  const create = (port: number): ControlServer =>
    createControlServer({ runLine, log: silentLog, now: Date.now, metrics }, { host: '127.0.0.1', port, key })
  let server = create(0)
  const { port } = await server.start()
  const configFile = join(folder, 'trackalert.conf')
  const keyText = key.toString('base64')
  writeFileSync(configFile, `controlSocket("127.0.0.1:${port}")\nsetKey("${keyText}")\n`)
  t.after(async () => {
    // First: it ends what still runs.
    lua.close()
    await server.stop(0)
    await rm(folder, { recursive: true })
  })
  return {
    port,
    key: keyText,
    folder,
    configFile,
    lines,
    async lineCame(line) {
      while (!lines.includes(line)) await once(arrivals, 'line', { signal: AbortSignal.timeout(10_000) })
    },
    stop: async () => void (await server.stop(0)),
    async restart() {
      server = create(port)
      await server.start()
    },
  }
}
