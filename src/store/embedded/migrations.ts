/**
 * The format of the database over time: forward only. Store thread. Whoever changes the format adds a migration, raises
 * nothing by hand, and adds a test that opens a database of the version before.
 */
import { TrackError } from '../../errors.ts'
import type { Database } from './database.ts'
import { metaKey, numberKey, numberOfKey, PREFIX, wholePrefix } from './keys.ts'
import { putNumbers, readNumbers } from './meta.ts'
import { seal, unseal } from './sealed-value.ts'
import { stageIndexes } from './segment-index.ts'
import { isIndexed, readEntries } from './segment.ts'
import { WriteBatch } from './write-batch.ts'

/** Turns a database of version n into one of n + 1; a crash in the middle runs it again from its start. */
export type Migration = (database: Database) => Promise<void>

/** Entry n leads from version n + 1 to n + 2; the first version is 1. */
export const MIGRATIONS: readonly Migration[] = [keepRowsAsTheyAre, historyToTheEnds]

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
    await writeVersion(database, newest)
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

/** Segments in versions 1 and 2. */
export const OLD_SEGMENT = 0x6a
/** Index entries of history: two of version 1, two of version 2. */
const OLD_INDEXES = [0x6c, 0x61, 0x69, 0x62] as const
const PAGE = 256

/** Rows of version 1 are still read, and change when they are written; its index goes with that of version 2. */
async function keepRowsAsTheyAre(): Promise<void> {
  // Nothing to do.
}

/** Version 3 has segments and the index of history at the ends of the order of keys. */
async function historyToTheEnds(database: Database): Promise<void> {
  for await (const page of database.pages(wholePrefix(OLD_SEGMENT), PAGE)) {
    const batch = new WriteBatch()
    for (const [oldKey, sealed] of page) {
      const segment = numberOfKey(oldKey)
      const content = unseal(oldKey, sealed)
      const key = numberKey(PREFIX.segment, segment)
      batch.put(key, seal(key, content))
      if (isIndexed(content)) stageIndexes(batch, segment, readEntries(content), 'put')
      batch.delete(oldKey)
    }
    await database.write(batch, false)
  }
  for (const prefix of OLD_INDEXES) {
    for await (const page of database.pages(wholePrefix(prefix), PAGE)) {
      const batch = new WriteBatch()
      for (const [key] of page) batch.delete(key)
      await database.write(batch, false)
    }
  }
}

async function writeVersion(database: Database, version: number): Promise<void> {
  const batch = new WriteBatch()
  putNumbers(batch, FORMAT, [version])
  await database.write(batch, true)
}
