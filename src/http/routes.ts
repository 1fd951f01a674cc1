/**
 * The requests that the server answers: one entry each, and what it does. Lives on the threads that take requests.
 * The gate has been passed when a handler runs. openapi-document.ts describes these routes; a test compares them.
 */
import { parseEndpointArguments } from '../login/endpoint-arguments.ts'
import { parseReportBody } from '../login/report-body.ts'
import { alertActionAnswer, alertListAnswer } from './alert-answers.ts'
import {
  ACCEPTED,
  EMPTY,
  endpointFailure,
  endpointReturned,
  failure,
  json,
  LATE,
  retryAfter,
  type Answer,
} from './answer.ts'
import type { EndpointOutcome, HttpOptions, HttpPorts, SubmitOutcome } from './http-ports.ts'
import { OPENAPI_DOCUMENT } from './openapi-document.ts'
import { withinDeadline } from './within-deadline.ts'

/** What a handler sees of a request. */
export interface RouteRequest {
  /** Empty if there was none. */
  readonly body: Uint8Array
  /** As routePathOf made it. */
  readonly path: string
  /** The target as the client wrote it, with the query. */
  readonly target: string
}

export interface Route {
  readonly method: 'GET' | 'POST'
  /** As Fastify takes it. */
  readonly path: string
  /** The metrics may be open all the same, which is the gate's business. */
  readonly needsPassword: boolean
  readonly handle: (request: RouteRequest) => Answer | Promise<Answer>
}

export const DEFAULT_HANDLER_TIMEOUT_MS = 60_000

export const METRICS_PATH = '/metrics'
const COMMAND_PATH = '/command/'
/** When readiness comes back is not known; a load balancer asks every few seconds anyway. */
const READY_RETRY_SECONDS = 5

export function createRoutes(
  ports: HttpPorts,
  options: Pick<HttpOptions, 'handlerTimeoutMs'>,
): readonly Route[] {
  const timeoutMs = options.handlerTimeoutMs ?? DEFAULT_HANDLER_TIMEOUT_MS
  const openApi = json(200, JSON.stringify(OPENAPI_DOCUMENT))
  const open = (route: Route): Route => ({ ...route, needsPassword: false })
  const counted = (name: string, handle: Route['handle']): Route['handle'] => countedBy(ports, name, handle)
  return [
    reportRoute(ports),
    get(
      '/command/stats',
      counted('stats', () => json(200, JSON.stringify(ports.stats()))),
    ),
    get(
      '/command/alerts',
      counted('alerts', ({ target }) => alertListAnswer(ports, target, timeoutMs)),
    ),
    post(
      '/command/alerts',
      counted('alerts', ({ body }) => alertActionAnswer(ports, body, timeoutMs)),
    ),
    open(
      get(
        '/command/livez',
        counted('livez', () => EMPTY),
      ),
    ),
    open(
      get(
        '/command/readyz',
        counted('readyz', () => readyAnswer(ports)),
      ),
    ),
    get(METRICS_PATH, () => metricsAnswer(ports, timeoutMs)),
    get('/openapi.json', () => openApi),
    post(`${COMMAND_PATH}:endpoint`, (request) => endpointAnswer(ports, request, timeoutMs)),
  ]
}

/** POST of one or several reports. */
export function reportRoute(ports: HttpPorts): Route {
  return post(
    '/command/report',
    countedBy(ports, 'report', ({ body }) => reportAnswer(ports, body)),
  )
}

function get(path: string, handle: Route['handle']): Route {
  return { method: 'GET', path, needsPassword: true, handle }
}

function post(path: string, handle: Route['handle']): Route {
  return { ...get(path, handle), method: 'POST' }
}

function countedBy(
  ports: Pick<HttpPorts, 'countCommand'>,
  name: string,
  handle: Route['handle'],
): Route['handle'] {
  return (request) => {
    ports.countCommand(name)
    return handle(request)
  }
}

/** For requests that no route takes: 405 where another method would be right, else 404. */
export function notFoundAnswer(ports: Pick<HttpPorts, 'endpointNames'>, path: string): Answer {
  const allowed =
    path === '/command/alerts'
      ? 'GET, POST'
      : GET_PATHS.has(path)
        ? 'GET'
        : isPostPath(ports, path)
          ? 'POST'
          : undefined
  if (allowed === undefined) return failure(404, 'Not found')
  return { ...failure(405, 'Method not allowed'), headers: { allow: allowed } }
}

const GET_PATHS: ReadonlySet<string> = new Set([
  '/command/stats',
  '/command/livez',
  '/command/readyz',
  METRICS_PATH,
  '/openapi.json',
])

function isPostPath(ports: Pick<HttpPorts, 'endpointNames'>, path: string): boolean {
  return path === '/command/report' || ports.endpointNames().has(endpointNameOf(path))
}

/**
 * Nothing here ends the wait for the store: Node does it when nothing moves on the connection for the handler's time
 * (see closeSilent), which costs nothing, and this is the hot path.
 */
function reportAnswer(ports: HttpPorts, body: Uint8Array): Answer | Promise<Answer> {
  const parsed = parseReportBody(body, (ports.now ?? Date.now)() / 1000)
  if (!parsed.ok) return failure(400, parsed.reason)
  return ports.submitReports(parsed.reports).then(submittedAnswer)
}

function submittedAnswer(outcome: SubmitOutcome): Answer {
  switch (outcome.kind) {
    case 'accepted':
      return ACCEPTED
    case 'refused':
      return retryAfter(failure(503, outcome.reason), outcome.retryAfterSeconds)
    default:
      return outcome satisfies never
  }
}

async function endpointAnswer(
  ports: HttpPorts,
  { body, path }: RouteRequest,
  timeoutMs: number,
): Promise<Answer> {
  const name = endpointNameOf(path)
  if (!ports.endpointNames().has(name)) return notFoundAnswer(ports, path)
  ports.countCommand(name)
  const parsed = parseEndpointArguments(body)
  if (!parsed.ok) return endpointFailure(400, parsed.reason)
  const late = new AbortController()
  const running = ports.runEndpoint(name, parsed.args, late.signal)
  const outcome = await withinDeadline(running, timeoutMs, () => late.abort())
  if (outcome === undefined) return endpointFailure(500, 'The custom endpoint did not answer in time')
  return outcomeAnswer(outcome)
}

function outcomeAnswer(outcome: EndpointOutcome): Answer {
  switch (outcome.kind) {
    case 'returned':
      return endpointReturned(outcome.success, outcome.attributes)
    case 'failed':
      return endpointFailure(500, outcome.reason)
    case 'refused':
      return retryAfter(endpointFailure(503, outcome.reason), outcome.retryAfterSeconds)
    default:
      return outcome satisfies never
  }
}

function readyAnswer(ports: Pick<HttpPorts, 'readiness'>): Answer {
  const readiness = ports.readiness()
  return readiness.ready ? EMPTY : retryAfter(failure(503, readiness.reason), READY_RETRY_SECONDS)
}

async function metricsAnswer(ports: Pick<HttpPorts, 'metrics'>, timeoutMs: number): Promise<Answer> {
  const metrics = await withinDeadline(ports.metrics(), timeoutMs)
  return metrics === undefined ? LATE : { status: 200, ...metrics }
}

/** routePathOf has encoded the name. */
function endpointNameOf(path: string): string {
  return path.startsWith(COMMAND_PATH) ? decodeURIComponent(path.slice(COMMAND_PATH.length)) : ''
}
