/**
 * The way of a request through Fastify: ACL, password, body, handler, and what each failure answers. Lives on the
 * threads that take requests. Nothing is answered before the ACL was asked. Called for every request, so kept short.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { ERRORS, messageOf, type ErrorCode } from '../errors.ts'
import { aclFailureBody, failureBody } from './answer.ts'
import type { Gate } from './gate.ts'
import type { HttpOptions, HttpPorts } from './http-ports.ts'
import { createRoutes, sendJson, sendNotFound, sendUnavailable } from './routes.ts'

interface RouteDeps {
  readonly ports: HttpPorts
  readonly gate: Gate
  /** The listener is stopping: connections are closed after their answer. */
  readonly isDraining: () => boolean
}

/** Realm and spelling of the reference. */
const AUTHENTICATE = 'basic realm="wforce"'
/** After what this program did not foresee. */
const RETRY_AFTER_SECONDS = 5

/** Prepares a Fastify instance; to be called once, before it is ready. */
export function registerRoutes(app: FastifyInstance, deps: RouteDeps, options: HttpOptions): void {
  const { ports } = deps
  const routes = createRoutes(ports, options)
  const openPaths = new Set(routes.filter((route) => !route.needsPassword).map((route) => route.path))
  const refusal = createRefusal(deps.gate, openPaths)

  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  app.addHook('onRequest', (request, reply, done) => {
    if (refusal(request, reply) === undefined) done()
  })
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (deps.isDraining()) reply.header('connection', 'close')
    done(null, payload)
  })
  for (const { method, path, handle } of routes) app.route({ method, url: path, handler: handle })
  app.setNotFoundHandler((request, reply) => sendNotFound(request, reply, ports))
  app.setErrorHandler((error, _request, reply) => sendError(error, reply, { ports, options }))
}

/** Answers whoever may not go on; undefined for everybody else. */
function createRefusal(gate: Gate, openPaths: ReadonlySet<string>) {
  return (request: FastifyRequest, reply: FastifyReply): FastifyReply | undefined => {
    const { raw } = request
    const { socket, headers } = raw
    if (!gate.admits(socket)) {
      return sendJson(reply.header('connection', 'close'), 401, aclFailureBody(gate.peerOf(socket)))
    }
    if (!openPaths.has(raw.url ?? '') && !gate.hasPassword(headers.authorization, socket)) {
      return sendJson(reply.header('www-authenticate', AUTHENTICATE), 401, failureBody('Unauthorized'))
    }
    if (headers.host === undefined && raw.httpVersionMinor === 1) {
      return sendJson(reply.header('connection', 'close'), 400, failureBody('The Host header is missing'))
    }
    const encoding = headers['content-encoding']
    if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
      return sendJson(reply.header('connection', 'close'), 415, failureBody(ERRORS.TRK_HTTP_CONTENT_ENCODING.text))
    }
    return undefined
  }
}

/**
 * What a thrown error answers: its own status if it is of the catalogue or Fastify's about the request; anything else
 * is a fault of this program, of which the client learns nothing.
 */
function sendError(
  error: unknown,
  reply: FastifyReply,
  { ports, options }: { readonly ports: HttpPorts; readonly options: HttpOptions },
): FastifyReply {
  const code = codeOf(error)
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    const reason = `The body is larger than ${options.bodyLimitBytes} bytes`
    return sendJson(reply.header('connection', 'close'), 413, failureBody(reason))
  }
  if (code.startsWith('FST_ERR_CTP_')) {
    return sendJson(reply.header('connection', 'close'), 400, failureBody('The body of the request is broken'))
  }
  if (isCatalogued(code) && ERRORS[code].status === 503) {
    return sendUnavailable(reply, failureBody(messageOf(error)), RETRY_AFTER_SECONDS)
  }
  ports.onInternalError?.(error)
  return sendJson(reply, 500, failureBody(ERRORS.TRK_HTTP_INTERNAL.text))
}

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return ''
  return typeof error.code === 'string' ? error.code : ''
}

function isCatalogued(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code)
}
