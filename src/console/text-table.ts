/**
 * Tables of text for the console. Pure.
 */

/** One column; the last is as wide as its text. */
export interface Column {
  readonly title: string
  /** Cells are padded to this many characters. */
  readonly width: number
  /** Cells are cut at the width. */
  readonly isCut?: true
}

/** A header and a line for each row, each with its line end. */
export function textTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const titles = columns.map(({ title }) => title)
  return [titles, ...rows].map((cells) => `${tableRow(columns, cells)}\n`).join('')
}

function tableRow(columns: readonly Column[], cells: readonly string[]): string {
  const padded = columns.map(({ width, isCut }, index) => {
    const cell = plainText(cells[index] ?? '')
    const isLast = index === columns.length - 1
    return (isCut === true && !isLast ? cell.slice(0, width) : cell).padEnd(isLast ? 0 : width)
  })
  return padded.join(' ')
}

/** What a login, a receiver or a policy chose must not break the table or drive a terminal. */
export function plainText(text: string): string {
  return text.replace(CONTROL_CHARACTERS, ' ')
}

// oxlint-disable-next-line no-control-regex -- these are what must not reach a terminal
const CONTROL_CHARACTERS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g
