/**
 * The limit of open connections over all listeners. Lives on the thread of its listeners.
 * Node can refuse a connection before it costs anything, but counts for each server alone; this hands every server the
 * room that the others leave.
 */
import type { DropArgument, Server, Socket } from 'node:net'

interface ConnectionEvents {
  readonly onConnections: (active: number) => void
  /** A connection was closed at once, for want of room. */
  readonly onDropped: (peer: string) => void
}

export class ConnectionLimit {
  #max: number
  readonly #events: ConnectionEvents
  readonly #openOf = new Map<Server, number>()
  #open = 0

  constructor(max: number, events: ConnectionEvents) {
    this.#max = max
    this.#events = events
  }

  get max(): number {
    return this.#max
  }

  /** Connections above a smaller limit stay. */
  set max(max: number) {
    this.#max = max
    this.#share()
  }

  /** Open connections over all servers. */
  get open(): number {
    return this.#open
  }

  /** Counts the connections of this server from now on, until it is closed. */
  watch(server: Server): void {
    this.#openOf.set(server, 0)
    server.on('connection', (socket: Socket) => {
      this.#change(server, 1)
      socket.once('close', () => this.#change(server, -1))
    })
    server.once('close', () => this.#openOf.delete(server))
    server.on('drop', (dropped?: DropArgument) => this.#events.onDropped(dropped?.remoteAddress ?? ''))
    this.#share()
  }

  #change(server: Server, by: 1 | -1): void {
    this.#open += by
    this.#openOf.set(server, (this.#openOf.get(server) ?? 0) + by)
    this.#share()
    this.#events.onConnections(this.#open)
  }

  #share(): void {
    const room = Math.max(0, this.#max - this.#open)
    for (const [server, open] of this.#openOf) server.maxConnections = open + room
  }
}
