/**
 * What happens when a run has ended: its effects take place, or its failure is counted and logged. The one place for
 * both, on the main thread.
 */
import type { Outbox } from '../delivery/outbox.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Statistics } from '../telemetry/statistics.ts'
import type { RunOutcome } from './messages.ts'

interface CommitDeps {
  readonly log: Log
  readonly metrics: Metrics
  readonly statistics: Statistics
  readonly outbox: Pick<Outbox, 'add'>
}

/** @param name what ran: `report`, or the name of the function. */
export type CommitRun = (name: string, outcome: RunOutcome) => void

export function createCommitRun({ log, metrics, statistics, outbox }: CommitDeps): CommitRun {
  return (name, outcome) => {
    if (!outcome.ok) {
      const { code, message, traceback } = outcome.failure
      metrics.runFailures.inc({ function: name, code })
      log.error('a Lua function failed; what it had changed is dropped', {
        function: name,
        code,
        error: message,
        traceback,
      })
      return
    }
    if (outcome.effects === undefined) return
    for (const webHook of outcome.effects.webHooks) {
      metrics.webHookEvents.inc()
      outbox.add(webHook)
    }
    for (const [stat, count] of outcome.effects.customStats) {
      statistics.custom.add(stat, count)
      metrics.customStats.inc({ metric: stat }, count)
    }
  }
}
