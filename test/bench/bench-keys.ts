/**
 * The keys of measurements by number: logins and addresses, as many as wanted. Pure.
 */

/** Odd, so that different numbers stay different; large, so that neighbours in number are none in the order of keys. */
const SPREAD = 0x9e3779b1

export function loginOf(number: number): string {
  return `user${number}@example${number % 50}.com`
}

/** @param number - below 2^32 */
export function addressOf(number: number): string {
  const spread = Math.imul(number + 1, SPREAD) >>> 0
  return [24, 16, 8, 0].map((shift) => (spread >>> shift) & 255).join('.')
}
