/**
 * The hash by which history finds a login or an address. Pure; used on the store thread. It is stored, so it must never
 * change. Two texts with the same hash only cost a look at the wrong report: every hit is compared with the whole text.
 */

/** Odd constants of MurmurHash3's 32-bit variant (public domain), used as multipliers of two independent lanes. */
const FIRST_MULTIPLIER = 0xcc9e2d51
const SECOND_MULTIPLIER = 0x1b873593

/** 64 bits as two unsigned 32-bit numbers. */
export function textHash(bytes: Uint8Array): [number, number] {
  let first = 0x9747b28c ^ bytes.length
  let second = 0x3c6ef372 ^ bytes.length
  for (const byte of bytes) {
    first = Math.imul(first ^ byte, FIRST_MULTIPLIER)
    first ^= first >>> 15
    second = Math.imul(((second << 13) | (second >>> 19)) + byte, SECOND_MULTIPLIER)
    second ^= second >>> 17
  }
  return [finish(first), finish(second)]
}

function finish(lane: number): number {
  let value = lane ^ (lane >>> 16)
  value = Math.imul(value, 0x85ebca6b)
  value ^= value >>> 13
  value = Math.imul(value, 0xc2b2ae35)
  return (value ^ (value >>> 16)) >>> 0
}
