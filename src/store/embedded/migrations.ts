/**
 * The format of the database over time: forward only. Store thread. Whoever changes the format adds a migration, raises
 * nothing by hand, and adds a test that opens a database of the version before.
 */
import { TrackError } from '../../errors.ts'
import type { Database } from './database.ts'
import { NEXT_SEGMENT, OPEN_FROM } from './journal.ts'
import { metaKey, numberOfKey, PREFIX, wholePrefix } from './keys.ts'
import { putNumbers, readNumbers } from './meta.ts'
import { ReportBatch } from './reports/report-batch.ts'
import { ReportLog } from './reports/report-log.ts'
import { unseal } from './sealed-value.ts'
import { WriteBatch } from './write-batch.ts'

/** Turns a database of version n into one of n + 1; a crash in the middle runs it again from its start. */
export type Migration = (database: Database) => Promise<void>

/** Entry n leads from version n + 1 to n + 2; the first version is 1. */
export const MIGRATIONS: readonly Migration[] = [nothingToDo, nothingToDo, reportsToFiles]

const FORMAT = metaKey('format')

/**
 * Brings a database to the newest version; a new one gets it at once.
 *
 * @throws TrackError TRK_STORE_FORMAT when a newer trackalert wrote it.
 * @returns the version that it was brought up from; undefined when there was nothing to do.
 */
export async function migrate(
  database: Database,
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<number | undefined> {
  const newest = migrations.length + 1
  const found = readNumbers(database, FORMAT)?.[0]
  if (found === undefined) {
    const batch = new WriteBatch()
    putNumbers(batch, FORMAT, [newest])
    // It is there from the beginning, so that its loss can be seen.
    putNumbers(batch, OPEN_FROM, [0])
    await database.write(batch, true)
    return undefined
  }
  if (found > newest) {
    throw new TrackError(
      'TRK_STORE_FORMAT',
      `it has version ${found}, and this trackalert knows ${newest}; run the newer trackalert that wrote it`,
    )
  }
  for (const [index, migration] of migrations.entries()) {
    if (index + 1 < found) continue
    await migration(database)
    await writeVersion(database, index + 2)
  }
  return found < newest ? found : undefined
}

/** Segments in versions 1 and 2, and in version 3. */
export const OLD_SEGMENTS = [0x6a, PREFIX.segment] as const
/** Index entries of history: two of version 1, two of version 2, one of version 3. */
const OLD_INDEXES = [0x6c, 0x61, 0x69, 0x62, 0xf0] as const
/** Amounts of reports in them. */
const OLD_COUNTS = ['history', 'history-added', 'history-removed'] as const
const PAGE = 256
/** Of a file that old reports are moved to. */
const OLD_FILE = { fileBytes: 16 * 1024 * 1024, fileMs: Infinity }

/** Rows of version 1 are still read, and change when they are written; where reports were goes with version 3. */
async function nothingToDo(): Promise<void> {
  // Nothing to do.
}

/** Version 4 has reports and their index in files of their own, and masks of unfinished ones mean something else. */
async function reportsToFiles(database: Database): Promise<void> {
  const log = await ReportLog.open(database.directory, () => OLD_FILE)
  try {
    // A migration to version 3 that was cut short left the later ones where they were.
    for (const prefix of OLD_SEGMENTS.toReversed()) await moveSegments(database, prefix, log)
  } finally {
    await log.close()
  }
  for (const prefix of OLD_INDEXES) await deleteAll(database, prefix)
  const batch = new WriteBatch()
  const next = Math.max(log.lastSegment + 1, readNumbers(database, NEXT_SEGMENT)?.[0] ?? 1)
  putNumbers(batch, OPEN_FROM, [next])
  for (const name of OLD_COUNTS) batch.delete(metaKey(name))
  await database.write(batch, true)
}

/** Those that an earlier try has moved already are only deleted. */
async function moveSegments(database: Database, prefix: number, to: ReportLog): Promise<void> {
  for await (const page of database.pages(wholePrefix(prefix), PAGE)) {
    const batch = new WriteBatch()
    const reports = new ReportBatch()
    for (const [key, sealed] of page) {
      const segment = numberOfKey(key)
      if (segment > to.lastSegment) reports.addStored(segment, unseal(key, sealed))
      batch.delete(key)
    }
    await to.append(reports, true)
    await database.write(batch, false)
  }
}

async function deleteAll(database: Database, prefix: number): Promise<void> {
  for await (const page of database.pages(wholePrefix(prefix), PAGE)) {
    const batch = new WriteBatch()
    for (const [key] of page) batch.delete(key)
    await database.write(batch, false)
  }
}

/** The database holds what the newest version holds. */
export function putNewestVersion(batch: WriteBatch): void {
  putNumbers(batch, FORMAT, [MIGRATIONS.length + 1])
}

async function writeVersion(database: Database, version: number): Promise<void> {
  const batch = new WriteBatch()
  putNumbers(batch, FORMAT, [version])
  await database.write(batch, true)
}
