/**
 * Background functions: due by the scheduler, run by the policy workers, committed like every run. Main thread.
 */
import type { ScheduleSettings } from '../config/settings.ts'
import { createScheduler, type Scheduler } from '../schedule/scheduler.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Policy } from './start-policy.ts'
import type { StopSequence } from './stop-sequence.ts'

interface SchedulerParts {
  readonly log: Log
  /** Unix milliseconds. */
  readonly now: () => number
  readonly policy: Pick<Policy, 'runs' | 'committer'>
  readonly metrics: Pick<Metrics, 'backgroundSkipped'>
  readonly stopping: StopSequence
}

export function startScheduler(
  { log, now, policy: { runs, committer }, metrics, stopping }: SchedulerParts,
  schedules: readonly ScheduleSettings[],
): Scheduler {
  const scheduler = createScheduler(
    {
      log,
      now,
      run: async (name) => committer.commit({ name, reportId: undefined }, await runs.runBackground(name)),
      onSkipped: (name) => metrics.backgroundSkipped.inc({ function: name }),
    },
    schedules,
  )
  scheduler.start()
  stopping.add('scheduler', scheduler.stop)
  return scheduler
}
