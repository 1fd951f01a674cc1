/**
 * What LevelDB has written as tables, as its own log in the folder of the database says. It begins a new one whenever the
 * database is opened.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface TableBytes {
  /** Of new tables. */
  readonly flushed: number
  /** Of tables that others were merged into. */
  readonly merged: number
}

export async function tableBytes(databaseDirectory: string): Promise<TableBytes> {
  const text = await readFile(join(databaseDirectory, 'LOG'), 'latin1')
  const sum = (pattern: RegExp): number =>
    [...text.matchAll(pattern)].reduce((total, match) => total + Number(match[1]), 0)
  return { flushed: sum(/Level-0 table #\d+: (\d+) bytes/g), merged: sum(/Compacted .* => (\d+) bytes/g) }
}
