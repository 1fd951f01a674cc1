/**
 * Texts as values of HTTP headers. Pure; used on every thread that talks to other systems.
 */
import { Buffer } from 'node:buffer'
import { textToBytes } from '../login/byte-string.ts'

/** What RFC 9110, section 5.5, allows in a field value; U+DC80..U+DCFF are single bytes (see byte-string.ts). */
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const UNSAFE = /[\u0000-\u0008\u000a-\u001f\u007f]/

/** False when the text would end the header or the head of the request: line ends and other control characters. */
export function isSafeHeaderValue(text: string): boolean {
  return !UNSAFE.test(text)
}

/** The text's bytes, one character per byte, which is how HTTP clients want them. */
export function headerValue(text: string): string {
  return Buffer.from(textToBytes(text)).toString('latin1')
}

/** The value of an Authorization header for `user:password` (RFC 7617). */
export function basicAuthorization(userAndPassword: string): string {
  return `Basic ${Buffer.from(textToBytes(userAndPassword)).toString('base64')}`
}
