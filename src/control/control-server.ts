/**
 * The control socket: takes the operator's clients, a bounded number at once. Lives on the main thread and runs nothing
 * itself; a line goes to `runLine`.
 */
import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { messageOf, TrackError } from '../errors.ts'
import { listenFailure } from '../http/listen-failure.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { KEY_BYTES } from './channel.ts'
import { RefusalLog, type ControlRefusal } from './refusal-log.ts'
import { ServerConnection, type ServerConnectionDeps } from './server-connection.ts'

export interface ControlServerDeps {
  /** Runs one line for the client at this address. Never rejects: what goes wrong is an answer too. */
  readonly runLine: (line: string, peer: string) => Promise<string>
  readonly log: Log
  /** Unix milliseconds. */
  readonly now: () => number
  readonly metrics: Pick<Metrics, 'controlConnections' | 'controlLogins' | 'controlRefused'>
  /** A client proved that it has the key. */
  readonly onLogin?: (peer: string) => void
  /** A connection was closed by the server; it is logged and counted already. As often as clients come. */
  readonly onRefused?: (reason: ControlRefusal, peer: string) => void
}

export interface ControlServerOptions {
  /** An IP address. */
  readonly host: string
  /** 0 for any free port. */
  readonly port: number
  /** 32 bytes. */
  readonly key: Uint8Array
  /** Connections at once; default 32. */
  readonly maxConnections?: number
  /** For the client's handshake, and for the rest of a frame that has begun; default 10 s. */
  readonly handshakeTimeoutMs?: number
  /** Between two commands, and for an answer to be taken; default 30 min. */
  readonly idleTimeoutMs?: number
}

export interface ControlServer extends AsyncDisposable {
  /**
   * Opens the socket. To be called once.
   *
   * @throws TrackError TRK_LISTEN_FAILED naming the address and the reason.
   */
  readonly start: () => Promise<{ readonly host: string; readonly port: number }>
  /**
   * Stops accepting, closes connections that wait for a command, and gives commands that run this long to be answered.
   * The address is free when the call returns, before the promise resolves. Further calls wait for the first.
   *
   * @returns what was left undone, in words for the log; undefined when nothing was.
   */
  readonly stop: (remainingMs: number) => Promise<string | undefined>
}

const DEFAULTS = { maxConnections: 32, handshakeTimeoutMs: 10_000, idleTimeoutMs: 30 * 60_000 } as const
const DISPOSE_DEADLINE_MS = 1_000

/** @throws TrackError TRK_CONFIG_INVALID when the key does not have 32 bytes. */
export function createControlServer(deps: ControlServerDeps, options: ControlServerOptions): ControlServer {
  const { host, port, key } = options
  if (key.length !== KEY_BYTES) {
    throw new TrackError(
      'TRK_CONFIG_INVALID',
      `the key of the control socket has ${key.length} bytes instead of ${KEY_BYTES}; makeKey() on the console makes one`,
    )
  }
  const connections = new ConnectionSet(deps, { ...DEFAULTS, ...options })
  // allowHalfOpen: a client may send its commands, close its side, and read the answers.
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => connections.add(socket))
  let stopping: Promise<string | undefined> | undefined

  const start = async (): Promise<{ readonly host: string; readonly port: number }> => {
    try {
      server.listen({ host, port })
      await once(server, 'listening')
    } catch (error) {
      throw listenFailure({ host, port, setting: 'controlSocket' }, error)
    }
    server.on('error', (error) =>
      deps.log.error('the control socket has a fault', { error: messageOf(error) }),
    )
    return { host, port: boundPort(server.address()) }
  }

  const stop = (remainingMs: number): Promise<string | undefined> => {
    stopping ??= stopAll(server, connections, remainingMs)
    return stopping
  }

  return { start, stop, [Symbol.asyncDispose]: async () => void (await stop(DISPOSE_DEADLINE_MS)) }
}

async function stopAll(
  server: Server,
  connections: ConnectionSet,
  remainingMs: number,
): Promise<string | undefined> {
  const isClosed = server.listening ? once(server, 'close') : undefined
  server.close()
  const cut = await connections.stop(remainingMs)
  await isClosed
  return cut === 0 ? undefined : `${cut} control connections with a command in progress were cut`
}

function boundPort(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') {
    throw new TrackError('TRK_LISTEN_FAILED', 'the control socket has no address')
  }
  return address.port
}

/** Open connections, oldest first. */
class ConnectionSet {
  readonly #options: Required<ControlServerOptions>
  readonly #deps: ControlServerDeps
  readonly #connectionDeps: ServerConnectionDeps
  readonly #refusals: RefusalLog
  readonly #open = new Map<ServerConnection, Promise<void>>()

  constructor(deps: ControlServerDeps, options: Required<ControlServerOptions>) {
    this.#options = options
    this.#deps = deps
    this.#refusals = new RefusalLog(deps)
    this.#connectionDeps = {
      runLine: deps.runLine,
      onLogin: (peer) => {
        deps.metrics.controlLogins.inc()
        deps.log.info('control login', { peer })
        deps.onLogin?.(peer)
      },
      onRefused: (reason, peer) => {
        deps.metrics.controlRefused.inc({ reason })
        this.#refusals.report(reason, peer)
        deps.onRefused?.(reason, peer)
      },
      onInternalError: (error) =>
        deps.log.error('a fault in trackalert itself; please report it', { where: 'control socket', error }),
    }
  }

  add(socket: Socket): void {
    const connection = new ServerConnection(this.#connectionDeps, this.#options, socket)
    const served = connection.serve().finally(() => {
      this.#open.delete(connection)
      this.#deps.metrics.controlConnections.set(this.#open.size)
    })
    this.#open.set(connection, served)
    this.#deps.metrics.controlConnections.set(this.#open.size)
    if (this.#open.size > this.#options.maxConnections) this.#makeRoom(connection)
  }

  /**
   * The one that has waited longest without having shown the key goes: strangers who only hold connections open keep
   * no operator out.
   */
  #makeRoom(newcomer: ServerConnection): void {
    let leaving = newcomer
    for (const connection of this.#open.keys()) {
      if (connection.hasProvedKey) continue
      leaving = connection
      break
    }
    leaving.refuse('too-many')
  }

  /** @returns how many had to be cut. */
  async stop(remainingMs: number): Promise<number> {
    for (const connection of this.#open.keys()) connection.stop()
    const timeIsUp = Promise.withResolvers<void>()
    const timer = setTimeout(timeIsUp.resolve, remainingMs)
    await Promise.race([Promise.all(this.#open.values()), timeIsUp.promise])
    clearTimeout(timer)
    // A connection whose command never ends is never done; nothing but its socket is left of it.
    let cut = 0
    for (const connection of this.#open.keys()) {
      if (connection.isBusy) cut += 1
      connection.cut()
    }
    return cut
  }
}
