/**
 * The client's side of the control socket: connects, sends lines, gets answers. Lives in the process of the console, not
 * in the server. It keeps to the protocol alone, so it speaks to the reference's server too.
 */
import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { messageOf, TrackError } from '../errors.ts'
import { bytesToText, textToBytes } from '../login/byte-string.ts'
import { ControlChannel, isReflected, MAX_MESSAGE_BYTES, NONCE_BYTES } from './channel.ts'
import { FrameSplitter } from './frame-splitter.ts'

export interface ControlClientOptions {
  /** An address or a name. */
  readonly host: string
  readonly port: number
  /** 32 bytes, those of the server. */
  readonly key: Uint8Array
  /** To be connected, handshake included. */
  readonly connectTimeoutMs: number
  /** From the sending of a line to its whole answer, those sent before it included. */
  readonly answerTimeoutMs: number
}

export interface ControlConnection extends Disposable {
  /**
   * Runs a line on the server; its answer. Lines may be sent before earlier ones are answered.
   *
   * @throws TrackError TRK_CONTROL_REFUSED when the first line got no answer or one that our key does not open,
   *   TRK_CONTROL_CLOSED when the connection was lost or the answer late, TRK_CONTROL_TOO_LONG for a line over 65,519
   *   bytes, which leaves the connection as it was.
   */
  readonly run: (line: string) => Promise<string>
  readonly close: () => void
}

/**
 * Connects and shakes hands. Whether the key is the server's shows with the first line.
 *
 * @throws TrackError TRK_CONTROL_UNREACHABLE naming the address and the reason.
 */
export async function connectControl(options: ControlClientOptions): Promise<ControlConnection> {
  const socket = connect({ host: options.host, port: options.port, noDelay: true })
  const ownNonce = randomBytes(NONCE_BYTES)
  try {
    const hello = await shakeHands(socket, ownNonce, options.connectTimeoutMs)
    const peerNonce = hello.subarray(0, NONCE_BYTES)
    if (isReflected(ownNonce, peerNonce)) throw new Error('what answers there only returns what it is sent')
    const channel = new ControlChannel({ key: options.key, ownNonce, peerNonce })
    const client = new Client(socket, channel, options)
    client.take(hello.subarray(NONCE_BYTES))
    return {
      run: (line) => client.run(line),
      close: () => client.close(),
      [Symbol.dispose]: () => client.close(),
    }
  } catch (error) {
    socket.destroy()
    throw new TrackError('TRK_CONTROL_UNREACHABLE', `${placeOf(options)}: ${reasonOf(error)}`, {
      cause: error,
    })
  }
}

/** Sends our half of the handshake and waits for the server's, which what came after it follows. */
async function shakeHands(socket: Socket, ownNonce: Uint8Array, limitMs: number): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>()
  let hello = Buffer.alloc(0)
  const onData = (chunk: Uint8Array): void => {
    hello = Buffer.concat([hello, chunk])
    if (hello.length >= NONCE_BYTES) resolve(hello)
  }
  const onClose = (): void => reject(new Error('the connection was closed before the handshake was done'))
  const timer = setTimeout(() => reject(new Error(`no handshake within ${limitMs} ms`)), limitMs)
  // It stays: an error that comes later is followed by close, which the client acts on.
  socket.on('error', reject)
  socket.on('data', onData).on('close', onClose)
  socket.write(ownNonce)
  try {
    return await promise
  } finally {
    clearTimeout(timer)
    // Whoever takes over listens before the next turn of the event loop; until then nothing is lost.
    socket.pause()
    socket.off('data', onData).off('close', onClose)
  }
}

/** A name with several addresses fails with an error for each, and with no text for all of them. */
function reasonOf(error: unknown): string {
  return error instanceof AggregateError ? error.errors.map(messageOf).join(', ') : messageOf(error)
}

function placeOf({ host, port }: ControlClientOptions): string {
  return `${host} port ${port}`
}

interface Waiter {
  readonly resolve: (answer: string) => void
  readonly reject: (error: TrackError) => void
  readonly timer: NodeJS.Timeout
}

/** An open connection. Answers come in the order of the lines. */
class Client {
  readonly #socket: Socket
  readonly #channel: ControlChannel
  readonly #options: ControlClientOptions
  readonly #splitter = new FrameSplitter()
  /** Bounded by whoever sends: one entry for each line that is not answered yet. */
  readonly #waiters: Waiter[] = []
  #hasAnswer = false
  /** Why the connection is over. */
  #end: TrackError | undefined = undefined

  constructor(socket: Socket, channel: ControlChannel, options: ControlClientOptions) {
    this.#socket = socket
    this.#channel = channel
    this.#options = options
    socket.on('data', (chunk: Uint8Array) => this.take(chunk))
    socket.once('close', () => this.#fail(this.#closedByServer()))
    socket.resume()
  }

  run(line: string): Promise<string> {
    const message = textToBytes(line)
    if (message.length > MAX_MESSAGE_BYTES) {
      const sizes = `it has ${message.length} bytes, at most ${MAX_MESSAGE_BYTES} fit`
      return Promise.reject(new TrackError('TRK_CONTROL_TOO_LONG', sizes))
    }
    if (this.#end !== undefined) return Promise.reject(this.#end)
    const { answerTimeoutMs } = this.#options
    return new Promise((resolve, reject) => {
      const late = `${placeOf(this.#options)}: no answer within ${answerTimeoutMs} ms`
      const timer = setTimeout(() => this.#fail(new TrackError('TRK_CONTROL_CLOSED', late)), answerTimeoutMs)
      this.#waiters.push({ resolve, reject, timer })
      this.#socket.write(this.#channel.seal(message))
    })
  }

  close(): void {
    this.#fail(new TrackError('TRK_CONTROL_CLOSED', `${placeOf(this.#options)}: closed by this side`))
  }

  take(chunk: Uint8Array): void {
    for (const box of this.#splitter.split(chunk)) {
      const answer = box === 'short' ? undefined : this.#channel.open(box)
      const waiter = answer === undefined ? undefined : this.#waiters.shift()
      if (answer === undefined || waiter === undefined) return this.#fail(this.#notBelieved())
      this.#hasAnswer = true
      clearTimeout(waiter.timer)
      waiter.resolve(bytesToText(answer))
    }
  }

  #notBelieved(): TrackError {
    const detail = `${placeOf(this.#options)}: what came from there was not made by a server with this key`
    return new TrackError('TRK_CONTROL_REFUSED', detail)
  }

  /** A server that cannot open the first line closes without a word, so that is how a wrong key looks from here. */
  #closedByServer(): TrackError {
    const place = placeOf(this.#options)
    if (this.#hasAnswer || this.#waiters.length === 0) {
      return new TrackError('TRK_CONTROL_CLOSED', `${place}: closed by the server`)
    }
    const detail = `${place}: the server closed the connection without an answer; is the key the same as in its configuration?`
    return new TrackError('TRK_CONTROL_REFUSED', detail)
  }

  #fail(error: TrackError): void {
    this.#end ??= error
    this.#socket.destroy()
    for (const { reject, timer } of this.#waiters.splice(0)) {
      clearTimeout(timer)
      reject(this.#end)
    }
  }
}
