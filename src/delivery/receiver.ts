/**
 * One server that takes webhooks: its connections, and one try at a time through them. Main thread. It knows nothing
 * of retries; redirects are answers like any other.
 */
import type * as Undici from 'undici'
import type { Client, Dispatcher, Pool } from 'undici'
import { networkFailure } from '../outgoing/network-failure.ts'
import { createSharedLookup } from '../outgoing/shared-lookup.ts'
import { isSameTls, type TlsClientOptions } from '../outgoing/tls-client-options.ts'
import type { HttpAttempt } from './retry.ts'
import type { WebHookRequest } from './web-hook-request.ts'

export interface ReceiverOptions {
  readonly connections: number
  /** From opening the connection to the end of the answer. */
  readonly timeoutMs: number
  readonly tls: TlsClientOptions
}

/** A webhook's answer says nothing; so much of it is read to keep the connection, beyond it the connection goes. */
const MAX_ANSWER_BYTES = 16 * 1024

export class Receiver {
  readonly #origin: string
  readonly #options: ReceiverOptions
  readonly #timeoutMs: number
  readonly #clientOptions: Client.Options
  #undici: typeof Undici | undefined
  #pool: Pool | undefined
  #isClosed = false
  /** The tries under way; the callers bound them. */
  readonly #tries = new Set<AbortController>()

  constructor(origin: string, options: ReceiverOptions) {
    const { timeoutMs, tls } = options
    this.#origin = origin
    this.#options = options
    this.#timeoutMs = timeoutMs
    this.#clientOptions = {
      allowH2: false,
      connect: { ...tls, timeout: timeoutMs, lookup: createSharedLookup() },
      // The time limit of the whole try covers both.
      headersTimeout: 0,
      bodyTimeout: 0,
    }
  }

  /** Whether one for this server with these options would behave the same. */
  isLike(origin: string, { connections, timeoutMs, tls }: ReceiverOptions): boolean {
    const own = this.#options
    return (
      this.#origin === origin &&
      own.connections === connections &&
      own.timeoutMs === timeoutMs &&
      isSameTls(own.tls, tls)
    )
  }

  /** Never rejects. */
  send(request: WebHookRequest): Promise<HttpAttempt> {
    return this.#attempt(request, ({ Pool }) => {
      const { connections } = this.#options
      this.#pool ??= new Pool(this.#origin, { ...this.#clientOptions, connections })
      return this.#pool
    })
  }

  /** As `send`, on a connection of its own: no earlier answer can have closed it. */
  async sendOnFreshConnection(request: WebHookRequest): Promise<HttpAttempt> {
    let own: Client | undefined
    try {
      return await this.#attempt(
        request,
        ({ Client }) => (own = new Client(this.#origin, this.#clientOptions)),
      )
    } finally {
      await own?.destroy()
    }
  }

  /** Ends the tries under way, which then report a failure, and closes every connection. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const controller of this.#tries) controller.abort()
    await this.#pool?.destroy()
  }

  async #attempt(
    { url, headers, body }: WebHookRequest,
    connect: (undici: typeof Undici) => Dispatcher,
  ): Promise<HttpAttempt> {
    const controller = new AbortController()
    let timer: NodeJS.Timeout | undefined
    this.#tries.add(controller)
    try {
      // Loaded when something is sent for the first time: no package takes longer, and many servers send nothing. It is not
      // the receiver's time.
      this.#undici ??= await import('undici')
      timer = setTimeout(
        () => controller.abort(new DOMException('the time is up', 'TimeoutError')),
        this.#timeoutMs,
      )
      if (this.#isClosed) throw new Error('the connections to it were closed')
      const response = await connect(this.#undici).request({
        origin: this.#origin,
        method: 'POST',
        path: url.pathname + url.search,
        headers,
        body,
        signal: controller.signal,
      })
      await discard(response.body)
      return {
        kind: 'answer',
        status: response.statusCode,
        retryAfter: firstValue(response.headers['retry-after']),
      }
    } catch (error) {
      return { kind: 'failure', failure: networkFailure(error) }
    } finally {
      clearTimeout(timer)
      this.#tries.delete(controller)
    }
  }
}

async function discard(body: Dispatcher.ResponseData['body']): Promise<void> {
  try {
    await body.dump({ limit: MAX_ANSWER_BYTES })
  } catch {
    // The status has been read and decides; that the rest of the answer was cut off changes nothing.
  }
}

function firstValue(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : header?.[0]
}
