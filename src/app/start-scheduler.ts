/**
 * Background functions and their times. Main thread.
 */
import type { ScheduleSettings } from '../config/settings.ts'
import { createScheduler } from '../schedule/scheduler.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { StartedPolicy } from './start-policy.ts'

interface SchedulerParts {
  readonly log: Log
  readonly now: () => number
  readonly policy: Pick<StartedPolicy, 'pool' | 'committer'>
  readonly metrics: Metrics
}

/** Starts to run the background functions when they are due. */
export function startScheduler(
  { log, now, policy, metrics }: SchedulerParts,
  schedules: readonly ScheduleSettings[],
): ReturnType<typeof createScheduler> {
  const { pool, committer } = policy
  const scheduler = createScheduler(
    {
      log,
      now,
      run: async (name) => committer.commit({ name, reportId: undefined }, await pool.runBackground(name)),
      onSkipped: (name) => metrics.backgroundSkipped.inc({ function: name }),
    },
    schedules,
  )
  scheduler.start()
  return scheduler
}
