/**
 * Keys and items of bounded length: how any byte string becomes one of at most 1,026 bytes. Pure; called once on policy
 * workers for everything that comes from Lua, never on what has been through it already.
 */
import { hash } from 'node:crypto'

/** Longer keys and items are kept as a hash. */
const MOST_BYTES = 1024
/** Never begins valid UTF-8, so text is never touched. */
const ESCAPE = 0xff
const ESCAPED_PLAIN = 0
const ESCAPED_HASH = 1

/**
 * The form in which a key or item is stored: itself; FF 01 and its SHA-256 if it is longer than 1 KiB; FF 00 before it
 * if it begins with FF. So no short one can be taken for the hash of a long one.
 */
export function normalizeKey(bytes: Uint8Array): Uint8Array {
  if (bytes.length > MOST_BYTES) return prefixed(ESCAPED_HASH, hash('sha256', bytes, 'buffer'))
  return bytes[0] === ESCAPE ? prefixed(ESCAPED_PLAIN, bytes) : bytes
}

/** What `normalizeKey` was given, or the stored form itself where only a hash is left. */
export function originalKey(normalized: Uint8Array): Uint8Array {
  return normalized[0] === ESCAPE && normalized[1] === ESCAPED_PLAIN ? normalized.subarray(2) : normalized
}

function prefixed(kind: number, bytes: Uint8Array): Uint8Array {
  const result = new Uint8Array(bytes.length + 2)
  result[0] = ESCAPE
  result[1] = kind
  result.set(bytes, 2)
  return result
}
