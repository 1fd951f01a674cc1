/**
 * One client of the control socket: handshake, then commands one after another, each answered before the next is looked
 * at. Main thread; what a command does is somebody else's.
 *
 * Nothing is read while a command runs or its answer waits to be taken, so a client that sends faster than it is served
 * finds its own socket full. What is read ahead is one chunk of the socket.
 */
import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { messageOf } from '../errors.ts'
import { bytesToText, textToBytes } from '../login/byte-string.ts'
import { parseComboAddress } from '../login/combo-address.ts'
import { ControlChannel, MAX_MESSAGE_BYTES, NONCE_BYTES } from './channel.ts'
import { fitReply } from './fit-reply.ts'
import { FrameSplitter } from './frame-splitter.ts'
import type { ControlRefusal } from './refusal-log.ts'

export interface ServerConnectionDeps {
  /** Runs one line for the client at this address. Never rejects: what goes wrong is an answer too. */
  readonly runLine: (line: string, peer: string) => Promise<string>
  /** The first message that proves that the client has the key. */
  readonly onLogin: (peer: string) => void
  readonly onRefused: (reason: ControlRefusal, peer: string) => void
  readonly onInternalError: (error: string) => void
}

export interface ServerConnectionOptions {
  /** 32 bytes. */
  readonly key: Uint8Array
  /** For the client's handshake, and for the rest of a frame that has begun. */
  readonly handshakeTimeoutMs: number
  /** Between two commands, and for an answer to be taken. */
  readonly idleTimeoutMs: number
}

/** After the last answer the client has this long to close its side; a connection cut at once could lose the answer. */
const LINGER_MS = 1_000

type State = 'handshake' | 'waiting' | 'busy' | 'closing'

export class ServerConnection {
  readonly #deps: ServerConnectionDeps
  readonly #options: ServerConnectionOptions
  readonly #socket: Socket
  readonly #peer: string
  readonly #splitter = new FrameSplitter()
  readonly #closed: Promise<void>
  /** The client's half of the handshake, as far as it has come. */
  #hello: Uint8Array = new Uint8Array(0)
  #channel: ControlChannel | undefined = undefined
  #state: State = 'handshake'
  #hasProvedKey = false
  #isStopping = false
  #timer: NodeJS.Timeout | undefined = undefined

  /** @param socket made with allowHalfOpen, so that a client may send its commands, close its side, and read. */
  constructor(deps: ServerConnectionDeps, options: ServerConnectionOptions, socket: Socket) {
    this.#deps = deps
    this.#options = options
    this.#socket = socket
    this.#peer = parseComboAddress(socket.remoteAddress ?? '')?.unmapped().address ?? ''
    this.#closed = new Promise((resolve) => socket.once('close', () => resolve()))
    // A broken connection ends the reading, too; without a listener it would end the process.
    socket.on('error', () => undefined)
  }

  /** Until then it may be anybody, and has to make room for others. */
  get hasProvedKey(): boolean {
    return this.#hasProvedKey
  }

  /** A command runs, or its answer is on its way. */
  get isBusy(): boolean {
    return this.#state === 'busy'
  }

  /** Serves the client to the end; resolves when the connection is closed. */
  async serve(): Promise<void> {
    this.#limitWait('handshake-timeout', this.#options.handshakeTimeoutMs)
    try {
      // The socket outlives the loop: what was written last is still on its way.
      const chunks: AsyncIterable<Uint8Array> = this.#socket.iterator({ destroyOnReturn: false })
      for await (const chunk of chunks) {
        if (!this.#isOver()) await this.#take(chunk)
        if (this.#isOver()) break
      }
      this.#finish()
    } catch (error) {
      // The socket's own errors are the client's affair.
      if (!this.#socket.destroyed) this.#deps.onInternalError(messageOf(error))
      this.#socket.destroy()
    }
    await this.#closed
    clearTimeout(this.#timer)
  }

  /** Ends the connection: at once, or when the command that runs has been answered. */
  stop(): void {
    this.#isStopping = true
    if (this.#state !== 'busy') this.#close()
  }

  /** Ends the connection at once. */
  refuse(reason: ControlRefusal): void {
    if (this.#socket.destroyed) return
    this.#deps.onRefused(reason, this.#peer)
    this.#socket.destroy()
  }

  /** Cuts the connection, whatever it is doing. */
  cut(): void {
    this.#socket.destroy()
  }

  async #take(chunk: Uint8Array): Promise<void> {
    const bytes = this.#channel === undefined ? this.#shakeHands(chunk) : chunk
    if (this.#channel === undefined) return
    let isNewWait = !this.#splitter.isInFrame
    for (const box of this.#splitter.split(bytes)) {
      await this.#answer(box, this.#channel)
      if (this.#isOver()) return
      isNewWait = true
    }
    this.#state = 'waiting'
    // The rest of a frame has one limit from its beginning, however small the pieces that it comes in.
    if (!isNewWait) return
    if (this.#splitter.isInFrame) this.#limitWait('frame-timeout', this.#options.handshakeTimeoutMs)
    else this.#limitWait('idle', this.#options.idleTimeoutMs)
  }

  /** @returns what came after the handshake. */
  #shakeHands(chunk: Uint8Array): Uint8Array {
    const bytes = Buffer.concat([this.#hello, chunk])
    this.#hello = bytes.subarray(0, NONCE_BYTES)
    if (this.#hello.length < NONCE_BYTES) return bytes.subarray(NONCE_BYTES)
    const ownNonce = randomBytes(NONCE_BYTES)
    this.#channel = new ControlChannel({ key: this.#options.key, ownNonce, peerNonce: this.#hello })
    this.#socket.write(ownNonce)
    return bytes.subarray(NONCE_BYTES)
  }

  async #answer(box: Uint8Array | 'short', channel: ControlChannel): Promise<void> {
    if (box === 'short') return this.refuse('short-frame')
    const line = channel.open(box)
    if (line === undefined) return this.refuse('bad-mac')
    if (!this.#hasProvedKey) {
      this.#hasProvedKey = true
      this.#deps.onLogin(this.#peer)
    }
    this.#state = 'busy'
    clearTimeout(this.#timer)
    const reply = await this.#deps.runLine(bytesToText(line), this.#peer)
    if (this.#socket.destroyed) return
    this.#limitWait('idle', this.#options.idleTimeoutMs)
    await this.#write(channel.seal(fitReply(textToBytes(reply), MAX_MESSAGE_BYTES)))
  }

  /** Resolves when the system has taken it all, or the connection is gone. */
  #write(frame: Uint8Array): Promise<void> {
    return new Promise((resolve) => this.#socket.write(frame, () => resolve()))
  }

  #finish(): void {
    const isCutShort = this.#splitter.isInFrame || (this.#channel === undefined && this.#hello.length > 0)
    if (isCutShort && !this.#isStopping) return this.refuse('short-frame')
    this.#close()
    // To close a socket on which unread bytes wait is to reset the connection, and to lose the answer on its way.
    this.#socket.resume()
  }

  #close(): void {
    if (this.#state === 'closing') return
    this.#state = 'closing'
    this.#socket.end()
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#socket.destroy(), LINGER_MS)
  }

  #isOver(): boolean {
    return this.#socket.destroyed || this.#isStopping
  }

  #limitWait(reason: ControlRefusal, limitMs: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.refuse(reason), limitMs)
  }
}
