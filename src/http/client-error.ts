/**
 * Connections on which no request could be read: not HTTP, headers that are too long or never end, a body that never
 * ends. Lives on the threads that take requests. They get an answer if they are in the ACL, and are closed.
 */
import { STATUS_CODES, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { aclFailureBody, failureBody, JSON_TYPE } from './answer.ts'
import type { Gate } from './gate.ts'

interface Fault {
  readonly status: number
  readonly reason: string
}

const MALFORMED: Fault = { status: 400, reason: 'The request is not valid HTTP' }
const FAULTS: ReadonlyMap<string, Fault> = new Map([
  ['ERR_HTTP_REQUEST_TIMEOUT', { status: 408, reason: 'The request did not arrive in time' }],
  ['HPE_HEADER_OVERFLOW', { status: 431, reason: 'The headers of the request are too long' }],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', { status: 413, reason: 'The chunk extensions of the body are too long' }],
])

/** A connection as Node's HTTP server leaves it: with the response that is being made for its current request. */
interface HttpSocket extends Socket {
  readonly _httpMessage?: Pick<ServerResponse, 'headersSent'> | null
}

/** For the `clientError` event of an HTTP server. */
export function createClientErrorHandler(gate: Pick<Gate, 'admits' | 'peerOf'>) {
  return (error: { readonly code?: string }, socket: Socket): void => {
    const fault = faultOf(error.code ?? '')
    if (fault === undefined || !socket.writable || hasAnswerBegun(socket)) {
      socket.destroy()
      return
    }
    const text = gate.admits(socket)
      ? rawAnswer(fault.status, failureBody(fault.reason))
      : rawAnswer(401, aclFailureBody(gate.peerOf(socket)))
    socket.end(text, () => socket.destroy())
  }
}

/** undefined for what happened below HTTP: a reset connection, a TLS handshake that failed. */
function faultOf(code: string): Fault | undefined {
  return FAULTS.get(code) ?? (code.startsWith('HPE_') ? MALFORMED : undefined)
}

/** A second answer in the middle of the first would be read as a part of it. */
function hasAnswerBegun(socket: HttpSocket): boolean {
  // oxlint-disable-next-line no-underscore-dangle -- Node's own handler of this event looks there, and there is no other place
  return socket._httpMessage?.headersSent ?? false
}

function rawAnswer(status: number, body: string): string {
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    `content-type: ${JSON_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
    '',
    body,
  ].join('\r\n')
}
