/**
 * Which worker runs the reports of a login. Pure.
 */

const FNV_OFFSET = 0x811c9dc5
const FNV_PRIME = 0x01000193

/**
 * A number in [0, partitions) that is always the same for a login: 32-bit FNV-1a over the login's UTF-16 code units
 * (http://www.isthe.com/chongo/tech/comp/fnv/), which spreads well and costs no conversion to bytes.
 */
export function partitionOfLogin(login: string, partitions: number): number {
  let hash = FNV_OFFSET
  for (let index = 0; index < login.length; index++) {
    const unit = login.charCodeAt(index)
    hash = Math.imul(hash ^ (unit & 0xff), FNV_PRIME)
    hash = Math.imul(hash ^ (unit >>> 8), FNV_PRIME)
  }
  return (hash >>> 0) % partitions
}
