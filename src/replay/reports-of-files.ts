/**
 * The reports of files, one a line, with what their labels say; bad lines are counted and passed over. Main thread of the
 * command.
 */
import { encodeLoginReport } from '../login/report-codec.ts'
import { parseLine } from './parse-line.ts'
import type { ReplayReport } from './replay.ts'
import { linesOf, type LineSource } from './report-lines.ts'
import type { Traffic } from './traffic.ts'

export interface BadLine {
  readonly file: string
  readonly line: number
  readonly reason: string
}

/** Those that are shown. */
const BAD_LINES_KEPT = 10

export class BadLines {
  readonly first: BadLine[] = []
  count = 0

  note(bad: BadLine): void {
    this.count++
    if (this.first.length < BAD_LINES_KEPT) this.first.push(bad)
  }
}

interface FileDeps {
  readonly traffic: Traffic
  readonly badLines: BadLines
  /** Told of bytes as they are read. */
  readonly onBytes: (count: number) => void
}

/**
 * Reports in the order of files and lines, numbered from 1 over all files.
 *
 * @throws TrackError TRK_REPLAY_INPUT when a file cannot be read to its end; TRK_REPLAY_LIMIT
 */
export async function* reportsOfFiles(
  sources: readonly LineSource[],
  { traffic, badLines, onBytes }: FileDeps,
): AsyncGenerator<readonly ReplayReport[], void, undefined> {
  let id = 0
  for (const source of sources) {
    let line = 0
    for await (const lines of linesOf(source, onBytes)) {
      const reports: ReplayReport[] = []
      for (const text of lines) {
        line++
        const parsed = parseLine(text)
        if (parsed.kind === 'bad') badLines.note({ file: source.name, line, reason: parsed.reason })
        if (parsed.kind !== 'report') continue
        const { report, labels } = parsed
        const mark = traffic.note(report, labels)
        reports.push({ id: ++id, text: encodeLoginReport(report), nowSeconds: report.t, mark })
      }
      yield reports
    }
  }
}
