/**
 * The way of a request through Fastify: ACL, password, body, handler, and what each failure answers. Lives on the
 * threads that take requests. Nothing is answered before the ACL was asked. Called for every request, so kept short:
 * answers are written to Node's response directly, which saves a tenth of a request's cost.
 */
import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { ERRORS, messageOf, type ErrorCode } from '../errors.ts'
import { closing, failure, outsideAcl, retryAfter, UNAUTHORIZED, type Answer } from './answer.ts'
import type { Gate } from './gate.ts'
import type { HttpOptions, HttpPorts } from './http-ports.ts'
import { createRoutes, notFoundAnswer, type RouteRequest } from './routes.ts'
import { writeAnswer } from './write-answer.ts'

interface RouteDeps {
  readonly ports: HttpPorts
  readonly gate: Gate
  /** The listener is stopping: connections are closed after their answer. */
  readonly isDraining: () => boolean
}

const NO_HOST = closing(failure(400, 'The Host header is missing'))
const ENCODED = closing(
  failure(ERRORS.TRK_HTTP_CONTENT_ENCODING.status, ERRORS.TRK_HTTP_CONTENT_ENCODING.text),
)
const BROKEN_BODY = closing(failure(400, 'The body of the request is broken'))
const INTERNAL = failure(ERRORS.TRK_HTTP_INTERNAL.status, ERRORS.TRK_HTTP_INTERNAL.text)
/** After an error that says nothing about it. */
const RETRY_AFTER_SECONDS = 5
const NO_BODY = new Uint8Array()

/** Prepares a Fastify instance; to be called once, before it is ready. */
export function registerRoutes(app: FastifyInstance, deps: RouteDeps, options: HttpOptions): void {
  const { ports } = deps
  const routes = createRoutes(ports, options)
  const openPaths = new Set(routes.filter((route) => !route.needsPassword).map((route) => route.path))
  const refusalOf = createRefusal(deps.gate, openPaths)
  const send = (reply: FastifyReply, answer: Answer): FastifyReply => {
    reply.hijack()
    writeAnswer(reply.raw, deps.isDraining() ? closing(answer) : answer)
    return reply
  }

  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  )
  app.addHook('onRequest', ({ raw }, reply, done) => {
    const refusal = refusalOf(raw)
    if (refusal === undefined) done()
    else send(reply, refusal)
  })
  for (const { method, path: url, handle } of routes) {
    app.route({
      method,
      url,
      handler: async ({ body, raw }, reply) => send(reply, await handle(routeRequest(body, raw))),
    })
  }
  app.setNotFoundHandler(({ raw }, reply) => send(reply, notFoundAnswer(ports, raw.url ?? '')))
  app.setErrorHandler((error, _request, reply) => send(reply, errorAnswer(error, ports, options)))
}

/** The content parser gives a buffer; there is none when the request had no body at all. */
function routeRequest(body: unknown, raw: IncomingMessage): RouteRequest {
  return { body: body instanceof Uint8Array ? body : NO_BODY, path: raw.url ?? '' }
}

/** The answer for whoever may not go on; undefined for everybody else. */
function createRefusal(gate: Gate, openPaths: ReadonlySet<string>) {
  return ({ socket, headers, url = '', httpVersionMinor }: IncomingMessage): Answer | undefined => {
    if (!gate.admits(socket)) return outsideAcl(gate.peerOf(socket))
    if (!openPaths.has(url) && !gate.hasPassword(headers.authorization, socket)) return UNAUTHORIZED
    // RFC 9112 section 3.2 asks for a 400.
    if (headers.host === undefined && httpVersionMinor === 1) return NO_HOST
    const encoding = headers['content-encoding']
    return encoding === undefined || encoding.toLowerCase() === 'identity' ? undefined : ENCODED
  }
}

/**
 * What a thrown error answers: 503 if it is one of the catalogue that says so; 4xx if Fastify could not read the body;
 * anything else is a fault of this program, of which the client learns nothing.
 */
function errorAnswer(
  error: unknown,
  ports: Pick<HttpPorts, 'onInternalError'>,
  { bodyLimitBytes }: Pick<HttpOptions, 'bodyLimitBytes'>,
): Answer {
  const code = codeOf(error)
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return closing(failure(413, `The body is larger than ${bodyLimitBytes} bytes`))
  }
  if (code.startsWith('FST_ERR_CTP_')) return BROKEN_BODY
  if (isCatalogued(code) && ERRORS[code].status === 503) {
    return retryAfter(failure(503, messageOf(error)), RETRY_AFTER_SECONDS)
  }
  ports.onInternalError?.(error)
  return INTERNAL
}

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return ''
  return typeof error.code === 'string' ? error.code : ''
}

function isCatalogued(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code)
}
