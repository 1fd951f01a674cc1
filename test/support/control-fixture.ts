/** A control server that echoes, with a record of what it told the rest of the server. */
import { randomBytes } from 'node:crypto'
import type { TestContext } from 'node:test'
import {
  createControlServer,
  type ControlServer,
  type ControlServerDeps,
  type ControlServerOptions,
} from '../../src/control/control-server.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { NO_SOURCES } from './metric-sources.ts'
import { rememberingLog, type RememberedLine } from './silent-log.ts'

export const KEY = randomBytes(32)

export interface ControlFixture {
  readonly server: ControlServer
  readonly port: number
  readonly lines: readonly string[]
  readonly refused: readonly string[]
  readonly logins: readonly string[]
  readonly log: readonly RememberedLine[]
  /** The sum of a metric over its labels. */
  readonly metric: (name: string) => Promise<number>
}

export async function startControl(
  t: TestContext,
  options: Partial<ControlServerOptions> = {},
  deps: Partial<ControlServerDeps> = {},
): Promise<ControlFixture> {
  const lines: string[] = []
  const refused: string[] = []
  const logins: string[] = []
  const { log, lines: logged } = rememberingLog()
  const metrics = createMetrics(NO_SOURCES)
  const server = createControlServer(
    {
      async runLine(line) {
        lines.push(line)
        return `<${line}>`
      },
      log,
      now: Date.now,
      metrics,
      onLogin: (peer) => logins.push(peer),
      onRefused: (reason) => refused.push(reason),
      ...deps,
    },
    { host: '127.0.0.1', port: 0, key: KEY, ...options },
  )
  const { port } = await server.start()
  t.after(() => server.stop(0))
  const metric = async (name: string): Promise<number> => {
    const values = (await metrics.registry.getSingleMetric(name)?.get())?.values ?? []
    return values.reduce((sum, { value }) => sum + value, 0)
  }
  return { server, port, lines, refused, logins, log: logged, metric }
}
