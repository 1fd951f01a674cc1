/**
 * Figures as tables: for a terminal with everything, and as Markdown with what is compared. Pure.
 */
import { isMet, numberText, type ScenarioFigures } from './figures.ts'
import { machineText, type Machine } from './machine.ts'

const TITLES = ['scenario', 'figure', 'median', 'min', 'max', 'target', 'met'] as const
const FIRST_NUMBER = 2
const LAST_NUMBER = 4

/** Every figure; names to the left, numbers to the right. */
export function table(results: readonly ScenarioFigures[]): string {
  const rows = results.flatMap(({ scenario, figures }) =>
    figures.map((one, index) => {
      const { what, median, min, max, target = '' } = one
      return [
        index === 0 ? scenario : '',
        what,
        ...[median, min, max].map(numberText),
        target,
        metText(isMet(one)),
      ]
    }),
  )
  return alignedRows([TITLES, ...rows], (column) => column >= FIRST_NUMBER && column <= LAST_NUMBER)
}

/** @param isNumber - whether a column, counted from 0, is aligned to the right */
export function alignedRows(
  rows: readonly (readonly string[])[],
  isNumber: (column: number) => boolean,
): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? []
  return rows
    .map((row) =>
      row
        .map((cell, at) => (isNumber(at) ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** For the README: the figures that have targets, and of the other scenarios the first. */
export function markdown(results: readonly ScenarioFigures[], machine: Machine): string {
  const rows = results.flatMap(({ scenario, figures }) => {
    const targeted = figures.filter(({ target }) => target !== undefined)
    return (targeted.length > 0 ? targeted : figures.slice(0, 1)).map((one) => {
      const { what, median, min, max, target } = one
      const range = min === max ? '' : `${numberText(min)} to ${numberText(max)}`
      const asked = target?.replace('>=', '≥').replace('<=', '≤')
      return [`\`${scenario}\``, what, numberText(median), range, asked ?? '', metText(isMet(one))]
    })
  })
  const lines = [
    ['scenario', 'figure', 'median', 'range', 'target', 'met'],
    ['---', '---', '---:', '---', '---', '---'],
    ...rows,
  ]
  return `${lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}\n\n${machineText(machine)}`
}

function metText(met: boolean | undefined): string {
  if (met === undefined) return ''
  return met ? 'yes' : 'no'
}
