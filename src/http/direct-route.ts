/**
 * A route without Fastify: for reports, which are nearly all requests. Fastify's objects and steps for each request cost
 * as much as everything that is done with a report here; it has every other request. Lives on the threads that take
 * requests. The same refusals, the same limit of a body, the same answers.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { closing, failure, type Answer } from './answer.ts'
import type { HttpOptions } from './http-ports.ts'
import type { Route } from './routes.ts'

interface DirectDeps {
  /** The answer for whoever may not go on. */
  readonly refusalOf: (request: IncomingMessage) => Answer | undefined
  readonly errorAnswer: (error: unknown) => Answer
  readonly send: (response: ServerResponse, answer: Answer) => void
}

/** What a client may write for a path that needs no thought. */
export const REPORT_TARGETS: ReadonlySet<string> = new Set(['/command/report', '/?command=report'])

/** Answers a request to this route, as a listener of a server's `request` event. */
export function createDirectRoute(
  { refusalOf, errorAnswer, send }: DirectDeps,
  { handle, path }: Route,
  { bodyLimitBytes }: Pick<HttpOptions, 'bodyLimitBytes'>,
) {
  const tooLarge = closing(failure(413, `The body is larger than ${bodyLimitBytes} bytes`))

  async function answer(response: ServerResponse, body: Uint8Array): Promise<void> {
    let made: Answer
    try {
      made = await handle({ body, path, target: path })
    } catch (error) {
      made = errorAnswer(error)
    }
    send(response, made)
  }

  return (request: IncomingMessage, response: ServerResponse): void => {
    const refusal = refusalOf(request)
    if (refusal !== undefined) return send(response, refusal)
    if (Number(request.headers['content-length']) > bodyLimitBytes) return send(response, tooLarge)
    readBody(request, bodyLimitBytes, (body) => {
      if (body === undefined) send(response, tooLarge)
      else void answer(response, body)
    })
  }
}

/** Calls back once: with the body, or with nothing when it is too large; never when the client went away. */
function readBody(
  request: IncomingMessage,
  limitBytes: number,
  done: (body: Uint8Array | undefined) => void,
): void {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  let isTooLarge = false
  request.on('data', (chunk: Buffer) => {
    sizeBytes += chunk.length
    if (sizeBytes <= limitBytes) {
      chunks.push(chunk)
    } else if (!isTooLarge) {
      isTooLarge = true
      done(undefined)
    }
  })
  request.on('end', () => {
    if (isTooLarge) return
    const [first] = chunks
    done(chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks))
  })
  // The client is gone, and nobody waits for an answer.
  request.on('error', () => undefined)
}
