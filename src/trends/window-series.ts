/**
 * Values by window, the newest window first. A series is never changed in place, so that a run can put its own changes on
 * top of one that others read. Pure; lives on policy workers and on the store thread.
 */

/** Parallel arrays; windows without a value are left out. */
export interface WindowSeries<T> {
  /** Window numbers, descending. */
  readonly windows: readonly number[]
  readonly cells: readonly T[]
}

/** Which windows count: from `oldest` to `newest`, both included. */
export interface WindowRange {
  readonly oldest: number
  readonly newest: number
}

export const EMPTY_SERIES: WindowSeries<never> = { windows: [], cells: [] }

/** The series after one window's value was changed; windows before `oldest` are left out. */
export function updateWindow<T>(
  series: WindowSeries<T>,
  window: number,
  oldest: number,
  change: (cell: T | undefined) => T,
): WindowSeries<T> {
  const { windows: known, cells: before } = series
  // Nearly every change is to the newest window, and leaves the list of windows as it is.
  if (known[0] === window && (known[known.length - 1] ?? window) >= oldest) {
    const cells = before.slice()
    cells[0] = change(before[0])
    return { windows: known, cells }
  }
  const windows: number[] = []
  const cells: T[] = []
  let isPlaced = false
  for (let index = 0; index < series.windows.length; index++) {
    const other = series.windows[index] ?? 0
    const cell = series.cells[index]
    if (other < oldest || cell === undefined) continue
    if (!isPlaced && other <= window) {
      windows.push(window)
      cells.push(change(other === window ? cell : undefined))
      isPlaced = true
    }
    if (other === window) continue
    windows.push(other)
    cells.push(cell)
  }
  if (!isPlaced) {
    windows.push(window)
    cells.push(change(undefined))
  }
  return { windows, cells }
}

/** The values of the windows in a range, newest first. */
export function cellsWithin<T>(series: WindowSeries<T>, { oldest, newest }: WindowRange): readonly T[] {
  const cells: T[] = []
  for (let index = 0; index < series.windows.length; index++) {
    const window = series.windows[index] ?? 0
    const cell = series.cells[index]
    if (window >= oldest && window <= newest && cell !== undefined) cells.push(cell)
  }
  return cells
}

/**
 * The series under another window size. A window is kept where it lies within one new window, and joined with the others
 * that do.
 */
export function resizeWindows<T>(
  series: WindowSeries<T>,
  beforeSeconds: number,
  afterSeconds: number,
  join: (left: T, right: T) => T,
): WindowSeries<T> {
  let result: WindowSeries<T> = EMPTY_SERIES
  for (let index = 0; index < series.windows.length; index++) {
    const start = (series.windows[index] ?? 0) * beforeSeconds
    const cell = series.cells[index]
    const window = Math.floor(start / afterSeconds)
    const lastWindow = Math.floor((start + beforeSeconds - 1) / afterSeconds)
    if (cell === undefined || window !== lastWindow) continue
    result = updateWindow(result, window, -Infinity, (other) =>
      other === undefined ? cell : join(other, cell),
    )
  }
  return result
}
