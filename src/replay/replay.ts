/**
 * Runs reports through one configuration or several at once, each in a thread of its own, while this one reads. Main thread of
 * the command.
 */
import { RaiseLog } from './raise-log.ts'
import type { Raised, ReplayEnd, ReportBatch } from './messages.ts'
import type { ReplayEngine } from './replay-engine.ts'
import type { ReportMark } from './traffic.ts'

/** A report on its way. */
export interface ReplayReport {
  readonly id: number
  /** encodeLoginReport's text. */
  readonly text: string
  /** Unix seconds that count as now. */
  readonly nowSeconds: number
  readonly mark: ReportMark | undefined
}

export interface ReplayResult {
  readonly reports: number
  /** Unix seconds; undefined when there was no report. */
  readonly firstSeconds: number | undefined
  readonly lastSeconds: number | undefined
  /** Reports that are older than one before them. */
  readonly late: number
  readonly tookMs: number
  /** One for each engine. */
  readonly runs: readonly ReplayRun[]
}

export interface ReplayRun {
  readonly end: ReplayEnd
  readonly evidence: RaiseLog
}

const BATCH_REPORTS = 512
/** Fewer reports where they are long: a report may have 1 MiB. */
const BATCH_CHARACTERS = 4 * 1024 * 1024
/** Read, and not run yet: more only take memory. */
const BATCHES_AHEAD = 8

/** @throws TrackError of the reports, TRK_REPLAY_INPUT, or of an engine. */
export async function replay(
  batches: AsyncIterable<readonly ReplayReport[]>,
  engines: readonly Pick<ReplayEngine, 'run' | 'end'>[],
  onProgress: (reports: number) => void,
): Promise<ReplayResult> {
  const beganMs = performance.now()
  const running: Promise<void>[] = []
  const lanes = engines.map((engine) => ({ engine, evidence: new RaiseLog() }))
  const span = new TimeSpan()
  const start = async (reports: readonly ReplayReport[]): Promise<void> => {
    const batch = batchOf(reports)
    await Promise.all(
      lanes.map(async ({ engine, evidence }) => note(await engine.run(batch), reports, evidence)),
    )
    onProgress(span.reports)
  }
  for await (const reports of inBatches(batches)) {
    span.add(reports)
    const run = start(reports)
    // Looked at below, in order; until then nobody must take it for forgotten.
    run.catch(() => undefined)
    running.push(run)
    if (running.length >= BATCHES_AHEAD) await running.shift()
  }
  await Promise.all(running)
  const runs = await Promise.all(
    lanes.map(async ({ engine, evidence }) => ({ end: await engine.end(), evidence })),
  )
  const { reports, firstSeconds, lastSeconds, late } = span
  return { reports, firstSeconds, lastSeconds, late, tookMs: performance.now() - beganMs, runs }
}

function batchOf(reports: readonly ReplayReport[]): ReportBatch {
  return {
    text: reports.map(({ text }) => text).join('\n'),
    ids: Float64Array.from(reports, ({ id }) => id),
    nowSeconds: Float64Array.from(reports, ({ nowSeconds }) => nowSeconds),
  }
}

function note(raised: readonly Raised[], reports: readonly ReplayReport[], evidence: RaiseLog): void {
  for (const { report, ...alert } of raised) {
    const mark = report === undefined ? undefined : reports[report]?.mark
    // Of a history nobody says what its reports are, so there is nothing to judge.
    if (report === undefined || mark !== undefined) evidence.note(alert, mark)
  }
}

class TimeSpan {
  reports = 0
  firstSeconds: number | undefined
  lastSeconds: number | undefined
  late = 0

  add(batch: readonly ReplayReport[]): void {
    this.reports += batch.length
    for (const { nowSeconds } of batch) {
      this.firstSeconds = Math.min(nowSeconds, this.firstSeconds ?? nowSeconds)
      if (this.lastSeconds !== undefined && nowSeconds < this.lastSeconds) this.late++
      else this.lastSeconds = nowSeconds
    }
  }
}

async function* inBatches(
  parts: AsyncIterable<readonly ReplayReport[]>,
): AsyncGenerator<readonly ReplayReport[]> {
  let batch: ReplayReport[] = []
  let characters = 0
  for await (const part of parts) {
    for (const report of part) {
      batch.push(report)
      characters += report.text.length
      if (batch.length < BATCH_REPORTS && characters < BATCH_CHARACTERS) continue
      yield batch
      batch = []
      characters = 0
    }
  }
  if (batch.length > 0) yield batch
}
