/**
 * HTTP requests that a policy makes to other systems. One per policy worker. Every wait has an end, every answer and the
 * cache have a size, and an answer that did not come is a value, never an exception.
 */
import type * as Undici from 'undici'
import type { Agent, Dispatcher } from 'undici'
import { textToBytes } from '../login/byte-string.ts'
import { basicAuthorization, headerValue } from '../outgoing/header-value.ts'
import { redactUrl } from '../outgoing/redact-url.ts'
import { createSharedLookup } from '../outgoing/shared-lookup.ts'
import { tlsClientOptions, type TlsClientSettings } from '../outgoing/tls-client-options.ts'
import { AnswerCollector, type AnswerLimits } from './answer-collector.ts'
import { AnswerCache } from './answer-cache.ts'
import { failed, type HttpAnswer, type HttpQuestion } from './http-answer.ts'

export interface HttpClientOptions {
  readonly tls: TlsClientSettings
  readonly cache?: {
    /** Answers kept; default 1000. */
    readonly entries?: number
    /** Size of all answers kept; default 16 MiB. */
    readonly sizeBytes?: number
    /** How long a request that failed is not tried again, when its caller wants caching; default 2 s. */
    readonly negativeTtlMs?: number
  }
  /** Default 64. */
  readonly maxConnectionsPerOrigin?: number
  /** A longer answer is an error; default 1 MiB. */
  readonly maxBodyBytes?: number
  /** Requests under way at once; more are refused; default 1000. */
  readonly maxInFlight?: number
}

export interface HttpClient {
  /** Never rejects. Redirects are answers like any other. */
  request(question: HttpQuestion): Promise<HttpAnswer>
  close(): Promise<void>
}

const DEFAULT_TIMEOUT_MS = 2_000
const DEFAULT_BODY_BYTES = 1024 * 1024
const DEFAULT_CONNECTIONS = 64
const DEFAULT_IN_FLIGHT = 1000
/** Servers that a policy may have open connections to; an unused one is forgotten. */
const MAX_ORIGINS = 1000
/** Opening a connection goes on without its request; this ends it. */
const CONNECT_TIMEOUT_MS = 30_000
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/** @throws TrackError TRK_TLS_CLIENT_FILES when a certificate or key cannot be used. */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const { maxBodyBytes = DEFAULT_BODY_BYTES, maxInFlight = DEFAULT_IN_FLIGHT } = options
  const cache = new AnswerCache(options.cache ?? {})
  const agentOptions: Agent.Options = {
    allowH2: false,
    connections: options.maxConnectionsPerOrigin ?? DEFAULT_CONNECTIONS,
    maxOrigins: MAX_ORIGINS,
    connect: { ...tlsClientOptions(options.tls), timeout: CONNECT_TIMEOUT_MS, lookup: createSharedLookup() },
    // The time limit of the whole request covers both.
    headersTimeout: 0,
    bodyTimeout: 0,
  }
  let undici: typeof Undici | undefined
  let agent: Agent | undefined
  let isClosed = false
  let inFlight = 0

  async function ask(url: URL, question: HttpQuestion): Promise<HttpAnswer> {
    if (inFlight >= maxInFlight) {
      return failed(`${url.origin} was not asked: ${maxInFlight} requests are under way, which is the limit`)
    }
    inFlight += 1
    try {
      // Loaded with the first request: no package takes longer, on each thread, and most policies ask nobody. It is not the
      // other system's time: on a busy machine a first question with a short limit would get no answer.
      undici ??= await import('undici')
      if (isClosed) return failed(`${url.origin} was not asked: the server is stopping`)
      agent ??= new undici.Agent(agentOptions)
      return await exchange(agent, requestOptions(url, question), {
        origin: url.origin,
        timeoutMs: question.timeoutMs ?? DEFAULT_TIMEOUT_MS,
        maxBodyBytes,
      })
    } finally {
      inFlight -= 1
    }
  }

  return {
    // oxlint-disable-next-line require-await -- a bad question must be an answer too, not an exception
    async request(question) {
      const checked = checkQuestion(question)
      if (!checked.ok) return checked
      const { url } = checked
      return isCacheable(question)
        ? cache.answer(cacheKey(question), question, () => ask(url, question))
        : ask(url, question)
    },
    async close() {
      isClosed = true
      await agent?.destroy()
    },
  }
}

/** Never rejects. */
function exchange(
  agent: Agent,
  request: Dispatcher.DispatchOptions,
  limits: AnswerLimits,
): Promise<HttpAnswer> {
  return new Promise((resolve) => {
    const collector = new AnswerCollector(limits, resolve)
    try {
      agent.dispatch(request, collector)
    } catch (error) {
      collector.onResponseError(undefined, error instanceof Error ? error : new Error(String(error)))
    }
  })
}

function checkQuestion(
  question: HttpQuestion,
): { readonly ok: true; readonly url: URL } | Extract<HttpAnswer, { readonly ok: false }> {
  const url = URL.parse(question.url)
  if (url === null) return failed(`${JSON.stringify(redactUrl(question.url))} is not a valid URL`)
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    return failed(`${url.protocol} URLs cannot be asked; use http or https`)
  const method = question.method ?? 'GET'
  if (!METHODS.has(method)) {
    return failed(
      `${JSON.stringify(method)} is not a method that can be used; there are ${[...METHODS].join(', ')}`,
    )
  }
  return { ok: true, url }
}

/** Only what asks for it: for a policy that blocks logins, an answer of a minute ago is not the same as one of now. */
function isCacheable({ method = 'GET', body, cacheSeconds }: HttpQuestion): boolean {
  return (
    cacheSeconds !== undefined &&
    cacheSeconds > 0 &&
    body === undefined &&
    (method === 'GET' || method === 'HEAD')
  )
}

/** All that the answer may depend on. */
function cacheKey({ method = 'GET', url, headers = {} }: HttpQuestion): string {
  const lines = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])
  return JSON.stringify([method, url, ...lines.toSorted(([a = ''], [b = '']) => (a < b ? -1 : 1))])
}

function requestOptions(
  url: URL,
  question: HttpQuestion,
): Dispatcher.DispatchOptions & { readonly origin: string } {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(question.headers ?? {})) headers[name] = headerValue(value)
  if (url.username !== '' && !Object.keys(headers).some((name) => name.toLowerCase() === 'authorization')) {
    headers['Authorization'] = basicAuthorization(
      `${percentDecoded(url.username)}:${percentDecoded(url.password)}`,
    )
  }
  return {
    origin: url.origin,
    path: url.pathname + url.search,
    method: question.method ?? 'GET',
    headers,
    body: question.body === undefined ? null : textToBytes(question.body),
  }
}

/** As it stands where it is no percent-encoding. */
function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
