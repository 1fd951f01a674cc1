/**
 * Distinct counts (field type hll). A sketch is its encoded bytes and is never changed in place. Pure; lives on policy
 * workers and on the store thread. Hashes come from item-hash.ts; this file never sees items.
 *
 * Encoding: 0x20 and the distinct 48-bit hashes, ascending, while they are few (exact); else 0x20 + p and 2^p registers
 * of one byte each (4..16 for p). The upper three bits of the first byte are the version.
 */
import { estimateCardinality } from './hll-estimate.ts'

const VERSION = 0x20
const EXPLICIT = VERSION
const HASH_BYTES = 6
const HASH_BITS = 48
const MOST_EXPLICIT = 256
const EMPTY = Uint8Array.of(EXPLICIT)

/** The sketch that has seen nothing. */
export function emptyHll(): Uint8Array {
  return EMPTY
}

/** Distinct hashes up to which a sketch of 2^bits registers is exact: as many as cost no more than its registers. */
export function hllExactLimit(bits: number): number {
  return Math.min(MOST_EXPLICIT, Math.floor(2 ** bits / HASH_BYTES))
}

/** Whether bytes are a sketch; the other functions may only be given such. */
export function isHll(bytes: Uint8Array): boolean {
  const bits = denseBits(bytes)
  if (bits !== 0) {
    const highest = HASH_BITS - bits + 1
    return (
      bits >= 4 &&
      bits <= 16 &&
      bytes.length === 1 + 2 ** bits &&
      bytes.every((rank, at) => at === 0 || rank <= highest)
    )
  }
  if (bytes[0] !== EXPLICIT || (bytes.length - 1) % HASH_BYTES !== 0 || explicitCount(bytes) > MOST_EXPLICIT)
    return false
  for (let index = 1; index < explicitCount(bytes); index++) {
    if (hashAt(bytes, index - 1) >= hashAt(bytes, index)) return false
  }
  return true
}

/**
 * The sketch after one more item. The same bytes come back when it was known or changes no register.
 *
 * @param bits - registers (2^bits) that it grows to; one that has grown keeps the number that it has
 */
export function hllAdd(sketch: Uint8Array, hash: number, bits: number): Uint8Array {
  if (denseBits(sketch) !== 0) {
    const { index, rank } = register(hash, denseBits(sketch))
    if ((sketch[1 + index] ?? 0) >= rank) return sketch
    const copy = sketch.slice()
    copy[1 + index] = rank
    return copy
  }
  const count = explicitCount(sketch)
  const at = lowerBound(sketch, count, hash)
  if (at < count && hashAt(sketch, at) === hash) return sketch
  if (count >= hllExactLimit(bits)) return denseOf([sketch, explicitOf(Float64Array.of(hash))], bits)
  const longer = new Uint8Array(sketch.length + HASH_BYTES)
  const offset = 1 + at * HASH_BYTES
  longer.set(sketch.subarray(0, offset))
  putHash(longer, offset, hash)
  longer.set(sketch.subarray(offset), offset + HASH_BYTES)
  return longer
}

/**
 * The sketch of everything that either has seen. Associative and commutative, down to the bytes: exact while all distinct
 * hashes fit, else registers, as few as the smaller of the two has.
 */
export function hllMerge(left: Uint8Array, right: Uint8Array, bits: number): Uint8Array {
  if (denseBits(left) !== 0 || denseBits(right) !== 0) return denseOf([left, right], bits)
  const { count, slots } = distinctHashes([left, right])
  return count <= hllExactLimit(bits)
    ? explicitOf(slots.filter((hash) => hash >= 0))
    : denseOf([left, right], bits)
}

/**
 * Number of distinct items in the union of sketches: exact while none has grown, else an estimate with a standard error
 * of 1.04/√(2^bits), as a whole number.
 */
export function hllUnionCount(sketches: readonly Uint8Array[], bits: number): number {
  const [first] = sketches
  if (first === undefined) return 0
  if (sketches.every((sketch) => denseBits(sketch) === 0)) {
    return sketches.length === 1 ? explicitCount(first) : distinctHashes(sketches).count
  }
  const dense = sketches.length === 1 ? first : denseOf(sketches, bits)
  return Math.round(estimateCardinality(dense.subarray(1), HASH_BITS - denseBits(dense) + 1))
}

/** p of a grown sketch, 0 for an explicit one. */
function denseBits(sketch: Uint8Array): number {
  const first = sketch[0] ?? 0
  return (first & 0xe0) === VERSION ? first & 0x1f : 0
}

function explicitCount(sketch: Uint8Array): number {
  return Math.floor((sketch.length - 1) / HASH_BYTES)
}

function hashAt(sketch: Uint8Array, index: number): number {
  const at = 1 + index * HASH_BYTES
  const upper = ((sketch[at] ?? 0) << 16) | ((sketch[at + 1] ?? 0) << 8) | (sketch[at + 2] ?? 0)
  const lower = ((sketch[at + 3] ?? 0) << 16) | ((sketch[at + 4] ?? 0) << 8) | (sketch[at + 5] ?? 0)
  return upper * 0x1000000 + lower
}

function putHash(target: Uint8Array, offset: number, hash: number): void {
  let rest = hash
  for (let at = offset + HASH_BYTES - 1; at >= offset; at--) {
    target[at] = rest % 256
    rest = Math.floor(rest / 256)
  }
}

function lowerBound(sketch: Uint8Array, count: number, hash: number): number {
  let low = 0
  let high = count
  while (low < high) {
    const middle = (low + high) >>> 1
    if (hashAt(sketch, middle) < hash) low = middle + 1
    else high = middle
  }
  return low
}

/** The different hashes of explicit sketches, by open addressing: a Set of doubles takes several times as long. */
function distinctHashes(sketches: readonly Uint8Array[]): {
  readonly count: number
  readonly slots: Float64Array
} {
  const most = sketches.reduce((sum, sketch) => sum + explicitCount(sketch), 0)
  const mask = 2 ** Math.ceil(Math.log2(2 * most + 1)) - 1
  const slots = new Float64Array(mask + 1).fill(-1)
  let count = 0
  for (const sketch of sketches) {
    for (let index = 0; index < explicitCount(sketch); index++) {
      const hash = hashAt(sketch, index)
      let slot = hash & mask
      while (slots[slot] !== -1 && slots[slot] !== hash) slot = (slot + 1) & mask
      if (slots[slot] === hash) continue
      slots[slot] = hash
      count += 1
    }
  }
  return { count, slots }
}

function explicitOf(hashes: Float64Array): Uint8Array {
  const sketch = new Uint8Array(1 + hashes.length * HASH_BYTES)
  sketch[0] = EXPLICIT
  for (const [index, hash] of hashes.toSorted().entries()) putHash(sketch, 1 + index * HASH_BYTES, hash)
  return sketch
}

/** Upper bits choose the register; its value is the position of the first 1 in the rest. */
function register(hash: number, bits: number): { readonly index: number; readonly rank: number } {
  const upper = Math.floor(hash / 0x1000000)
  const lower = hash % 0x1000000
  const upperRest = upper & (2 ** (24 - bits) - 1)
  const index = upper >>> (24 - bits)
  if (upperRest !== 0) return { index, rank: Math.clz32(upperRest) - 8 - bits + 1 }
  return { index, rank: 24 - bits + Math.clz32(lower) - 8 + 1 }
}

function denseOf(sketches: readonly Uint8Array[], bits: number): Uint8Array {
  let target = bits
  for (const sketch of sketches) if (denseBits(sketch) !== 0) target = Math.min(target, denseBits(sketch))
  const dense = new Uint8Array(1 + 2 ** target)
  dense[0] = VERSION | target
  for (const sketch of sketches) {
    if (denseBits(sketch) === 0) {
      for (let index = 0; index < explicitCount(sketch); index++)
        addHash(dense, hashAt(sketch, index), target)
    } else if (denseBits(sketch) === target) {
      for (let at = 1; at < dense.length; at++)
        if ((sketch[at] ?? 0) > (dense[at] ?? 0)) dense[at] = sketch[at] ?? 0
    } else {
      foldInto(dense, target, sketch)
    }
  }
  return dense
}

function addHash(dense: Uint8Array, hash: number, bits: number): void {
  const { index, rank } = register(hash, bits)
  if (rank > (dense[1 + index] ?? 0)) dense[1 + index] = rank
}

/** Fewer registers from more: the index bits that are given up become the first bits of the rest. */
function foldInto(dense: Uint8Array, targetBits: number, sketch: Uint8Array): void {
  const surplus = denseBits(sketch) - targetBits
  for (let index = 0; index < sketch.length - 1; index++) {
    const rank = sketch[1 + index] ?? 0
    if (rank === 0) continue
    const givenUp = index & (2 ** surplus - 1)
    const folded = givenUp === 0 ? rank + surplus : Math.clz32(givenUp) - (32 - surplus) + 1
    const target = 1 + (index >>> surplus)
    if (folded > (dense[target] ?? 0)) dense[target] = folded
  }
}
