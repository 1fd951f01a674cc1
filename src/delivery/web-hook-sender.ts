/**
 * The sender of one webhook: each message becomes a request to its receiver. Main thread.
 */
import type { Receiver } from './receiver.ts'
import { classify, type HttpAttempt } from './retry.ts'
import type { Attempt, OutgoingMessage, Sender } from './sender.ts'
import type { WebHookDefinition } from './web-hook.ts'
import { buildRequest, type WebHookRequest } from './web-hook-request.ts'

interface WebHookSenderDeps {
  /** Other webhooks of the same server may use it too; whoever made it closes it. */
  readonly receiver: Receiver
  /** Unix milliseconds. */
  readonly now: () => number
}

export function createWebHookSender(hook: WebHookDefinition, { receiver, now }: WebHookSenderDeps): Sender {
  const request = ({ deliveryId, body }: OutgoingMessage): WebHookRequest =>
    buildRequest(hook, { deliveryId, body }, now())
  return {
    send: async ([message]) => httpAttempt(await receiver.send(request(message)), now()),
    sendAfresh: async (message) => httpAttempt(await receiver.sendOnFreshConnection(request(message)), now()),
    close: () => Promise.resolve(),
  }
}

/** @param nowMs - Unix milliseconds */
export function httpAttempt(attempt: HttpAttempt, nowMs: number): Attempt {
  const answer = attempt.kind === 'answer' ? `status ${attempt.status}` : attempt.failure.text
  return { verdict: classify(attempt, nowMs), answer }
}
