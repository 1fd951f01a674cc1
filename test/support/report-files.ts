/**
 * Segments of reports for tests that write report files themselves.
 */
import { ReportBatch } from '../../src/store/embedded/reports/report-batch.ts'
import { BinaryWriter } from '../../src/store/embedded/binary-writer.ts'
import { writeSegment } from '../../src/store/embedded/segment.ts'
import type { ReportToAppend } from '../../src/store/store.ts'

/** The content of a segment with these reports, as the main thread would encode it. */
export function segmentOf(reports: readonly ReportToAppend[]): Uint8Array {
  const writer = new BinaryWriter()
  const { sizes } = writeSegment(writer, reports, 0)
  if (sizes.length !== reports.length)
    throw new RangeError(`${reports.length} reports are too many for one segment`)
  return writer.copy()
}

/** One batch; each list of reports is a segment, and they are numbered from the first on. */
export function batchOf(
  firstSegment: number,
  segments: readonly (readonly ReportToAppend[])[],
  isKept = true,
): ReportBatch {
  const batch = new ReportBatch()
  for (const [nth, reports] of segments.entries()) batch.add(firstSegment + nth, segmentOf(reports), isKept)
  return batch
}
