/**
 * The client's side of the control socket over the life of a console: connects when there is something to ask, and again
 * after the connection was lost. Main thread of the client.
 */
import { connectControl, type ControlConnection } from '../control/control-client.ts'
import { TrackError } from '../errors.ts'
import type { CommandRunner } from './command-runner.ts'
import type { ControlTarget } from './control-target.ts'
import { addressText } from './reachable-host.ts'

const CONNECT_TIMEOUT_MS = 5_000
/** Longer than any command may take on the server. */
const ANSWER_TIMEOUT_MS = 60_000

export class ControlSession implements CommandRunner {
  readonly #target: ControlTarget
  readonly #announce: (text: string) => void
  #connection: ControlConnection | undefined
  #isInterrupted = false

  /** @param announce takes what is said to the user about the connection, with line ends */
  constructor(target: ControlTarget, announce: (text: string) => void) {
    this.#target = target
    this.#announce = announce
  }

  async #connect(): Promise<ControlConnection> {
    const { host, port, key } = this.#target
    if (this.#connection !== undefined) return this.#connection
    this.#announce(`Connecting to ${addressText(host, port)}\n`)
    this.#connection = await connectControl({
      host,
      port,
      key,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      answerTimeoutMs: ANSWER_TIMEOUT_MS,
    })
    return this.#connection
  }

  /**
   * Connects and makes sure that the server takes the key, which shows only with an answer.
   *
   * @throws TrackError TRK_CONTROL_UNREACHABLE or TRK_CONTROL_REFUSED
   */
  async verify(): Promise<void> {
    await this.run('')
  }

  async run(line: string): Promise<string> {
    this.#isInterrupted = false
    const connection = await this.#connect()
    try {
      return await connection.run(line)
    } catch (error) {
      this.close()
      if (!this.#isInterrupted) throw error
      throw new TrackError(
        'TRK_CONTROL_CLOSED',
        'you did not wait for the answer; the command may still run',
        {
          cause: error,
        },
      )
    }
  }

  interrupt(): void {
    this.#isInterrupted = true
    this.close()
  }

  close(): void {
    const connection = this.#connection
    this.#connection = undefined
    connection?.close()
  }
}
