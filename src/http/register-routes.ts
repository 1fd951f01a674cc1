/**
 * The way of a request through Fastify: ACL, password, body, handler, and what each failure answers. Lives on the
 * threads that take requests. Nothing is answered before the ACL was asked. Called for every request, so kept short:
 * answers are written to Node's response directly, which saves a tenth of a request's cost.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { ERRORS } from '../errors.ts'
import { closing, failure, outsideAcl, UNAUTHORIZED, type Answer } from './answer.ts'
import { createDirectRoute } from './direct-route.ts'
import type { Gate } from './gate.ts'
import type { HttpOptions, HttpPorts } from './http-ports.ts'
import { createRoutes, METRICS_PATH, notFoundAnswer, reportRoute, type RouteRequest } from './routes.ts'
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
const NO_BODY = new Uint8Array()

/**
 * Prepares a Fastify instance; to be called once, before it is ready.
 *
 * @returns the way of reports, around Fastify.
 */
export function registerRoutes(app: FastifyInstance, deps: RouteDeps, options: HttpOptions): RequestListener {
  const { ports } = deps
  const routes = createRoutes(ports, options)
  const openPaths = new Set(routes.filter((route) => !route.needsPassword).map((route) => route.path))
  const refusalOf = createRefusal(deps.gate, openPaths)
  const write = (response: ServerResponse, answer: Answer): void =>
    writeAnswer(response, deps.isDraining() ? closing(answer) : answer)
  const send = (reply: FastifyReply, answer: Answer): FastifyReply => {
    reply.hijack()
    write(reply.raw, answer)
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
      async handler({ body, raw, originalUrl }, reply) {
        try {
          return send(reply, await handle(routeRequest(body, raw, originalUrl)))
        } catch (error) {
          return send(reply, errorAnswer(error, ports))
        }
      },
    })
  }
  app.setNotFoundHandler(({ raw }, reply) => send(reply, notFoundAnswer(ports, raw.url ?? '')))
  // What Fastify itself fails at: reading the body.
  app.setErrorHandler((error, { raw }, reply) => {
    if (!raw.socket.destroyed) return send(reply, bodyErrorAnswer(error, ports, options))
    // The client is gone, or was cut off and has its answer.
    reply.hijack()
    return reply
  })
  return createDirectRoute(
    { refusalOf, errorAnswer: (error) => errorAnswer(error, ports), send: write },
    reportRoute(ports),
    options,
  )
}

/** The content parser gives a buffer; there is none when the request had no body at all. */
function routeRequest(body: unknown, raw: IncomingMessage, target: string): RouteRequest {
  return { body: body instanceof Uint8Array ? body : NO_BODY, path: raw.url ?? '', target }
}

/** The answer for whoever may not go on; undefined for everybody else. */
function createRefusal(gate: Gate, openPaths: ReadonlySet<string>) {
  return ({ socket, headers, url = '', httpVersionMinor }: IncomingMessage): Answer | undefined => {
    if (!gate.admits(socket)) return outsideAcl(gate.peerOf(socket))
    const isOpen = openPaths.has(url) || (url === METRICS_PATH && gate.areMetricsOpen())
    if (!isOpen && !gate.hasPassword(headers.authorization, socket)) return UNAUTHORIZED
    // RFC 9112 section 3.2 asks for a 400.
    if (headers.host === undefined && httpVersionMinor === 1) return NO_HOST
    const encoding = headers['content-encoding']
    return encoding === undefined || encoding.toLowerCase() === 'identity' ? undefined : ENCODED
  }
}

function bodyErrorAnswer(
  error: unknown,
  ports: Pick<HttpPorts, 'onInternalError'>,
  { bodyLimitBytes }: Pick<HttpOptions, 'bodyLimitBytes'>,
): Answer {
  const code = codeOf(error)
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return closing(failure(413, `The body is larger than ${bodyLimitBytes} bytes`))
  }
  return code.startsWith('FST_ERR_CTP_') ? BROKEN_BODY : errorAnswer(error, ports)
}

/** An error that a handler threw is a fault of this program, of which the client learns nothing. */
function errorAnswer(error: unknown, ports: Pick<HttpPorts, 'onInternalError'>): Answer {
  ports.onInternalError?.(error)
  return INTERNAL
}

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return ''
  return typeof error.code === 'string' ? error.code : ''
}
