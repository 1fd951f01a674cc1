/**
 * The cardinality estimate of HyperLogLog registers. Pure arithmetic; lives on policy workers.
 */

/** Limit of the bias factor for many registers: 1 / (2 ln 2). */
const ALPHA = 0.5 / Math.LN2

/**
 * Estimated number of distinct items, unbiased over the whole range without look-up tables. Source: Otmar Ertl, "New
 * cardinality estimation algorithms for HyperLogLog sketches", 2017, https://arxiv.org/abs/1702.01284, section 2.3
 * (improved raw estimator).
 *
 * @param registers - 2^p register values, 0..maxRank
 * @param maxRank - largest value that a register can take: hash bits - p + 1
 */
export function estimateCardinality(registers: Uint8Array, maxRank: number): number {
  const histogram = new Uint32Array(64)
  for (let index = 0; index < registers.length; index++) {
    const rank = (registers[index] ?? 0) & 63
    histogram[rank] = (histogram[rank] ?? 0) + 1
  }
  const count = registers.length
  let sum = count * tau(1 - (histogram[maxRank] ?? 0) / count)
  for (let rank = maxRank - 1; rank >= 1; rank--) sum = 0.5 * (sum + (histogram[rank] ?? 0))
  sum += count * sigma((histogram[0] ?? 0) / count)
  return (ALPHA * count * count) / sum
}

/** Contribution of the registers that are still 0: x + Σ x^(2^k) 2^(k-1). */
function sigma(share: number): number {
  if (share === 1) return Infinity
  let power = share
  let weight = 1
  let sum = share
  for (;;) {
    power *= power
    const before = sum
    sum += power * weight
    weight += weight
    if (sum === before) return sum
  }
}

/** Contribution of the registers that cannot grow any more: ⅓ (1 - x - Σ (1 - x^(2^-k))² 2^-k). */
function tau(share: number): number {
  if (share === 0 || share === 1) return 0
  let root = share
  let weight = 1
  let sum = 1 - share
  for (;;) {
    root = Math.sqrt(root)
    const before = sum
    weight *= 0.5
    sum -= (1 - root) ** 2 * weight
    if (sum === before) return sum / 3
  }
}
