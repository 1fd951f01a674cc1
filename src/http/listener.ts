/**
 * One listening address: its server, how it starts and how it stops. Lives on the thread that takes requests.
 * What is answered there is in register-routes.ts.
 */
import { once } from 'node:events'
import { createServer, type RequestListener, type Server as HttpServer, type ServerOptions } from 'node:http'
import { createServer as createTlsServer, type Server as HttpsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import fastify, { type FastifyInstance } from 'fastify'
import { TrackError } from '../errors.ts'
import { closeSilent, createClientErrorHandler } from './client-error.ts'
import type { ConnectionLimit } from './connection-limit.ts'
import { REPORT_TARGETS } from './direct-route.ts'
import { createGate, type Gate, type HttpAccess } from './gate.ts'
import type { BoundAddress, HttpOptions, HttpPorts, ListenerSettings } from './http-ports.ts'
import { listenFailure } from './listen-failure.ts'
import type { LoadedTls } from './load-tls.ts'
import { registerRoutes } from './register-routes.ts'
import { routePathOf } from './request-target.ts'
import { DEFAULT_HANDLER_TIMEOUT_MS } from './routes.ts'

/** Connections that the system keeps for us while we are busy. */
const BACKLOG = 1_024
const MAX_HEADER_BYTES = 16_384
/** Encoded names of custom endpoints; routePathOf lets no longer ones through. */
const MAX_PARAM_LENGTH = 4_096
/** Bounds of how often Node looks for requests that are late; a look costs a walk over all connections. */
const LEAST_CHECK_MS = 20
const MOST_CHECK_MS = 5_000
/** Handlers that end their wait themselves have a better answer than closeSilent has. */
const SILENCE_MARGIN_MS = 250

export interface ListenerDeps {
  readonly ports: HttpPorts
  readonly limit: ConnectionLimit
}

/** What one listener is made from. */
export interface ListenerPlan {
  readonly settings: ListenerSettings
  /** Read from the files of the settings; undefined for plain HTTP. */
  readonly tls: LoadedTls | undefined
  /** An IPv6 address takes no IPv4 connections, since another listener has that port for them. */
  readonly ipv6Only: boolean
}

export class Listener {
  readonly #plan: ListenerPlan
  readonly #gate: Gate
  readonly #server: HttpServer | HttpsServer
  readonly #app: FastifyInstance
  /** Raw connections: of a TLS listener also those that are not yet through the handshake. */
  readonly #sockets = new Set<Socket>()
  #isDraining = false
  #closing: Promise<void> | undefined
  /** Connections that were closed with a request in progress. */
  #cut = 0
  #url = ''

  constructor({ ports, limit }: ListenerDeps, options: HttpOptions, plan: ListenerPlan) {
    this.#plan = plan
    const gate = createGate(ports, options)
    this.#gate = gate
    const server = createNodeServer(options, plan.tls)
    this.#server = server
    limit.watch(server)
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
    // The one difference that an expectation makes is `100-continue`, which Node has already seen to.
    server.on('checkExpectation', (request, response) => server.emit('request', request, response))
    let takeReport: RequestListener | undefined
    this.#app = fastify({
      serverFactory: (handler) =>
        server.on('request', (request, response) => {
          if (
            takeReport !== undefined &&
            request.method === 'POST' &&
            REPORT_TARGETS.has(request.url ?? '')
          ) {
            takeReport(request, response)
            return
          }
          // Any content type is accepted, and nothing is made of it: it need not be parsed.
          request.headers['content-type'] = 'application/json'
          handler(request, response)
        }),
      clientErrorHandler: createClientErrorHandler(gate),
      rewriteUrl: ({ url }) => routePathOf(url ?? ''),
      routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
      bodyLimit: options.bodyLimitBytes,
      exposeHeadRoutes: false,
      return503OnClosing: false,
      logger: false,
      requestIdHeader: false,
      genReqId: () => '',
    })
    takeReport = registerRoutes(this.#app, { ports, gate, isDraining: () => this.#isDraining }, options)
  }

  /** @throws TrackError TRK_LISTEN_FAILED naming the address and the reason. */
  async start(onInternalError: ((error: unknown) => void) | undefined): Promise<BoundAddress> {
    const { settings, ipv6Only } = this.#plan
    await this.#app.ready()
    try {
      this.#server.listen({ host: settings.host, port: settings.port, backlog: BACKLOG, ipv6Only })
      await once(this.#server, 'listening')
    } catch (error) {
      throw listenFailure({ host: settings.host, port: settings.port, setting: 'addListener' }, error)
    }
    this.#server.on('error', (error) => onInternalError?.(error))
    const bound = boundAddress(this.#server.address(), this.#plan.tls !== undefined)
    this.#url = bound.url
    return bound
  }

  /** Empty before it listens. */
  get url(): string {
    return this.#url
  }

  /** What it was made from; of the TLS files the first ones. */
  get plan(): ListenerPlan {
    return this.#plan
  }

  /** Goes by a new configuration: requests at once, TLS from the next connection on. */
  replace(access: HttpAccess, tls: LoadedTls | undefined): void {
    this.#gate.replace(access)
    if (tls !== undefined && 'setSecureContext' in this.#server) this.#server.setSecureContext(tls)
  }

  /**
   * Stops accepting, closes idle connections, lets requests in progress finish, and cuts them when the time is up. A
   * further call may only bring that time forward.
   *
   * @returns how many connections had to be cut.
   */
  async stop(deadlineMs: number): Promise<number> {
    this.#isDraining = true
    const timer = setTimeout(() => {
      this.#cut += this.#sockets.size
      for (const socket of this.#sockets) socket.destroy()
    }, deadlineMs)
    this.#closing ??= this.#close()
    await this.#closing
    clearTimeout(timer)
    return this.#cut
  }

  async #close(): Promise<void> {
    if (this.#server.listening) {
      const closed = once(this.#server, 'close')
      this.#server.close()
      this.#closeUnused()
      await closed
    }
    await this.#app.close()
  }

  /** To Node a connection on which nothing has come yet is one whose first request is in progress. */
  #closeUnused(): void {
    for (const socket of this.#sockets) {
      if (socket.bytesRead === 0) socket.destroy()
    }
  }
}

function createNodeServer(options: HttpOptions, tls: LoadedTls | undefined): HttpServer | HttpsServer {
  const { headersTimeoutMs, requestTimeoutMs, keepAliveTimeoutMs, handlerTimeoutMs } = options
  const common: ServerOptions = {
    headersTimeout: Math.min(headersTimeoutMs, requestTimeoutMs),
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    connectionsCheckingInterval: checkIntervalMs(Math.min(headersTimeoutMs, requestTimeoutMs)),
    maxHeaderSize: MAX_HEADER_BYTES,
    // Node's own answer would not ask the ACL; register-routes.ts does it.
    requireHostHeader: false,
    noDelay: true,
  }
  const server =
    tls === undefined
      ? createServer(common)
      : createTlsServer({ ...common, ...tls, handshakeTimeout: headersTimeoutMs })
  // Without a word from either side for this long; between two requests it is keepAliveTimeout.
  server.timeout = (handlerTimeoutMs ?? DEFAULT_HANDLER_TIMEOUT_MS) + SILENCE_MARGIN_MS
  server.on('timeout', closeSilent)
  return server
}

/** A request is cut at most a quarter later than its limit says. */
function checkIntervalMs(limitMs: number): number {
  return Math.min(MOST_CHECK_MS, Math.max(LEAST_CHECK_MS, Math.floor(limitMs / 4)))
}

function boundAddress(address: AddressInfo | string | null, isTls: boolean): BoundAddress {
  if (address === null || typeof address === 'string') {
    throw new TrackError('TRK_LISTEN_FAILED', 'the listener has no address')
  }
  const { address: host, port, family } = address
  const authority = family === 'IPv6' ? `[${host}]:${port}` : `${host}:${port}`
  return { host, port, isTls, url: `${isTls ? 'https' : 'http'}://${authority}` }
}
