/**
 * All HTTP listeners of the server, and their exchange when the configuration has changed: what stays keeps its socket
 * and its connections. Lives on the thread that takes requests; touches the rest of the server only through HttpPorts.
 */
import { performance } from 'node:perf_hooks'
import { messageOf, TrackError } from '../errors.ts'
import { ConnectionLimit } from './connection-limit.ts'
import type { BoundAddress, HttpOptions, HttpPorts, ListenerSettings } from './http-ports.ts'
import { Listener, type ListenerPlan } from './listener.ts'
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
   * Gets ready to go by other options: reads their TLS files and opens the addresses that are new, which let in whom
   * the new options let in. Nothing else changes before `apply`. One at a time.
   *
   * @throws TrackError TRK_LISTEN_FAILED as at start; then nothing is left of the attempt.
   */
  readonly prepare: (options: HttpOptions) => Promise<PreparedHttp>
  /**
   * Stops accepting, closes idle connections at once, and gives requests in progress this long to finish. Further
   * calls wait for the first.
   *
   * @returns what was left undone, in words for the log; undefined when nothing was.
   */
  readonly stop: (deadlineMs: number) => Promise<string | undefined>
}

/** Other options, ready to be gone by. */
export interface PreparedHttp {
  /** Takes over at once. Listeners that the options lack are closed beside; requests in progress there may end. */
  readonly apply: () => ListenerChanges
  /** Closes what was opened. */
  readonly cancel: () => Promise<void>
}

interface ListenerChanges {
  readonly opened: readonly BoundAddress[]
  /** `http://127.0.0.1:8084` */
  readonly closed: readonly string[]
}

const DISPOSE_DEADLINE_MS = 1_000
/** For requests in progress on a listener that a new configuration lacks; the longest is a custom endpoint. */
const REMOVAL_DEADLINE_MS = 60_000

export function createHttpServer(ports: HttpPorts, options: HttpOptions): HttpServer {
  const limit = new ConnectionLimit(options.maxConnections, {
    onConnections: ports.onConnections,
    onDropped: (peer) => ports.onRefused('connections', peer),
  })
  let listeners: readonly Listener[] = []
  /** Closed for new connections, with requests in progress. */
  const leaving = new Set<Listener>()
  let stopping: Promise<string | undefined> | undefined

  const leave = (listener: Listener, deadlineMs: number): void => {
    leaving.add(listener)
    listener
      .stop(deadlineMs)
      .catch((error: unknown) => ports.onInternalError?.(error))
      .finally(() => leaving.delete(listener))
  }

  const prepare = async (wanted: HttpOptions): Promise<PreparedHttp> => {
    // Files are read before anything listens, so that a wrong one is found while nobody is connected yet.
    const plans = wanted.listeners.map((settings) => planOf(settings, wanted.listeners))
    const places = placesFor(plans, listeners)
    const next = places.map(({ plan, listener }) => listener ?? new Listener({ ports, limit }, wanted, plan))
    const fresh = next.filter((listener) => !listeners.includes(listener))
    const cancel = async (): Promise<void> => {
      await Promise.all(fresh.map((listener) => listener.stop(0)))
    }
    const opened: BoundAddress[] = []
    try {
      for (const listener of fresh) opened.push(await open(listener, listeners, ports))
    } catch (error) {
      await cancel()
      throw error
    }
    const apply = (): ListenerChanges => {
      limit.max = wanted.maxConnections
      for (const { plan, listener } of places) listener?.replace(wanted, plan.tls)
      const gone = listeners.filter((listener) => !next.includes(listener))
      listeners = next
      for (const listener of gone) leave(listener, REMOVAL_DEADLINE_MS)
      return { opened, closed: gone.map(({ url }) => url) }
    }
    return { apply, cancel }
  }

  const stop = (deadlineMs: number): Promise<string | undefined> => {
    stopping ??= stopAll([...listeners, ...leaving], deadlineMs)
    return stopping
  }

  return {
    start: async () => (await prepare(options)).apply().opened,
    prepare,
    stop,
    [Symbol.asyncDispose]: async () => void (await stop(DISPOSE_DEADLINE_MS)),
  }
}

function planOf(settings: ListenerSettings, all: readonly ListenerSettings[]): ListenerPlan {
  return {
    settings,
    tls: settings.tls === null ? undefined : loadTls(settings, settings.tls),
    ipv6Only: hasIPv4Twin(settings, all),
  }
}

interface Place {
  readonly plan: ListenerPlan
  /** The one that listens there already. */
  readonly listener: Listener | undefined
}

/** Each open listener serves one plan: of several on a free port each has its own. */
function placesFor(plans: readonly ListenerPlan[], present: readonly Listener[]): readonly Place[] {
  const free = Map.groupBy(present, ({ plan }) => socketOf(plan))
  return plans.map((plan) => ({ plan, listener: free.get(socketOf(plan))?.shift() }))
}

/** What cannot change about a socket that listens. */
function socketOf({ settings, tls, ipv6Only }: ListenerPlan): string {
  return JSON.stringify([settings.host, settings.port, tls !== undefined, ipv6Only])
}

async function open(
  listener: Listener,
  others: readonly Listener[],
  ports: HttpPorts,
): Promise<BoundAddress> {
  try {
    return await listener.start(ports.onInternalError)
  } catch (error) {
    const { host, port } = listener.plan.settings
    if (port === 0 || !others.some(({ plan }) => plan.settings.port === port)) throw error
    throw new TrackError(
      'TRK_LISTEN_FAILED',
      `${host} port ${port} cannot be opened beside the listener that the present configuration has on that port (${messageOf(error)}); take that one out and reload, then add this one and reload, or restart`,
      { cause: error },
    )
  }
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
