/**
 * Connections on which no request could be read, and those whose request takes too long. Lives on the threads that take
 * requests. A client gets an answer if it is in the ACL and none has begun, and the connection is closed.
 */
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { failure, LATE, outsideAcl, type Answer } from './answer.ts'
import type { Gate } from './gate.ts'
import { writeRawAnswer } from './write-answer.ts'

const MALFORMED = failure(400, 'The request is not valid HTTP')
const FAULTS: ReadonlyMap<string, Answer> = new Map([
  ['ERR_HTTP_REQUEST_TIMEOUT', failure(408, 'The request did not arrive in time')],
  ['HPE_HEADER_OVERFLOW', failure(431, 'The headers of the request are too long')],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', failure(413, 'The chunk extensions of the body are too long')],
])

/** A connection as Node's HTTP server leaves it: with the response that is being made for its current request. */
interface HttpSocket extends Socket {
  readonly _httpMessage?: Pick<ServerResponse, 'headersSent'> | null
}

/** For the `clientError` event of an HTTP server. */
export function createClientErrorHandler(gate: Pick<Gate, 'admits' | 'peerOf'>) {
  return (error: { readonly code?: string }, socket: Socket): void => {
    const fault = faultOf(error.code ?? '')
    if (fault === undefined || !socket.writable || stateOf(socket) === 'answering') {
      socket.destroy()
      return
    }
    writeRawAnswer(socket, gate.admits(socket) ? fault : outsideAcl(gate.peerOf(socket)))
  }
}

/**
 * For the `timeout` event of an HTTP server, which says that nothing moved on a connection for its time: a client that
 * kept it open for a further request, one that does not read its answer, or one that waits for an answer of ours.
 */
export function closeSilent(socket: Socket): void {
  if (stateOf(socket) === 'waiting' && socket.writable) writeRawAnswer(socket, LATE)
  else socket.destroy()
}

/** undefined for what happened below HTTP: a reset connection, a TLS handshake that failed. */
function faultOf(code: string): Answer | undefined {
  return FAULTS.get(code) ?? (code.startsWith('HPE_') ? MALFORMED : undefined)
}

/** A second answer in the middle of the first would be read as a part of it. */
function stateOf(socket: HttpSocket): 'idle' | 'waiting' | 'answering' {
  // oxlint-disable-next-line no-underscore-dangle -- Node's own handlers of these events look there; there is no other place
  const response = socket._httpMessage
  if (response === undefined || response === null) return 'idle'
  return response.headersSent ? 'answering' : 'waiting'
}
