/**
 * A file in the store's directory that says that the store was closed in order and had no damage that anybody knew of. Store
 * thread.
 *
 * A damaged table can end the process inside LevelDB when it is read. Without the mark every table is therefore checked
 * before the next start opens the store, however long that takes: such an end happens once, not again and again.
 */
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Nothing that LevelDB takes for a file of its own. */
const NAME = 'closed-in-order'

export function isMarkedClean(directory: string): boolean {
  return existsSync(join(directory, NAME))
}

/** After the database was closed. */
export function markClean(directory: string): void {
  try {
    writeFileSync(join(directory, NAME), '', { mode: 0o600 })
  } catch {
    // A full disk: the next start only takes longer.
  }
}

/** Before the database is opened; LevelDB syncs the directory then, so that the mark does not come back after a power cut. */
export function removeCleanMark(directory: string): void {
  rmSync(join(directory, NAME), { force: true })
}
