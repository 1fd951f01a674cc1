/**
 * Jobs as one message carries them: the reports among them column by column, for the reason that quiet-runs.ts gives. Pure;
 * packed on the main thread, unpacked on a policy worker.
 */
import type { Job } from './messages.ts'

type ReportJob = Extract<Job, { readonly kind: 'report' }>

/** Reports that follow one another. */
export interface PackedReports {
  readonly kind: 'reports'
  readonly ids: Float64Array
  readonly receivedAtMs: Float64Array
  readonly reports: readonly string[]
}

export type PackedJob = Exclude<Job, ReportJob> | PackedReports

/** In the order given. */
export function packJobs(jobs: readonly Job[]): readonly PackedJob[] {
  const packed: PackedJob[] = []
  let reports: ReportJob[] = []
  const endReports = (): void => {
    if (reports.length > 0) packed.push(packReports(reports))
    reports = []
  }
  for (const job of jobs) {
    if (job.kind === 'report') {
      reports.push(job)
      continue
    }
    endReports()
    packed.push(job)
  }
  endReports()
  return packed
}

/** The jobs as they were packed. */
export function unpackJobs(packed: readonly PackedJob[]): readonly Job[] {
  return packed.flatMap((job): readonly Job[] => (job.kind === 'reports' ? unpackReports(job) : [job]))
}

function packReports(jobs: readonly ReportJob[]): PackedReports {
  return {
    kind: 'reports',
    ids: Float64Array.from(jobs, ({ id }) => id),
    receivedAtMs: Float64Array.from(jobs, ({ receivedAtMs }) => receivedAtMs),
    reports: jobs.map(({ report }) => report),
  }
}

function unpackReports({ ids, receivedAtMs, reports }: PackedReports): readonly ReportJob[] {
  return reports.map((report, index) => ({
    kind: 'report',
    id: ids[index] ?? 0,
    report,
    receivedAtMs: receivedAtMs[index] ?? 0,
  }))
}
