/**
 * One keep-alive connection of the load client. It must cost little: it shares the machine with the server that is measured.
 * So it reads into one buffer, and takes answers of the length and status that the last one had for complete.
 */
import { connect, type Socket } from 'node:net'

const READ_BYTES = 64 * 1024
const STATUS_AT = 'HTTP/1.1 '.length
const HEADER_END = '\r\n\r\n'

export interface ConnectionHandler {
  /** An answer is complete; the connection is free for the next request. */
  readonly onAnswer: (connection: LoadConnection, status: number) => void
  readonly onEnd: (error: Error) => void
}

export class LoadConnection {
  readonly #socket: Socket
  readonly #handler: ConnectionHandler
  /** Length of the last answer, whose status was 200. */
  #usualLength = -1
  /** What has come of an answer that is not complete. */
  #partial = ''
  /** When the request in flight was due; for the owner. */
  dueAtMs = 0

  constructor(url: string, handler: ConnectionHandler) {
    const { hostname, port } = new URL(url)
    this.#handler = handler
    this.#socket = connect({
      host: hostname,
      port: Number(port),
      noDelay: true,
      onread: {
        buffer: Buffer.allocUnsafe(READ_BYTES),
        callback: (length, buffer) => {
          this.#read(Buffer.from(buffer.buffer, buffer.byteOffset, length))
          return true
        },
      },
    })
    this.#socket.once('error', (error) => handler.onEnd(error))
    this.#socket.once('close', () => handler.onEnd(new Error('the server has closed a connection')))
  }

  opened(): Promise<void> {
    return new Promise((resolve) => this.#socket.once('connect', resolve))
  }

  send(request: Buffer): void {
    this.#socket.write(request)
  }

  close(): void {
    this.#socket.removeAllListeners('close')
    this.#socket.destroy()
  }

  #read(bytes: Buffer): void {
    if (this.#partial === '' && bytes.length === this.#usualLength && isOk(bytes)) {
      this.#handler.onAnswer(this, 200)
      return
    }
    const text = this.#partial + bytes.toString('latin1')
    const headerEnd = text.indexOf(HEADER_END)
    const bodyLength = /content-length: (\d+)/i.exec(text)?.[1]
    if (headerEnd === -1 || text.length < headerEnd + HEADER_END.length + Number(bodyLength ?? 0)) {
      this.#partial = text
      return
    }
    this.#partial = ''
    const status = Number(text.slice(STATUS_AT, STATUS_AT + 3))
    if (status === 200) this.#usualLength = text.length
    this.#handler.onAnswer(this, status)
  }
}

function isOk(bytes: Buffer): boolean {
  return bytes[STATUS_AT] === 0x32 && bytes[STATUS_AT + 1] === 0x30 && bytes[STATUS_AT + 2] === 0x30
}
