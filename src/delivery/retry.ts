/**
 * What an HTTP answer to a delivery means, and when to try again. Pure.
 */
import type { NetworkFailure, NetworkFailureKind } from '../outgoing/network-failure.ts'

/** How one HTTP request ended. */
export type HttpAttempt =
  | { readonly kind: 'answer'; readonly status: number; readonly retryAfter: string | undefined }
  | { readonly kind: 'failure'; readonly failure: NetworkFailure }

/**
 * Worth another try. A closed set: it labels metrics. `login` is a mail server that did not accept the password: that is
 * mended on either side, and no message is to be lost over it; `failed` a script that says so.
 */
export type RetryReason = NetworkFailureKind | 'busy' | 'server-error' | 'login' | 'failed'
/** Not worth another try. A closed set: it labels metrics. */
export type FinalReason = 'redirect' | 'unauthorized' | 'refused' | 'unexpected'

export type Verdict =
  | { readonly kind: 'success' }
  | { readonly kind: 'retry'; readonly reason: RetryReason; readonly retryAfterMs: number | undefined }
  | { readonly kind: 'final'; readonly reason: FinalReason }

export interface RetryPolicy {
  /** Wait after the first failure; it doubles with every further one. */
  readonly firstDelayMs: number
  readonly maxDelayMs: number
  /** A message this old is given up. */
  readonly maxAgeMs: number
}

export const DEFAULT_RETRY_POLICY: RetryPolicy = {
  firstDelayMs: 1_000,
  maxDelayMs: 5 * 60_000,
  maxAgeMs: 24 * 3_600_000,
}

/** A receiver may ask for less haste, but not for a message to be forgotten. */
export const MAX_RETRY_AFTER_MS = 3_600_000

/** 408, 425 and 429 ask to come again; see RFC 9110, RFC 8470 and RFC 6585. */
const BUSY: ReadonlySet<number> = new Set([408, 425, 429])

/** @param nowMs - Unix milliseconds, for a Retry-After header that gives a date */
export function classify(attempt: HttpAttempt, nowMs: number): Verdict {
  if (attempt.kind === 'failure')
    return { kind: 'retry', reason: attempt.failure.kind, retryAfterMs: undefined }
  const { status } = attempt
  if (status >= 200 && status < 300) return { kind: 'success' }
  if (BUSY.has(status) || (status >= 500 && status < 600)) {
    const reason = BUSY.has(status) ? 'busy' : 'server-error'
    return { kind: 'retry', reason, retryAfterMs: parseRetryAfterMs(attempt.retryAfter, nowMs) }
  }
  if (status === 401 || status === 403) return { kind: 'final', reason: 'unauthorized' }
  if (status >= 300 && status < 400) return { kind: 'final', reason: 'redirect' }
  return { kind: 'final', reason: status >= 400 && status < 500 ? 'refused' : 'unexpected' }
}

/**
 * Milliseconds that a Retry-After header asks to wait: seconds or a date (RFC 9110, section 10.2.3), at least 0 and at
 * most MAX_RETRY_AFTER_MS. Undefined if it is neither.
 */
export function parseRetryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined
  const text = header.trim()
  const delayMs = /^\d+$/.test(text) ? Number(text) * 1000 : httpDateMs(text) - nowMs
  return Number.isNaN(delayMs) ? undefined : Math.min(Math.max(delayMs, 0), MAX_RETRY_AFTER_MS)
}

/** The three forms of RFC 9110, section 5.6.7, all of them in UTC; NaN if the text is none of them. */
function httpDateMs(text: string): number {
  if (/^[A-Z][a-z]+, \d{2}[ -][A-Z][a-z]{2}[ -]\d{2,4} \d{2}:\d{2}:\d{2} GMT$/.test(text))
    return Date.parse(text)
  if (/^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/.test(text))
    return Date.parse(`${text} GMT`)
  return Number.NaN
}

/**
 * Wait before the next try: exponential, and then a random part of its upper half, so that receivers that come back are
 * not met by everybody at once.
 *
 * @param tries - failed tries so far, at least 1
 * @param random - a number in [0, 1)
 */
export function backOffMs(
  tries: number,
  random: number,
  policy: Pick<RetryPolicy, 'firstDelayMs' | 'maxDelayMs'>,
): number {
  const fullMs = Math.min(policy.firstDelayMs * 2 ** (tries - 1), policy.maxDelayMs)
  return fullMs * (0.5 + random / 2)
}
