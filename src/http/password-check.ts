/**
 * The password of HTTP Basic authentication. Pure; lives on the threads that take requests.
 * It must not keep the password, only its digest, and must take the same time however wrong a password is.
 */
import { hash, timingSafeEqual } from 'node:crypto'
import { textToBytes } from '../login/byte-string.ts'

const SCHEME = /^basic +/i
const COLON = 0x3a

/** True when the value of an Authorization header has the right password. */
export type PasswordCheck = (authorization: string | undefined) => boolean

/**
 * Any user name is accepted, and the password is all that comes after the first colon (RFC 7617 section 2), further
 * colons included. Without a password, or with an empty one, nobody is let in.
 */
export function createPasswordCheck(password: string | undefined): PasswordCheck {
  if (password === undefined || password === '') return () => false
  const expected = digestOf(textToBytes(password))
  return (authorization) => {
    if (authorization === undefined) return false
    const scheme = SCHEME.exec(authorization)
    if (scheme === null) return false
    const credentials = Buffer.from(authorization.slice(scheme[0].length), 'base64')
    const colon = credentials.indexOf(COLON)
    return colon !== -1 && timingSafeEqual(digestOf(credentials.subarray(colon + 1)), expected)
  }
}

/** Digests have one length and nothing of the password's shape, so comparing them tells nothing. */
function digestOf(bytes: Uint8Array): Buffer {
  return hash('sha256', bytes, 'buffer')
}
