/**
 * Bytes of a request body to a JSON value. Pure; lives on the threads that take requests. Bytes that are not UTF-8 are
 * kept (byte-string.ts): logins and passwords' hashes come from systems that do not check them either.
 */
import { bytesToText } from './byte-string.ts'
import { jsonErrorPlace } from './json-error-place.ts'

export type ParsedJson =
  { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly reason: string }

/** RFC 8259 lets a parser ignore a byte order mark. */
const BYTE_ORDER_MARK = '\uFEFF'

/** Of members with the same name the last one counts, as in every common JSON parser. */
export function parseJsonBody(body: Uint8Array): ParsedJson {
  if (body.length === 0) return { ok: false, reason: 'The body is empty; it must be JSON' }
  const text = bytesToText(body)
  try {
    const value: unknown = JSON.parse(text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text)
    return { ok: true, value }
  } catch (error) {
    return { ok: false, reason: `The body is not valid JSON${jsonErrorPlace(error)}` }
  }
}
