/** An HTTP server on a free port whose other side is a few functions of the test. */
import type { TestContext } from 'node:test'
import type { BoundAddress, HttpOptions, HttpPorts, RefusedKind } from '../../src/http/http-ports.ts'
import { createHttpServer, type HttpServer } from '../../src/http/http-server.ts'
import type { EndpointArguments } from '../../src/login/endpoint-arguments.ts'
import type { LoginReport } from '../../src/login/login-report.ts'
import { NetmaskGroup } from '../../src/login/netmask-group.ts'

export const PASSWORD = 'a secret: with a colon'
export const RECEIVED_AT_SECONDS = 1_750_000_000.5
export const STATS = {
  reports: 3,
  'user-msec': 20,
  'sys-msec': 10,
  uptime: 5,
  perfstats: { WTW_0_1: 3, WTR_0_1: 3 },
  commandstats: { report: 3 },
  customstats: { mine: 1 },
}

export interface HttpFixture {
  readonly server: HttpServer
  readonly addresses: readonly BoundAddress[]
  /** URL of the first listener. */
  readonly url: string
  /** What the ports were told, in order. */
  readonly reports: LoginReport[]
  readonly calls: { readonly name: string; readonly args: EndpointArguments }[]
  readonly commands: string[]
  readonly refused: { readonly kind: RefusedKind; readonly peer: string }[]
  readonly connections: number[]
  readonly internalErrors: unknown[]
}

export const LOOPBACK = { host: '127.0.0.1', port: 0, tls: null } as const

export function groupOf(...masks: readonly string[]): NetmaskGroup {
  const group = new NetmaskGroup()
  for (const mask of masks) group.addMask(mask)
  return group
}

/** The value of an Authorization header. */
export function basicAuth(password = PASSWORD, user = 'wforce'): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
}

/** Starts it; it stops with the test. Ports and options that are not given have harmless defaults. */
export async function startHttp(
  t: TestContext,
  options: Partial<HttpOptions> = {},
  ports: Partial<HttpPorts> = {},
): Promise<HttpFixture> {
  const seen = {
    reports: [] as LoginReport[],
    calls: [] as { readonly name: string; readonly args: EndpointArguments }[],
    commands: [] as string[],
    refused: [] as { readonly kind: RefusedKind; readonly peer: string }[],
    connections: [] as number[],
    internalErrors: [] as unknown[],
  }
  const server = createHttpServer(
    {
      submitReports(reports) {
        seen.reports.push(...reports)
        return Promise.resolve({ kind: 'accepted' })
      },
      askAlerts: () => Promise.resolve({ kind: 'alerts', alerts: [] }),
      endpointNames: () => new Set(['custom']),
      runEndpoint(name, args) {
        seen.calls.push({ name, args })
        return Promise.resolve({ kind: 'returned', success: true, attributes: { key: 'value "quoted"' } })
      },
      readiness: () => ({ ready: true }),
      stats: () => STATS,
      metrics: () => Promise.resolve({ contentType: 'text/plain; version=0.0.4', body: 'up 1\n' }),
      countCommand: (name) => seen.commands.push(name),
      onRefused: (kind, peer) => seen.refused.push({ kind, peer }),
      onConnections: (active) => seen.connections.push(active),
      onInternalError: (error) => seen.internalErrors.push(error),
      now: () => RECEIVED_AT_SECONDS * 1000,
      ...ports,
    },
    {
      listeners: [LOOPBACK],
      password: PASSWORD,
      acl: groupOf('127.0.0.0/8', '::1/128'),
      maxConnections: 100,
      bodyLimitBytes: 1024 * 1024,
      requestTimeoutMs: 10_000,
      headersTimeoutMs: 10_000,
      keepAliveTimeoutMs: 10_000,
      handlerTimeoutMs: 10_000,
      metricsNoPassword: false,
      ...options,
    },
  )
  t.after(() => server.stop(0))
  const addresses = await server.start()
  return { ...seen, server, addresses, url: addresses[0]?.url ?? '' }
}
