/**
 * The order of byte strings that trends use wherever two would otherwise be equal. Pure.
 */

/** Negative, 0 or positive, as the first differing byte says; a prefix comes first. */
export function compareBytes(left: Uint8Array, right: Uint8Array): number {
  const shorter = Math.min(left.length, right.length)
  for (let index = 0; index < shorter; index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0)
    if (difference !== 0) return difference
  }
  return left.length - right.length
}
