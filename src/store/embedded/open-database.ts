/**
 * From a directory to a database that can be trusted: files checked, damage set aside if the operator said so, format
 * brought up to date. Store thread. The main thread opens the database between the two steps and holds it until the end,
 * since LevelDB's shared cache belongs to the handle that opened first and must be the last to go.
 */
import { chmodSync, mkdirSync } from 'node:fs'
import { TrackError } from '../../errors.ts'
import { checkFiles } from './check-files.ts'
import { isMarkedClean, removeCleanMark } from './clean-mark.ts'
import { Database } from './database.ts'
import { PREFIX, wholePrefix } from './keys.ts'
import { migrate, type Migration, MIGRATIONS } from './migrations.ts'
import { checkReports } from './reports/check-reports.ts'
import { finishErasing } from './reports/erasing.ts'
import { reportsDirectory } from './reports/report-log.ts'
import { finishSalvage, salvage, type Salvage } from './salvage.ts'
import { WriteBatch } from './write-batch.ts'

/** What the caller should tell the operator. */
export interface OpenReport {
  readonly isNew: boolean
  /** Format that the database was brought up from; undefined when it had the newest. */
  readonly migratedFrom: number | undefined
  /** Bytes of unacknowledged writes that the last crash cut short. */
  readonly tornBytes: number
  /** Set when a damaged database was set aside. */
  readonly salvage: Salvage | undefined
  /** Tables that are checked while the store runs, for want of time at start. */
  readonly tablesToCheck: number
}

export interface CheckedDirectory {
  readonly report: Omit<OpenReport, 'migratedFrom'>
  /** Tables. */
  readonly unchecked: readonly string[]
  /** Files of reports. */
  readonly uncheckedReports: readonly string[]
}

interface CheckOptions {
  readonly recover: boolean
  /** For tables and full files of reports; all tables are checked unless the store was closed in order. */
  readonly checkMs: number
  readonly nowMs: number
}

/**
 * Checks the files; nothing has the database open yet.
 *
 * @throws TrackError TRK_STORE_DAMAGED unless `recover` is set.
 */
export async function checkDirectory(directory: string, options: CheckOptions): Promise<CheckedDirectory> {
  try {
    finishSalvage(directory)
    // Whoever recovers wants to know of all damage now.
    const checkMs = options.recover ? Infinity : options.checkMs
    const endMs = performance.now() + checkMs
    const check = checkFiles(directory, isMarkedClean(directory) ? checkMs : Infinity)
    // What was being overwritten is neither old nor new: the check would take it for damage.
    await finishErasing(reportsDirectory(directory))
    const reports = checkReports(directory, endMs - performance.now())
    if (check.kind === 'none') makeDirectory(directory)
    removeCleanMark(directory)
    const { tornBytes, unchecked } = check.kind === 'none' ? { tornBytes: 0, unchecked: [] } : check
    const report = {
      isNew: check.kind === 'none',
      tornBytes: tornBytes + reports.tornBytes,
      salvage: undefined,
      tablesToCheck: unchecked.length,
    }
    return { report, unchecked, uncheckedReports: reports.unchecked }
  } catch (error) {
    if (!(error instanceof TrackError) || error.code !== 'TRK_STORE_DAMAGED') throw error
    if (options.recover) return await setAside(directory, error, options)
    throw withAdvice(error)
  }
}

/** Damage that stands in the way of a start, and what can be done about it. */
export function withAdvice(damage: TrackError): TrackError {
  return new TrackError(
    'TRK_STORE_DAMAGED',
    `${detailOf(damage)}; nothing was changed. Restore a backup, or start with --recover, which sets this store aside and ` +
      'takes over what is intact',
    { cause: damage },
  )
}

/** Sets a damaged database aside; a new one with what is intact takes its place. */
export async function setAside(
  directory: string,
  damage: TrackError,
  { nowMs }: CheckOptions,
): Promise<CheckedDirectory> {
  const utcTime = new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d+/g, '')
  const salvaged = await salvage(directory, detailOf(damage), utcTime)
  return {
    report: { isNew: false, tornBytes: 0, salvage: salvaged, tablesToCheck: 0 },
    unchecked: [],
    uncheckedReports: [],
  }
}

/** Opens the checked database and brings its format up to date. */
export async function openDatabase(
  directory: string,
  checked: CheckedDirectory,
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<{ readonly database: Database; readonly report: OpenReport }> {
  const database = await Database.open(directory)
  const migratedFrom = await migrate(database, migrations)
  return { database, report: { ...checked.report, migratedFrom } }
}

/** Policy workers count their commits from the start of the process. */
export async function forgetWorkers(database: Database): Promise<void> {
  const batch = new WriteBatch()
  for await (const page of database.pages(wholePrefix(PREFIX.worker), 256)) {
    for (const [key] of page) batch.delete(key)
  }
  if (batch.operations.length > 0) await database.write(batch, false)
}

function makeDirectory(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  chmodSync(directory, 0o700)
}

function detailOf(error: TrackError): string {
  return error.message.replace(/^the store is damaged: /, '')
}
