/**
 * What the bench and its load client say to each other: one order at a time, one answer.
 */

import type { Percentiles } from './percentiles.ts'

/**
 * What requests carry:
 * - `report`: a report of one of 1,000 logins from one of 256 addresses
 * - `endpoint`: the same names for a custom endpoint
 * - `any-key`: a report of any of half of `keys` logins, from any of as many addresses
 * - `each-key`: 512 reports at once; `keys` / 1,024 of these have had each login and each address once
 * - `simulated`: a report of the simulator
 */
export type Body = 'report' | 'endpoint' | 'any-key' | 'each-key' | 'simulated'

/** Requests that the client sends, over keep-alive connections with one request in flight on each. */
export interface LoadOrder {
  readonly url: string
  readonly path: string
  /** Value of the Authorization header. */
  readonly authorization: string
  readonly body: Body
  /** Logins and addresses together. */
  readonly keys?: number
  /** Number of the first request, default 0: the same numbers are the same requests for every server. */
  readonly first?: number
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
  readonly latency: Percentiles
}
