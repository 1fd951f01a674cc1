/**
 * The requests that the server answers: one entry each, and what it does. Lives on the threads that take requests.
 * The gate has been passed when a handler runs. openapi-document.ts describes these routes; a test compares them.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { ERRORS } from '../errors.ts'
import { parseEndpointArguments } from '../login/endpoint-arguments.ts'
import { parseReportBody } from '../login/report-body.ts'
import { endpointBody, endpointFailureBody, failureBody, JSON_TYPE, OK_BODY } from './answer.ts'
import type { EndpointOutcome, HttpOptions, HttpPorts } from './http-ports.ts'
import { OPENAPI_DOCUMENT } from './openapi-document.ts'
import { LATE, withinDeadline } from './within-deadline.ts'

export interface Route {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly needsPassword: boolean
  readonly handle: (request: FastifyRequest, reply: FastifyReply) => FastifyReply | Promise<FastifyReply>
}

/** Where `NAME` is that of a custom endpoint. */
export const ENDPOINT_PATH = '/command/:endpoint'

export const DEFAULT_HANDLER_TIMEOUT_MS = 60_000
/** For what this program cannot foresee the end of. */
const RETRY_AFTER_SECONDS = 5
const NO_BODY = Buffer.alloc(0)
const GET_PATHS: ReadonlySet<string> = new Set([
  '/command/stats',
  '/command/livez',
  '/command/readyz',
  '/metrics',
  '/openapi.json',
])

export function createRoutes(
  ports: HttpPorts,
  options: Pick<HttpOptions, 'metricsNoPassword' | 'handlerTimeoutMs'>,
): readonly Route[] {
  const timeoutMs = options.handlerTimeoutMs ?? DEFAULT_HANDLER_TIMEOUT_MS
  const openApi = JSON.stringify(OPENAPI_DOCUMENT)
  return [
    {
      method: 'POST',
      path: '/command/report',
      needsPassword: true,
      handle: createReportHandler(ports, timeoutMs),
    },
    {
      method: 'GET',
      path: '/command/stats',
      needsPassword: true,
      handle(_request, reply) {
        ports.countCommand('stats')
        return sendJson(reply, 200, JSON.stringify(ports.stats()))
      },
    },
    {
      method: 'GET',
      path: '/command/livez',
      needsPassword: false,
      handle(_request, reply) {
        ports.countCommand('livez')
        return reply.send()
      },
    },
    {
      method: 'GET',
      path: '/command/readyz',
      needsPassword: false,
      handle(_request, reply) {
        ports.countCommand('readyz')
        const readiness = ports.readiness()
        return readiness.ready
          ? reply.send()
          : sendUnavailable(reply, failureBody(readiness.reason), RETRY_AFTER_SECONDS)
      },
    },
    {
      method: 'GET',
      path: '/metrics',
      needsPassword: !options.metricsNoPassword,
      async handle(_request, reply) {
        const metrics = await withinDeadline(ports.metrics(), timeoutMs)
        if (metrics === LATE) return sendLate(reply)
        return reply.header('content-type', metrics.contentType).send(metrics.body)
      },
    },
    {
      method: 'GET',
      path: '/openapi.json',
      needsPassword: true,
      handle: (_request, reply) => sendJson(reply, 200, openApi),
    },
    {
      method: 'POST',
      path: ENDPOINT_PATH,
      needsPassword: true,
      handle: createEndpointHandler(ports, timeoutMs),
    },
  ]
}

function createReportHandler(ports: HttpPorts, timeoutMs: number): Route['handle'] {
  const now = ports.now ?? Date.now
  return async (request, reply) => {
    ports.countCommand('report')
    const parsed = parseReportBody(bodyOf(request), now() / 1000)
    if (!parsed.ok) return sendJson(reply, 400, failureBody(parsed.reason))
    const outcome = await withinDeadline(ports.submitReports(parsed.reports), timeoutMs)
    if (outcome === LATE) return sendLate(reply)
    switch (outcome.kind) {
      case 'accepted':
        return sendJson(reply, 200, OK_BODY)
      case 'refused':
        return sendUnavailable(reply, failureBody(outcome.reason), outcome.retryAfterSeconds)
      default:
        return outcome satisfies never
    }
  }
}

function createEndpointHandler(ports: HttpPorts, timeoutMs: number): Route['handle'] {
  return async (request, reply) => {
    const name = endpointNameOf(request)
    if (!ports.endpointNames().has(name)) {
      return sendNotFound(request, reply, ports)
    }
    ports.countCommand(name)
    const parsed = parseEndpointArguments(bodyOf(request))
    if (!parsed.ok) return sendJson(reply, 400, endpointFailureBody(parsed.reason))
    const late = new AbortController()
    const running = ports.runEndpoint(name, parsed.args, late.signal)
    const outcome = await withinDeadline(running, timeoutMs, () => late.abort())
    if (outcome === LATE) {
      return sendJson(reply, 500, endpointFailureBody('The custom endpoint did not answer in time'))
    }
    return sendEndpointOutcome(reply, outcome)
  }
}

function sendEndpointOutcome(reply: FastifyReply, outcome: EndpointOutcome): FastifyReply {
  switch (outcome.kind) {
    case 'returned':
      return sendJson(reply, 200, endpointBody(outcome.success, outcome.attributes))
    case 'failed':
      return sendJson(reply, 500, endpointFailureBody(outcome.reason))
    case 'refused':
      return sendUnavailable(reply, endpointFailureBody(outcome.reason), outcome.retryAfterSeconds)
    default:
      return outcome satisfies never
  }
}

/** For paths that are no route's: 405 where another method would be right, else 404. */
export function sendNotFound(
  request: FastifyRequest,
  reply: FastifyReply,
  ports: Pick<HttpPorts, 'endpointNames'>,
): FastifyReply {
  const allowed = allowedMethod(request.url, ports)
  if (allowed === undefined) return sendJson(reply, 404, failureBody('Not found'))
  return sendJson(reply.header('allow', allowed), 405, failureBody('Method not allowed'))
}

/** `path` is one that routePathOf made. */
function allowedMethod(path: string, ports: Pick<HttpPorts, 'endpointNames'>): Route['method'] | undefined {
  if (GET_PATHS.has(path)) return 'GET'
  if (path === '/command/report') return 'POST'
  const name = path.startsWith('/command/') ? decodeURIComponent(path.slice('/command/'.length)) : ''
  return ports.endpointNames().has(name) ? 'POST' : undefined
}

export function sendJson(reply: FastifyReply, status: number, body: string): FastifyReply {
  return reply.code(status).header('content-type', JSON_TYPE).send(body)
}

export function sendUnavailable(reply: FastifyReply, body: string, retryAfterSeconds: number): FastifyReply {
  return sendJson(reply.header('retry-after', String(Math.ceil(retryAfterSeconds))), 503, body)
}

function sendLate(reply: FastifyReply): FastifyReply {
  const { text } = ERRORS.TRK_HTTP_LATE
  return sendUnavailable(reply, failureBody(text), RETRY_AFTER_SECONDS)
}

/** The content parser gives a buffer; there is none when the request had no body at all. */
function bodyOf(request: FastifyRequest): Uint8Array {
  return request.body instanceof Uint8Array ? request.body : NO_BODY
}

function endpointNameOf({ params }: FastifyRequest): string {
  if (typeof params !== 'object' || params === null || !('endpoint' in params)) return ''
  return typeof params.endpoint === 'string' ? params.endpoint : ''
}
