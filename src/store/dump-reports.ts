/**
 * Past reports as lines of JSON, for the control socket: written where the server's Lua runs, read by the command that asked.
 * Pure.
 */
import { isObject } from '../login/attributes.ts'
import type { HistoryEntry } from './store.ts'

/** Below what an answer of the control socket may have. */
const PAGE_BYTES = 56_000

/** What fits into one answer, and the number behind which the next one goes on; undefined when there is no more. */
export interface DumpPage {
  readonly lines: string
  readonly after: number | undefined
}

/** A line of a dump; the text is undefined of a report that is longer than an answer. */
export interface DumpedReport {
  readonly id: number
  /** Unix seconds. */
  readonly receivedSeconds: number
  readonly text: string | undefined
}

export function dumpPage(entries: readonly HistoryEntry[]): DumpPage {
  let lines = ''
  let sizeBytes = 0
  let after: number | undefined
  for (const entry of entries) {
    const line = lineOf(entry)
    const lineBytes = Buffer.byteLength(line)
    if (sizeBytes + lineBytes > PAGE_BYTES) break
    lines += line
    sizeBytes += lineBytes
    after = entry.id
  }
  return { lines, after }
}

/** The entry that a line was written for; undefined when it is none of a dump. */
export function parseDumpLine(line: string): DumpedReport | undefined {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return undefined
  }
  if (!isObject(value)) return undefined
  const { id, received, report } = value
  if (typeof id !== 'number' || typeof received !== 'number') return undefined
  const text = isObject(report) ? JSON.stringify(report) : undefined
  return { id, receivedSeconds: received, text }
}

function lineOf({ id, receivedAtMs, text }: HistoryEntry): string {
  const head = `{"id":${id},"received":${receivedAtMs / 1000}`
  const line = `${head},"report":${text}}\n`
  return Buffer.byteLength(line) > PAGE_BYTES ? `${head},"too_long":${text.length}}\n` : line
}
