/**
 * One delivery as an HTTP request: the reference's headers, the signature, Kafka's wrapping. Pure.
 */
import { Buffer } from 'node:buffer'
import { createHmac } from 'node:crypto'
import { textToBytes } from '../login/byte-string.ts'
import { basicAuthorization, headerValue } from '../outgoing/header-value.ts'
import type { OutgoingMessage } from './sender.ts'
import { expandUrl } from './url-template.ts'
import type { WebHookDefinition } from './web-hook.ts'

/** A POST, ready to be sent. Its headers hold secrets: not for logs. */
export interface WebHookRequest {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

const KAFKA_HEAD = Buffer.from('{"records":[{"value":')
const KAFKA_TAIL = Buffer.from('}]}')

/** @param nowMs - Unix milliseconds of the try, for the date in the URL and the signature */
export function buildRequest(
  definition: WebHookDefinition,
  message: Pick<OutgoingMessage, 'deliveryId' | 'body'>,
  nowMs: number,
): WebHookRequest {
  const { basicAuth, apiKey, secret } = definition
  const bytes = textToBytes(message.body)
  const body = definition.kafka ? Buffer.concat([KAFKA_HEAD, bytes, KAFKA_TAIL]) : bytes
  const headers: Record<string, string> = {
    'Content-Type': headerValue(definition.contentType),
    'X-Wforce-Event': headerValue(definition.name),
    'X-Wforce-HookID': String(definition.id),
    'X-Wforce-Delivery': message.deliveryId,
  }
  if (secret !== undefined) {
    const timestamp = String(Math.floor(nowMs / 1000))
    headers['X-Wforce-Signature'] = signature(secret.reveal(), body)
    headers['X-Trackalert-Timestamp'] = timestamp
    headers['X-Trackalert-Signature'] = timedSignature(secret.reveal(), timestamp, body)
  }
  if (basicAuth !== undefined) headers['Authorization'] = basicAuthorization(basicAuth.reveal())
  if (apiKey !== undefined) headers['X-API-Key'] = headerValue(apiKey.reveal())
  return { url: new URL(expandUrl(definition.url, nowMs)), headers, body }
}

/** What a receiver computes too: base64(HMAC-SHA256(secret, body)). */
function signature(secret: string, body: Uint8Array): string {
  return createHmac('sha256', textToBytes(secret)).update(body).digest('base64')
}

/**
 * A signature that cannot be used again later: hex(HMAC-SHA256(secret, timestamp "." body)). The version in front lets
 * receivers take an old and a new form side by side, should there ever be another.
 */
function timedSignature(secret: string, timestamp: string, body: Uint8Array): string {
  const hmac = createHmac('sha256', textToBytes(secret)).update(`${timestamp}.`).update(body)
  return `v1=${hmac.digest('hex')}`
}
