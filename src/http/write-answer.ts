/**
 * Answers on the wire: on Node's response of a request, and on a bare connection when there was no request that could be
 * read. Lives on the threads that take requests. The first is the hot path.
 */
import { STATUS_CODES, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Answer } from './answer.ts'

export function writeAnswer(response: ServerResponse, answer: Answer): void {
  const { status, body } = answer
  response.writeHead(status, headersOf(answer))
  response.end(body)
}

/** Closes the connection behind the answer. */
export function writeRawAnswer(socket: Socket, answer: Answer): void {
  const { status, body } = answer
  const lines = Object.entries(headersOf({ ...answer, isLast: true })).map(
    ([name, value]) => `${name}: ${value}`,
  )
  socket.end([`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`, ...lines, '', body].join('\r\n'), () =>
    socket.destroy(),
  )
}

function headersOf({ contentType, headers, body, isLast }: Answer): Record<string, string | number> {
  const all: Record<string, string | number> = { 'content-length': Buffer.byteLength(body) }
  if (contentType !== undefined) all['content-type'] = contentType
  if (headers !== undefined) Object.assign(all, headers)
  if (isLast === true) all['connection'] = 'close'
  return all
}
