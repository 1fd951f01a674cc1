/**
 * Looks through LevelDB's files before they are opened: MANIFEST, logs and as many tables as there is time for. Nothing is
 * written. Store thread. LevelDB would skip a damaged log without a word and answer from a damaged table.
 */
import type { Buffer } from 'node:buffer'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { messageOf, TrackError } from '../../errors.ts'
import { readLogFile } from './log-file.ts'
import { readManifest } from './manifest.ts'
import { checkTable, checkTableSteps } from './table-file.ts'

/** A table takes tens of milliseconds; nobody who commits waits for all of it. */
const STEP_MS = 2

export type FileCheck =
  /** There is no database yet. */
  | { readonly kind: 'none' }
  | {
      readonly kind: 'intact'
      /** Bytes of writes that the last crash cut short; LevelDB drops them. */
      readonly tornBytes: number
      /** Tables that there was no time for. */
      readonly unchecked: readonly string[]
    }

/**
 * @param budgetMs - for tables; MANIFEST and logs are always read, and are small.
 * @throws TrackError TRK_STORE_DAMAGED naming the file and what is wrong with it.
 */
export function checkFiles(directory: string, budgetMs: number): FileCheck {
  const names = listDirectory(directory)
  if (!names.some((name) => /^(CURRENT|MANIFEST-.*|.*\.(ldb|log)|reports)$/.test(name)))
    return { kind: 'none' }
  const { tables, firstLog } = liveFiles(directory)
  const tornBytes = checkLogs(directory, names, firstLog)
  const paths = tablePaths(directory, names, tables)
  const endMs = performance.now() + budgetMs
  const unchecked: string[] = []
  for (const path of paths) {
    if (performance.now() > endMs) unchecked.push(path)
    else refuse(path, checkTableFile(path))
  }
  return { kind: 'intact', tornBytes, unchecked }
}

/** What is wrong with a table; undefined when nothing is, or when LevelDB has removed the file meanwhile. */
function checkTableFile(path: string): string | undefined {
  let bytes
  try {
    bytes = readFileSync(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    return messageOf(error)
  }
  return checkTable(bytes)
}

/** The same in steps of a few milliseconds, with other work in between. */
export async function checkTableFileSlowly(path: string): Promise<string | undefined> {
  let bytes
  try {
    bytes = await readFile(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    return messageOf(error)
  }
  const steps = checkTableSteps(bytes)
  let endMs = performance.now() + STEP_MS
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done === true) return step.value
    if (performance.now() < endMs) continue
    await nextTurn()
    endMs = performance.now() + STEP_MS
  }
}

function listDirectory(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}

/**
 * Which tables, with their sizes in bytes, and which logs belong to the database.
 *
 * @throws TrackError TRK_STORE_DAMAGED when CURRENT or MANIFEST do not say it.
 */
export function liveFiles(directory: string): {
  readonly tables: ReadonlyMap<number, number>
  readonly firstLog: number
} {
  const currentPath = join(directory, 'CURRENT')
  const name = readNamed(currentPath).toString('latin1')
  const match = /^(MANIFEST-\d+)\n$/.exec(name)
  if (match?.[1] === undefined) throw damaged(`${currentPath} does not name a MANIFEST`)
  const path = join(directory, match[1])
  const live = readManifest(readNamed(path))
  if ('damage' in live) throw damaged(`${path}: ${live.damage}`)
  return live
}

function checkLogs(directory: string, names: readonly string[], firstLog: number): number {
  let tornBytes = 0
  for (const name of names) {
    const number = /^(\d+)\.log$/.exec(name)?.[1]
    if (number === undefined || Number(number) < firstLog) continue
    const path = join(directory, name)
    const log = readLogFile(readNamed(path))
    refuse(path, log.damage)
    tornBytes += log.tornBytes
  }
  return tornBytes
}

/** Newest first: they hold what was written last. */
function tablePaths(
  directory: string,
  names: readonly string[],
  tables: ReadonlyMap<number, number>,
): readonly string[] {
  const byNumber = new Map(names.map((name) => [Number(/^(\d+)\.(?:ldb|sst)$/.exec(name)?.[1] ?? -1), name]))
  return [...tables.keys()]
    .toSorted((a, b) => b - a)
    .map((number) => {
      const name = byNumber.get(number)
      if (name === undefined) throw damaged(`${directory}: table ${number} is missing`)
      const path = join(directory, name)
      const { size } = statSync(path)
      const expected = tables.get(number)
      if (size !== expected) throw damaged(`${path} has ${size} bytes and was written with ${expected}`)
      return path
    })
}

function readNamed(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw damaged(`${path} cannot be read: ${messageOf(error)}`)
  }
}

function refuse(path: string, damage: string | undefined): void {
  if (damage !== undefined) throw damaged(`${path}: ${damage}`)
}

function damaged(detail: string): TrackError {
  return new TrackError('TRK_STORE_DAMAGED', detail)
}
