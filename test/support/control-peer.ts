/**
 * Both ends of the control socket's protocol, written from its description alone and with a cipher of their own, so that
 * a mistake in src/control cannot agree with itself.
 */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { openBox, sealBox } from './secret-box.ts'

const DEADLINE_MS = 15_000
const NONCE_BYTES = 24
const HALF_NONCE_BYTES = 12

export interface Hellos {
  readonly mine: Buffer
  readonly theirs: Buffer
}

/** One direction's nonce: the first half from one side, the last from the other, counted up after each message. */
export class Nonce {
  #bytes: Buffer

  constructor(first: Buffer, last: Buffer) {
    this.#bytes = Buffer.concat([first.subarray(0, HALF_NONCE_BYTES), last.subarray(HALF_NONCE_BYTES)])
  }

  take(): Buffer {
    const bytes = this.#bytes
    const count = (bytes.readUInt32BE(0) + 1) % 2 ** 32
    this.#bytes = Buffer.from(bytes)
    this.#bytes.writeUInt32BE(count, 0)
    return bytes
  }
}

/** A connection after the handshake, seen from either side. */
export class ControlPeer {
  readonly socket: Socket
  readonly key: Buffer
  readonly hellos: Hellos
  readonly #read: Nonce
  readonly #write: Nonce
  readonly #input: SocketInput

  constructor(input: SocketInput, key: Buffer, hellos: Hellos) {
    this.#input = input
    this.socket = input.socket
    this.key = key
    this.hellos = hellos
    this.#read = new Nonce(hellos.mine, hellos.theirs)
    this.#write = new Nonce(hellos.theirs, hellos.mine)
  }

  /** The frame of the next message, not sent. */
  frame(message: string | Uint8Array): Buffer {
    return frameOf(sealBox(Buffer.from(message), this.#write.take(), this.key))
  }

  send(message: string | Uint8Array): void {
    this.socket.write(this.frame(message))
  }

  async receive(): Promise<Buffer> {
    const length = (await this.#input.take(2)).readUInt16BE(0)
    const message = openBox(await this.#input.take(length), this.#read.take(), this.key)
    if (message === undefined) throw new Error('the other side has another key, or another idea of the nonce')
    return message
  }

  async ask(message: string | Uint8Array): Promise<string> {
    this.send(message)
    return (await this.receive()).toString()
  }

  /** What comes until the other side closes the connection. */
  rest(): Promise<Buffer> {
    return this.#input.rest()
  }
}

export function frameOf(box: Uint8Array): Buffer {
  const header = Buffer.alloc(2)
  header.writeUInt16BE(box.length)
  return Buffer.concat([header, box])
}

/** A client: it speaks first. */
export async function connectPeer(t: TestContext, port: number, key: Buffer): Promise<ControlPeer> {
  const input = await openInput(t, port)
  const mine = randomBytes(NONCE_BYTES)
  input.socket.write(mine)
  return new ControlPeer(input, key, { mine, theirs: await input.take(NONCE_BYTES) })
}

/** A server's side of a connection that has come in: it answers. */
export async function acceptPeer(socket: Socket, key: Buffer): Promise<ControlPeer> {
  const input = new SocketInput(socket)
  const theirs = await input.take(NONCE_BYTES)
  const mine = randomBytes(NONCE_BYTES)
  socket.write(mine)
  return new ControlPeer(input, key, { mine, theirs })
}

/** A connection on which nothing has been said. */
export async function openInput(t: TestContext, port: number): Promise<SocketInput> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
  t.after(() => socket.destroy())
  await once(socket, 'connect')
  return new SocketInput(socket)
}

/** What a socket receives, to be taken in pieces of any size. */
export class SocketInput {
  readonly socket: Socket
  #bytes: Buffer = Buffer.alloc(0)
  #isClosed = false
  #wake = (): void => undefined

  constructor(socket: Socket) {
    this.socket = socket
    // A reset is the end like any other.
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk])
      this.#wake()
    })
    for (const event of ['end', 'close'] as const) {
      socket.on(event, () => {
        this.#isClosed = true
        this.#wake()
      })
    }
  }

  async take(length: number): Promise<Buffer> {
    await this.#until(() => this.#bytes.length >= length || this.#isClosed)
    if (this.#bytes.length < length) throw new Error('the connection was closed')
    const bytes = this.#bytes.subarray(0, length)
    this.#bytes = this.#bytes.subarray(length)
    return bytes
  }

  async rest(): Promise<Buffer> {
    await this.#until(() => this.#isClosed)
    return this.#bytes
  }

  async #until(isSo: () => boolean): Promise<void> {
    const late = setTimeout(() => this.socket.destroy(new Error('too late')), DEADLINE_MS)
    while (!isSo()) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#wake = resolve
      await promise
    }
    clearTimeout(late)
  }
}
