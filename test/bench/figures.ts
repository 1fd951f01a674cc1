/**
 * Figures of a bench run: medians with their range, as a table and as JSON. Pure.
 */

export interface Figure {
  readonly what: string
  readonly median: number
  readonly min: number
  readonly max: number
  /** What issue 7 asks for, as a comparison: `>= 0.6`. */
  readonly target?: string
}

export interface ScenarioFigures {
  readonly scenario: string
  readonly figures: readonly Figure[]
}

export function figure(what: string, values: readonly number[], target?: string): Figure {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? NaN
  const median = sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2
  const range = { min: sorted[0] ?? NaN, max: sorted.at(-1) ?? NaN }
  return target === undefined ? { what, median, ...range } : { what, median, ...range, target }
}

export function table(results: readonly ScenarioFigures[]): string {
  const rows = [['scenario', 'figure', 'median', 'min', 'max', 'target']]
  for (const { scenario, figures } of results) {
    for (const [index, { what, median, min, max, target }] of figures.entries()) {
      rows.push([index === 0 ? scenario : '', what, number(median), number(min), number(max), target ?? ''])
    }
  }
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? []
  const line = (row: readonly string[]): string =>
    row
      .map((cell, at) => (at >= 2 && at <= 4 ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0)))
      .join('  ')
  return rows.map((row) => line(row).trimEnd()).join('\n')
}

function number(value: number): string {
  if (value >= 1000) return value.toFixed(0)
  return value >= 10 ? value.toFixed(1) : value.toFixed(3)
}
