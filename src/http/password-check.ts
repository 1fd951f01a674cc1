/**
 * The password of HTTP Basic authentication. Pure; lives on the threads that take requests.
 * It must take the same time however wrong a password is.
 */
import { hash, timingSafeEqual } from 'node:crypto'
import { textToBytes } from '../login/byte-string.ts'

const SCHEME = /^basic +/i
const COLON = 0x3a
/** Senders use few user names. */
const MAX_REMEMBERED = 16

/** True when the value of an Authorization header has the right password. */
export type PasswordCheck = (authorization: string | undefined) => boolean

/**
 * Any user name is accepted, and the password is all that comes after the first colon (RFC 7617 section 2), further
 * colons included. Without a password, or with an empty one, nobody is let in.
 *
 * Headers that were right are remembered, since a digest is a tenth of what a request costs. The look-up says nothing
 * about a wrong one: a set compares texts only when their whole hashes, whose seed no client knows, are the same.
 */
export function createPasswordCheck(password: string | undefined): PasswordCheck {
  if (password === undefined || password === '') return () => false
  const expected = digestOf(textToBytes(password))
  const remembered = new Set<string>()
  return (authorization) => {
    if (authorization === undefined) return false
    if (remembered.has(authorization)) return true
    const given = passwordOf(authorization)
    if (given === undefined || !timingSafeEqual(digestOf(given), expected)) return false
    if (remembered.size >= MAX_REMEMBERED) remembered.clear()
    remembered.add(authorization)
    return true
  }
}

function passwordOf(authorization: string): Uint8Array | undefined {
  const scheme = SCHEME.exec(authorization)
  if (scheme === null) return undefined
  const credentials = Buffer.from(authorization.slice(scheme[0].length), 'base64')
  const colon = credentials.indexOf(COLON)
  return colon === -1 ? undefined : credentials.subarray(colon + 1)
}

/** Digests have one length and nothing of the password's shape, so comparing them tells nothing. */
function digestOf(bytes: Uint8Array): Buffer {
  return hash('sha256', bytes, 'buffer')
}
