/**
 * Takes validated reports and hands them to the policy workers, or says that there is no room. Lives on the main thread.
 */
import type { HttpPorts } from '../http/http-ports.ts'
import { encodeLoginReport } from '../login/report-codec.ts'
import type { CommitRun } from '../policy/commit-run.ts'
import type { PolicyPool } from '../policy/policy-pool.ts'

/** A client that waits this long finds a backlog that has had time to shrink. */
const RETRY_AFTER_SECONDS = 2

interface IngestDeps {
  readonly pool: Pick<PolicyPool, 'runReports'>
  readonly commit: CommitRun
  readonly onAccepted: (reports: number) => void
}

/** Accepts all of the reports or none of them. */
export type SubmitReports = HttpPorts['submitReports']

export function createIngest({ pool, commit, onAccepted }: IngestDeps): SubmitReports {
  return (reports) => {
    const toRun = reports.map((report) => ({ login: report.login, text: encodeLoginReport(report) }))
    if (!pool.runReports(toRun, (outcome) => commit('report', outcome))) {
      return Promise.resolve({
        kind: 'refused',
        reason: 'The server has as many reports waiting as it may hold; send the report again later',
        retryAfterSeconds: RETRY_AFTER_SECONDS,
      })
    }
    onAccepted(reports.length)
    return Promise.resolve({ kind: 'accepted' })
  }
}
