/**
 * Answers to requests, exactly as clients of the reference know them. Pure; lives on the threads that take requests.
 * JSON.stringify writes lone surrogates as escapes, so every text gives valid JSON.
 */
import { ERRORS } from '../errors.ts'

/** What a client gets. Connection and length headers are added when it is written. */
export interface Answer {
  readonly status: number
  readonly contentType?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string
  /** The connection is closed behind it. */
  readonly isLast?: boolean
}

const JSON_TYPE = 'application/json'

/** A report was taken. */
export const ACCEPTED: Answer = { status: 200, contentType: JSON_TYPE, body: '{"status":"ok"}' }

/** All is well, and there is nothing more to say. */
export const EMPTY: Answer = { status: 200, body: '' }

/** Realm and spelling of the reference. */
export const UNAUTHORIZED: Answer = {
  ...failure(401, 'Unauthorized'),
  headers: { 'www-authenticate': 'basic realm="wforce"' },
}

/** The work may still be done after this: the client must be prepared for that. */
export const LATE: Answer = retryAfter(failure(ERRORS.TRK_HTTP_LATE.status, ERRORS.TRK_HTTP_LATE.text), 5)

export function json(status: number, body: string): Answer {
  return { status, contentType: JSON_TYPE, body }
}

/** Any failure but that of a custom endpoint. */
export function failure(status: number, reason: string): Answer {
  return json(status, `{"status":"failure", "reason":${JSON.stringify(reason)}}`)
}

/** Whoever is outside the ACL, and may not keep a connection open either. */
export function outsideAcl(peer: string): Answer {
  const body = `{"status":"failure", "reason":"Source IP Address not in ACL", "ip":${JSON.stringify(peer)}}`
  return closing(json(401, body))
}

/** A custom endpoint has returned. */
export function endpointReturned(success: boolean, attributes: Readonly<Record<string, string>>): Answer {
  return json(200, `{"success": ${success}, "r_attrs": ${JSON.stringify(attributes)}}`)
}

/** A custom endpoint could not be run to its end. */
export function endpointFailure(status: number, reason: string): Answer {
  return json(status, `{"success": false, "reason": ${JSON.stringify(reason)}}`)
}

/** The same answer, with the time after which the client may come again. */
export function retryAfter(answer: Answer, seconds: number): Answer {
  return { ...answer, headers: { ...answer.headers, 'retry-after': String(Math.ceil(seconds)) } }
}

/** The same answer, with the connection closed behind it. */
export function closing(answer: Answer): Answer {
  return { ...answer, isLast: true }
}
