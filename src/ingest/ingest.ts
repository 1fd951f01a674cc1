/**
 * Takes validated reports: they are acknowledged when the store has them, and run when the store hands them out. Lives on
 * the main thread.
 */
import type { HttpPorts } from '../http/http-ports.ts'
import { encodeLoginReport } from '../login/report-codec.ts'
import type { RunCommitter } from '../policy/commit-run.ts'
import type { PolicyRuns } from '../policy/policy-runs.ts'
import type { AppendOutcome, JournalledReport, Store } from '../store/store.ts'

/** Seconds after which a refused client may find room: a backlog shrinks by itself, a full disk needs somebody. */
const RETRY_AFTER_SECONDS = { backlog: 2, 'disk-full': 10, 'disk-error': 10 } as const

interface IngestDeps {
  readonly store: Pick<Store, 'append'>
  readonly onAccepted: (reports: number) => void
  /** Reports were not taken; the text says why. */
  readonly onRefused: (reason: RefusalReason, text: string) => void
  /** Unix milliseconds. */
  readonly now: () => number
}

/** Accepts all of the reports or none of them; resolves when they are as durable as setReportDurability says. */
export type SubmitReports = HttpPorts['submitReports']

export function createIngest({ store, onAccepted, onRefused, now }: IngestDeps): SubmitReports {
  return (reports) => {
    const receivedAtMs = now()
    const stored = store.append(
      reports.map((report) => ({
        login: report.login,
        remote: report.remote,
        success: report.success,
        text: encodeLoginReport(report),
        receivedAtMs,
      })),
    )
    return stored.then((outcome) => {
      if (outcome.kind === 'refused') {
        onRefused(outcome.reason, outcome.detail)
        return refusal(outcome)
      }
      onAccepted(reports.length)
      return ACCEPTED
    })
  }
}

const ACCEPTED = { kind: 'accepted' } as const

type Refused = Extract<AppendOutcome, { readonly kind: 'refused' }>
type RefusalReason = Refused['reason']

function refusal({ reason }: Refused) {
  return {
    kind: 'refused',
    reason: REFUSALS[reason],
    retryAfterSeconds: RETRY_AFTER_SECONDS[reason],
  } as const
}

const REFUSALS = {
  backlog: 'The server has as many reports waiting as it may hold; send the report again later',
  'disk-full': "The server's disk is full; send the report again later",
  'disk-error': 'The server cannot write to its disk; send the report again later',
} as const

/** Runs reports that the store hands out, and commits how each ended. */
export function createDispatcher(
  runs: Pick<PolicyRuns, 'runReport'>,
  committer: Pick<RunCommitter, 'commit'>,
) {
  return (reports: readonly JournalledReport[]): void => {
    for (const { id, login, text, receivedAtMs } of reports) {
      runs.runReport({ login, text, receivedAtMs }, (outcome) =>
        committer.commit({ name: 'report', reportId: id }, outcome),
      )
    }
  }
}
