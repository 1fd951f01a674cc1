/**
 * All HTTP listeners of the server. Lives on the thread that takes requests; touches the rest of the server only
 * through HttpPorts.
 */
import { performance } from 'node:perf_hooks'
import { ConnectionLimit } from './connection-limit.ts'
import { createGate } from './gate.ts'
import type { BoundAddress, HttpOptions, HttpPorts, ListenerSettings } from './http-ports.ts'
import { Listener } from './listener.ts'
import { loadTls } from './load-tls.ts'

export interface HttpServer extends AsyncDisposable {
  /**
   * Opens every listener, or none. To be called once.
   *
   * @returns where they listen, in the order of the options.
   * @throws TrackError TRK_LISTEN_FAILED naming the address and what is wrong with it, its TLS files or options.
   */
  readonly start: () => Promise<readonly BoundAddress[]>
  /**
   * Stops accepting, closes idle connections at once, and gives requests in progress this long to finish. Further
   * calls wait for the first.
   *
   * @returns what was left undone, in words for the log; undefined when nothing was.
   */
  readonly stop: (deadlineMs: number) => Promise<string | undefined>
}

const DISPOSE_DEADLINE_MS = 1_000

export function createHttpServer(ports: HttpPorts, options: HttpOptions): HttpServer {
  const gate = createGate(ports, options)
  const limit = new ConnectionLimit(options.maxConnections, {
    onConnections: ports.onConnections,
    onDropped: (peer) => ports.onRefused('connections', peer),
  })
  const listeners: Listener[] = []
  let stopping: Promise<string | undefined> | undefined

  const start = async (): Promise<readonly BoundAddress[]> => {
    // Files are read before anything listens, so that a wrong one is found while nobody is connected yet.
    const plans = options.listeners.map((settings) => ({
      settings,
      tls: settings.tls === null ? undefined : loadTls(settings, settings.tls),
      ipv6Only: hasIPv4Twin(settings, options.listeners),
    }))
    const bound: BoundAddress[] = []
    try {
      for (const plan of plans) {
        const listener = new Listener({ ports, gate, limit }, options, plan)
        listeners.push(listener)
        bound.push(await listener.start(ports.onInternalError))
      }
    } catch (error) {
      await stop(0)
      throw error
    }
    return bound
  }

  const stop = (deadlineMs: number): Promise<string | undefined> => {
    stopping ??= stopAll(listeners, deadlineMs)
    return stopping
  }

  return { start, stop, [Symbol.asyncDispose]: async () => void (await stop(DISPOSE_DEADLINE_MS)) }
}

async function stopAll(listeners: readonly Listener[], deadlineMs: number): Promise<string | undefined> {
  const endMs = performance.now() + deadlineMs
  const cuts = await Promise.all(
    listeners.map((listener) => listener.stop(Math.max(0, endMs - performance.now()))),
  )
  const cut = cuts.reduce((sum, count) => sum + count, 0)
  return cut === 0 ? undefined : `${cut} connections with a request in progress were cut`
}

/** `::` takes IPv4 connections too, unless the configuration has `0.0.0.0` for them with the same port. */
function hasIPv4Twin(settings: ListenerSettings, all: readonly ListenerSettings[]): boolean {
  return settings.host === '::' && all.some(({ host, port }) => host === '0.0.0.0' && port === settings.port)
}
