/**
 * Sends notifications to a webhook: the whole of it as JSON, or what the operator's template or Lua function makes
 * of it. Main thread.
 */
import type { TlsClientOptions } from '../../../outgoing/tls-client-options.ts'
import { Receiver } from '../../receiver.ts'
import { httpAttempt } from '../../web-hook-sender.ts'
import { buildRequest } from '../../web-hook-request.ts'
import { expandTemplate } from '../alert-macros.ts'
import type { Sink, SinkFunction, SinkMessage } from '../sink-port.ts'
import type { WebHookSink } from './webhook-sink.ts'

interface WebHookSinkDeps {
  readonly tls: TlsClientOptions
  /** Unix milliseconds. */
  readonly now: () => number
}

const CONNECTIONS = 4

/** Gets the first alert and the whole notification. */
const BODY_FUNCTION: SinkFunction = {
  callsFor: ({ alert, body }) => [`[${JSON.stringify(alert)},${body}]`],
  isNeeded: false,
}

export function createWebHookSink(sink: WebHookSink, { tls, now }: WebHookSinkDeps): Sink {
  const { hook, timeoutMs } = sink
  const receiver = new Receiver(hook.origin, { connections: CONNECTIONS, timeoutMs, tls })
  return {
    concurrency: CONNECTIONS,
    ...(sink.hasFunction ? { luaFunction: BODY_FUNCTION } : {}),
    async notify([message]) {
      const request = buildRequest(
        hook,
        { deliveryId: message.deliveryId, body: bodyOf(sink, message) },
        now(),
      )
      const attempt = await receiver.send(request)
      // A kept-alive connection that was just being closed: see sender.ts.
      const wasIdle = attempt.kind === 'failure' && attempt.failure.kind === 'reset'
      return httpAttempt(wasIdle ? await receiver.sendOnFreshConnection(request) : attempt, now())
    },
    close: () => receiver.close(),
  }
}

function bodyOf({ template, hook }: WebHookSink, { body, notification, alert, made }: SinkMessage): string {
  const text = made?.[0] ?? undefined
  // Kafka's proxy takes JSON only.
  if (text !== undefined) return hook.kafka ? asJson(text) : text
  if (template === undefined) return body
  const isJson = hook.kafka || /json/i.test(hook.contentType)
  return expandTemplate(template, notification, alert, isJson ? insideJsonString : (value) => value)
}

/** JSON as it is, any other text as a string of JSON. */
function asJson(text: string): string {
  try {
    JSON.parse(text)
    return text
  } catch {
    return JSON.stringify(text)
  }
}

function insideJsonString(value: string): string {
  return JSON.stringify(value).slice(1, -1)
}
