/**
 * Looks through report files before they are opened, and beside the work. Nothing is written. Store thread. A record is
 * checked again whenever it is read; this finds damage before somebody needs what is damaged.
 */
import { existsSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf, TrackError } from '../../../errors.ts'
import { inSlices } from './file-index.ts'
import { reportFiles, reportsDirectory } from './report-log.ts'
import { type ScanEnd, type ScannedRecord, scanRecords } from './scan-records.ts'

/** What is wrong with a full file; undefined when nothing is, or when retention has removed it. */
export async function checkReportFile(path: string): Promise<string | undefined> {
  let bytes
  try {
    bytes = await readFile(path)
  } catch (error) {
    return existsSync(path) ? messageOf(error) : undefined
  }
  const steps = new KeptEnd(scanRecords(bytes))
  await inSlices(steps)
  return damageOf(steps.end)
}

export interface ReportsCheck {
  /** Bytes of writes that the last crash cut short. */
  readonly tornBytes: number
  /** Files that there was no time for. */
  readonly unchecked: readonly string[]
}

/**
 * @param budgetMs - for full files; the last one is always read, and all are looked for
 * @throws TrackError TRK_STORE_DAMAGED naming the file and what is wrong with it.
 */
export function checkReports(databaseDirectory: string, budgetMs: number): ReportsCheck {
  const directory = reportsDirectory(databaseDirectory)
  if (!existsSync(directory)) return { tornBytes: 0, unchecked: [] }
  const endMs = performance.now() + budgetMs
  const paths = reportFiles(directory).map((name) => join(directory, name))
  let tornBytes = 0
  const unchecked: string[] = []
  for (const [nth, path] of paths.toReversed().entries()) {
    if (nth > 0 && performance.now() > endMs) {
      unchecked.push(path)
      continue
    }
    const end = scanned(path)
    // Only what was written last can have been cut short.
    const damage = nth === 0 ? end.damage : damageOf(end)
    if (damage !== undefined) throw new TrackError('TRK_STORE_DAMAGED', `${path}: ${damage}`)
    tornBytes += end.tornBytes
  }
  return { tornBytes, unchecked }
}

function scanned(path: string): ScanEnd {
  let bytes
  try {
    bytes = readFileSync(path)
  } catch (error) {
    throw new TrackError('TRK_STORE_DAMAGED', `${path} cannot be read: ${messageOf(error)}`)
  }
  const scan = scanRecords(bytes)
  for (let step = scan.next(); ; step = scan.next()) if (step.done === true) return step.value
}

function damageOf({ damage, tornBytes, end }: ScanEnd): string | undefined {
  return damage ?? (tornBytes > 0 ? `the record at byte ${end} is not what was written` : undefined)
}

/** Steps whose result is kept. */
class KeptEnd implements Iterator<ScannedRecord> {
  readonly #scan: Generator<ScannedRecord, ScanEnd>
  end: ScanEnd = { end: 0, tornBytes: 0, damage: undefined }

  constructor(scan: Generator<ScannedRecord, ScanEnd>) {
    this.#scan = scan
  }

  next(): IteratorResult<ScannedRecord> {
    const step = this.#scan.next()
    if (step.done === true) this.end = step.value
    return step
  }
}
