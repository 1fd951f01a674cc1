/**
 * Turns what one turn of the event loop brought into one message for the store thread. Main thread.
 */
import type { JournalledReport, Outcome, ReportToAppend } from '../store.ts'
import { BinaryWriter } from './binary-writer.ts'
import { SLOTS } from './keys.ts'
import type { AppendMessage, CommitMessage } from './messages.ts'
import { writeSegment } from './segment.ts'

export interface PackedAppend {
  readonly contents: Pick<AppendMessage, 'contents' | 'contentSizes' | 'reportSizes'>
  /** The reports with the ids that they get, in the order given. */
  readonly journalled: readonly JournalledReport[]
}

/** Writer memory that is kept between messages; a larger one is given back. */
const KEPT_WRITER_BYTES = 4 * 1024 * 1024

/** Encodes reports into segments from `firstSegment` on. */
export class AppendPacker {
  #writer = new BinaryWriter()

  pack(firstSegment: number, reports: readonly ReportToAppend[]): PackedAppend {
    const writer = this.#writer.reset()
    const journalled: JournalledReport[] = []
    const contentSizes: number[] = []
    for (let from = 0; from < reports.length; from = journalled.length) {
      const start = writer.length
      const { sizes } = writeSegment(writer, reports, from)
      const firstId = (firstSegment + contentSizes.length) * SLOTS
      for (const [slot, sizeBytes] of sizes.entries()) {
        const report = reports[from + slot]
        if (report === undefined) break
        const { login, text, receivedAtMs } = report
        journalled.push({ id: firstId + slot, login, text, receivedAtMs, sizeBytes })
      }
      contentSizes.push(writer.length - start)
    }
    const contents = writer.copy()
    if (writer.length > KEPT_WRITER_BYTES) this.#writer = new BinaryWriter()
    const packed = {
      contents,
      contentSizes: Uint32Array.from(contentSizes),
      reportSizes: Uint32Array.from(journalled, (report) => report.sizeBytes),
    }
    return { contents: packed, journalled }
  }
}

/** Lays outcomes out in columns. */
export function packCommit(call: number, outcomes: readonly Outcome[]): CommitMessage {
  const reportIds = new Float64Array(outcomes.length)
  const deltaSizes = new Uint32Array(outcomes.length)
  const messageCounts = new Uint32Array(outcomes.length)
  const stamps = new Float64Array(outcomes.length * 2)
  const failures: CommitMessage['failures'][number][] = []
  const messages: CommitMessage['messages'][number][] = []
  const alerts: CommitMessage['alerts'][number][] = []
  let deltaBytes = 0
  for (const outcome of outcomes) if (outcome.kind === 'done') deltaBytes += outcome.deltas.length
  const deltas = new Uint8Array(deltaBytes)
  let at = 0
  for (const [index, outcome] of outcomes.entries()) {
    reportIds[index] = outcome.reportId ?? -1
    stamps[index * 2] = -1
    if (outcome.kind === 'failed') {
      failures.push({ outcome: index, failure: outcome.failure, atMs: outcome.atMs })
      continue
    }
    deltas.set(outcome.deltas, at)
    at += outcome.deltas.length
    deltaSizes[index] = outcome.deltas.length
    messageCounts[index] = outcome.messages.length
    messages.push(...outcome.messages)
    if (outcome.alerts !== undefined && outcome.alerts.length > 0)
      alerts.push({ outcome: index, effects: outcome.alerts })
    if (outcome.commit !== undefined) {
      stamps[index * 2] = outcome.commit.worker
      stamps[index * 2 + 1] = outcome.commit.number
    }
  }
  return {
    type: 'commit',
    call,
    reportIds,
    deltas,
    deltaSizes,
    stamps,
    messages,
    messageCounts,
    alerts,
    failures,
  }
}
