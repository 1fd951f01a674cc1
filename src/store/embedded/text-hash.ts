/**
 * The hash by which history finds a login or an address. Pure; used on the store thread. It is stored, so it must never
 * change. Two texts with the same hash only cost a look at the wrong report: every hit is compared with the whole text.
 */

/** Odd constant of MurmurHash3's 32-bit variant (public domain). */
const MULTIPLIER = 0xcc9e2d51

/** An unsigned 32-bit number, of `bytes[start, end)`: an index holds some hundred thousand reports, and then the next begins. */
export function textHash(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let hash = 0x9747b28c ^ (end - start)
  for (let at = start; at < end; at++) {
    hash = Math.imul(hash ^ (bytes[at] ?? 0), MULTIPLIER)
    hash ^= hash >>> 15
  }
  return finish(hash)
}

function finish(lane: number): number {
  let value = lane ^ (lane >>> 16)
  value = Math.imul(value, 0x85ebca6b)
  value ^= value >>> 13
  value = Math.imul(value, 0xc2b2ae35)
  return (value ^ (value >>> 16)) >>> 0
}
