/**
 * The control socket of the configuration in force: none, or one at an address under a key, and its exchange when the
 * configuration has changed. Main thread.
 */
import type { Settings } from '../config/settings.ts'
import { createControlServer, type ControlServer, type ControlServerDeps } from '../control/control-server.ts'
import { messageOf } from '../errors.ts'

type SocketSettings = Pick<Settings, 'controlSocket' | 'controlKey'>

interface Address {
  readonly host: string
  readonly port: number
  readonly key: string
}

interface OpenSocket {
  readonly address: Address
  readonly server: ControlServer
}

/** Another configuration's socket, ready to take over. */
export interface PreparedSocket {
  /** Takes over; commands that run on the old socket are answered there. */
  readonly apply: () => void
  readonly cancel: () => Promise<void>
}

/** Longer than a command may take. */
const REMOVAL_DEADLINE_MS = 40_000

export class ControlSocket {
  readonly #deps: ControlServerDeps
  #open: OpenSocket | undefined
  /** Closed for new connections, with commands in progress. */
  readonly #leaving = new Set<ControlServer>()

  constructor(deps: ControlServerDeps) {
    this.#deps = deps
  }

  /**
   * Opens the socket that the settings ask for, beside the one that is open, where it has an address of its own.
   *
   * @throws TrackError TRK_LISTEN_FAILED when it cannot be opened.
   */
  async prepare(settings: SocketSettings): Promise<PreparedSocket> {
    const address = this.#addressOf(settings)
    const present = this.#open
    if (address === undefined) return { apply: () => this.#replaceBy(undefined), cancel: nothingToCancel }
    if (present !== undefined && isSamePlace(present.address, address)) {
      if (present.address.key === address.key) return { apply: nothing, cancel: nothingToCancel }
      return { apply: () => void this.#openAgain(address), cancel: nothingToCancel }
    }
    const opened = await this.#start(address)
    return {
      apply: () => this.#replaceBy(opened),
      cancel: async () => void (await opened.server.stop(0)),
    }
  }

  /** @returns what was left undone, in words for the log; undefined when nothing was. */
  async stop(remainingMs: number): Promise<string | undefined> {
    const servers = [...this.#leaving, ...(this.#open === undefined ? [] : [this.#open.server])]
    const left = await Promise.all(servers.map((server) => server.stop(remainingMs)))
    return left.find((text) => text !== undefined)
  }

  #addressOf({ controlSocket, controlKey }: SocketSettings): Address | undefined {
    if (controlSocket === null) return undefined
    if (controlKey !== null) return { ...controlSocket, key: controlKey }
    this.#deps.log.warn('controlSocket() needs a key: without setKey() the control socket is not opened')
    return undefined
  }

  async #start(address: Address): Promise<OpenSocket> {
    const { host, port, key } = address
    const server = createControlServer(this.#deps, {
      host,
      port,
      key: new Uint8Array(Buffer.from(key, 'base64')),
    })
    const bound = await server.start()
    this.#deps.log.info('the control socket is open', { ...bound })
    return { address, server }
  }

  #replaceBy(next: OpenSocket | undefined): void {
    const before = this.#open
    this.#open = next
    if (before === undefined) return
    const { server, address } = before
    this.#leaving.add(server)
    void server.stop(REMOVAL_DEADLINE_MS).finally(() => this.#leaving.delete(server))
    if (next === undefined) this.#deps.log.info('the control socket is closed', { host: address.host })
  }

  /** Another key at the same address: there the old one has to go first. */
  async #openAgain(address: Address): Promise<void> {
    this.#replaceBy(undefined)
    try {
      this.#open = await this.#start(address)
    } catch (error) {
      this.#deps.log.error('the control socket could not be opened with its new key; reload to try again', {
        error: messageOf(error),
      })
    }
  }
}

function isSamePlace(one: Address, other: Address): boolean {
  return one.host === other.host && one.port === other.port
}

const nothing = (): void => undefined
const nothingToCancel = (): Promise<void> => Promise.resolve()
