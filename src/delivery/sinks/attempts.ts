/**
 * Short ways to say how a try of a sink ended. Pure.
 */
import { networkFailure } from '../../outgoing/network-failure.ts'
import type { FinalReason, RetryReason } from '../retry.ts'
import type { Attempt } from '../sender.ts'
import { cutBytes, oneLine } from './clean-text.ts'

/** What another side says is cut to this, bytes. */
const MAX_ANSWER_BYTES = 4096

export function delivered(answer: string): Attempt {
  return { verdict: { kind: 'success' }, answer: answerText(answer) }
}

export function tryAgain(reason: RetryReason, answer: string): Attempt {
  return { verdict: { kind: 'retry', reason, retryAfterMs: undefined }, answer: answerText(answer) }
}

export function refused(reason: FinalReason, answer: string): Attempt {
  return { verdict: { kind: 'final', reason }, answer: answerText(answer) }
}

/** For an error of the network, of name resolution or of TLS. */
export function networkAttempt(error: unknown): Attempt {
  const { kind, text } = networkFailure(error)
  return tryAgain(kind, text)
}

/** What came from outside, as one short line. */
export function answerText(text: string): string {
  return cutBytes(oneLine(text), MAX_ANSWER_BYTES)
}
