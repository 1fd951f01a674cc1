/**
 * The 48-bit hash by which sketches know an item. Pure; computed on policy workers, stored for ever, so it must never
 * change. Keyed: who can choose logins or device names could otherwise pick such that a distinct count stays low. The
 * seed is made once per state directory and kept with it; it is not a secret that anything else relies on.
 */

/** Eight bytes as two 32-bit words, little-endian: the key of HalfSipHash. */
export interface HashSeed {
  readonly low: number
  readonly high: number
}

/** The seed of hashes that must be the same everywhere, such as field ids. */
export const FIXED_SEED: HashSeed = { low: 0, high: 0 }

/** A seed from the first eight bytes given; missing bytes count as 0. */
/** What `hashSeed` takes. */
export const HASH_SEED_BYTES = 8

export function hashSeed(bytes: Uint8Array): HashSeed {
  return { low: wordAt(bytes, 0), high: wordAt(bytes, 4) }
}

/**
 * A whole number 0..2^48-1: HalfSipHash-2-4 with 64-bit output, of which the upper 16 bits are left out so that a double
 * holds it exactly. Source: the reference code of Aumasson and Bernstein, https://github.com/veorq/SipHash. Chosen
 * because it is keyed and needs 32-bit arithmetic only.
 */
export function itemHash(seed: HashSeed, item: Uint8Array): number {
  const { low, high } = halfSipHash(seed, item)
  return (high & 0xffff) * 0x100000000 + low
}

/** HalfSipHash-2-4, 64-bit output as two unsigned words. */
export function halfSipHash(
  seed: HashSeed,
  bytes: Uint8Array,
): { readonly low: number; readonly high: number } {
  let v0 = seed.low
  let v1 = seed.high ^ 0xee
  let v2 = 0x6c796765 ^ seed.low
  let v3 = 0x74656462 ^ seed.high
  let low = 0
  const words = bytes.length >>> 2
  // Words of the message, then the last one with the length in its top byte, then three of finalisation.
  for (let step = 0; step < words + 3; step++) {
    let word = 0
    let rounds = 2
    if (step < words) word = wordAt(bytes, step * 4)
    else if (step === words) word = wordAt(bytes, words * 4) | (bytes.length << 24)
    else rounds = 4
    if (step === words + 1) v2 ^= 0xee
    if (step === words + 2) {
      low = v1 ^ v3
      v1 ^= 0xdd
    }
    v3 ^= word
    for (let round = 0; round < rounds; round++) {
      v0 = (v0 + v1) | 0
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
      v0 = (v0 << 16) | (v0 >>> 16)
      v2 = (v2 + v3) | 0
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
      v0 = (v0 + v3) | 0
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
      v2 = (v2 + v1) | 0
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
      v2 = (v2 << 16) | (v2 >>> 16)
    }
    v0 ^= word
  }
  return { low: low >>> 0, high: (v1 ^ v3) >>> 0 }
}

function wordAt(bytes: Uint8Array, offset: number): number {
  return (
    (bytes[offset] ?? 0) |
    ((bytes[offset + 1] ?? 0) << 8) |
    ((bytes[offset + 2] ?? 0) << 16) |
    ((bytes[offset + 3] ?? 0) << 24)
  )
}
