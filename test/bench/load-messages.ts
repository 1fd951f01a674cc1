/**
 * What the bench and its load client say to each other: one order at a time, one answer.
 */

/** Requests that the client sends, over keep-alive connections with one request in flight on each. */
export interface LoadOrder {
  readonly url: string
  readonly path: string
  /** Value of the Authorization header. */
  readonly authorization: string
  readonly body: 'report' | 'endpoint'
  readonly connections: number
  readonly requests: number
  /** As fast as the server answers if not given; else so many a second, evenly, whether or not it keeps up. */
  readonly requestsPerSecond?: number
}

export interface LoadResult {
  /** Unix milliseconds of the first request, with fractions. */
  readonly startedAtMs: number
  /** Of the last answer. */
  readonly endedAtMs: number
  /** Answers other than 200. */
  readonly failures: number
  /** Milliseconds from the time at which a request was due to its answer. */
  readonly latency: { readonly p50: number; readonly p99: number; readonly p999: number }
}
