/**
 * Figures of a bench run: medians with their range, beside their targets. Pure.
 */

/** What the median should be. */
export type Target = `>= ${number}` | `<= ${number}`

export interface Figure {
  readonly what: string
  readonly median: number
  readonly min: number
  readonly max: number
  readonly target?: Target
}

export interface ScenarioFigures {
  readonly scenario: string
  readonly figures: readonly Figure[]
}

export function figure(what: string, values: readonly number[], target?: Target): Figure {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? NaN
  const median = sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2
  const range = { min: sorted[0] ?? NaN, max: sorted.at(-1) ?? NaN }
  return target === undefined ? { what, median, ...range } : { what, median, ...range, target }
}

/** Whether the median meets the target; undefined when there is none. A figure that was not measured meets none. */
export function isMet({ median, target }: Figure): boolean | undefined {
  if (target === undefined) return undefined
  const limit = Number(target.slice(3))
  return target.startsWith('>=') ? median >= limit : median <= limit
}

export function numberText(value: number): string {
  if (Math.abs(value) >= 1000) return value.toFixed(0)
  return Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(3)
}
