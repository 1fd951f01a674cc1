/** HTTP for tests: requests as a client library sends them, and bytes as no library would. */
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect, type Socket } from 'node:net'

const DEADLINE_MS = 10_000

export interface HttpAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface HttpCall {
  readonly method?: string
  /** Sent as it is, also if it is no valid path. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** The one certificate that is trusted. */
  readonly certificate?: Buffer
}

/** One request on a connection of its own. */
export async function call(url: string, options: HttpCall): Promise<HttpAnswer> {
  const { protocol, hostname, port } = new URL(url)
  const { method = 'GET', path, headers = {}, body, certificate } = options
  const common = { host: hostname.replace(/[[\]]/g, ''), port, method, path, headers, agent: false as const }
  const signal = AbortSignal.timeout(DEADLINE_MS)
  const request =
    protocol === 'https:'
      ? httpsRequest({ ...common, signal, ca: certificate, servername: 'localhost' })
      : httpRequest({ ...common, signal })
  const answered = new Promise<HttpAnswer>((resolve, reject) => {
    request.once('error', reject)
    request.once('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.once('error', reject)
      response.once('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        }),
      )
    })
  })
  request.end(body)
  return answered
}

/** Resolves when the connection is closed, in order or by a reset; an error if it is not in time. */
export async function closed(socket: Socket): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const timer = setTimeout(() => reject(new Error('the connection was not closed in time')), DEADLINE_MS)
  // A reset is an error event followed by close.
  socket.on('error', () => undefined)
  socket.once('close', () => resolve())
  try {
    await promise
  } finally {
    clearTimeout(timer)
  }
}

/** Sends bytes and gives back all that came until the server closed the connection. */
export async function exchange(url: string, bytes: string | Uint8Array): Promise<string> {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname.replace(/[[\]]/g, ''), port: Number(port) })
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.write(bytes)
  await closed(socket)
  return Buffer.concat(chunks).toString()
}

/** What comes next on this connection, as text. */
export async function nextText(socket: Socket): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const timer = setTimeout(() => reject(new Error('nothing came in time')), DEADLINE_MS)
  const onClose = (): void => reject(new Error('the connection was closed'))
  socket.once('data', (chunk: Buffer) => resolve(chunk.toString()))
  socket.once('close', onClose)
  try {
    return await promise
  } finally {
    clearTimeout(timer)
    socket.off('close', onClose)
  }
}
