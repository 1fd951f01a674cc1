/**
 * Runs background functions when they are due: by cron pattern or by interval, never one beside itself. Lives on the
 * main thread; the functions run on policy workers.
 */
import { messageOf } from '../errors.ts'
import type { Log } from '../telemetry/log.ts'
import type { ScheduleSettings } from '../config/settings.ts'
import { parseCron } from './cron.ts'

/** setTimeout counts in 32 bits; a longer wait is cut into pieces, which also follows a clock that was set. */
const LONGEST_SLEEP_MS = 3_600_000

interface SchedulerDeps {
  readonly log: Log
  /** Unix milliseconds. */
  readonly now: () => number
  /** Runs a background function to its end. */
  readonly run: (name: string) => Promise<unknown>
  /** A run was left out because the last one of the same function had not ended. */
  readonly onSkipped: (name: string) => void
}

export interface Scheduler {
  readonly start: () => void
  /** Goes by these schedules from now on. One that was there before keeps its next due time. */
  readonly replace: (schedules: readonly ScheduleSettings[]) => void
  /** No further runs begin; those in progress are the pool's to end. */
  readonly stop: () => void
}

export function createScheduler(deps: SchedulerDeps, schedules: readonly ScheduleSettings[]): Scheduler {
  /** By the schedule's text: two that are the same are due together, and run once. */
  const timers = new Map<string, NodeJS.Timeout>()
  const running = new Set<string>()

  function arm(schedule: ScheduleSettings, dueMs: number | undefined): void {
    if (dueMs === undefined) return
    const waitMs = dueMs - deps.now()
    const timer = setTimeout(
      () => {
        if (deps.now() < dueMs) return arm(schedule, dueMs)
        fire(schedule.background)
        arm(schedule, nextDue(schedule, dueMs, deps.now()))
      },
      Math.min(Math.max(waitMs, 0), LONGEST_SLEEP_MS),
    )
    timers.set(scheduleKey(schedule), timer)
  }

  function fire(name: string): void {
    if (running.has(name)) {
      deps.onSkipped(name)
      deps.log.warn('a background function is due again before its last run ended; this run is left out', {
        function: name,
      })
      return
    }
    running.add(name)
    deps
      .run(name)
      .catch((error: unknown) => {
        deps.log.error('a background function could not be run', { function: name, error: messageOf(error) })
      })
      .finally(() => running.delete(name))
  }

  function armNew(wanted: readonly ScheduleSettings[]): void {
    for (const schedule of wanted) {
      const now = deps.now()
      if (!timers.has(scheduleKey(schedule))) arm(schedule, nextDue(schedule, now, now))
    }
  }

  return {
    start: () => armNew(schedules),
    replace(wanted) {
      const kept = new Set(wanted.map(scheduleKey))
      for (const [key, timer] of timers) {
        if (kept.has(key)) continue
        clearTimeout(timer)
        timers.delete(key)
      }
      armNew(wanted)
    },
    stop() {
      for (const timer of timers.values()) clearTimeout(timer)
      timers.clear()
    },
  }
}

/** Two schedules with one key are due together. */
export function scheduleKey({ background, when }: ScheduleSettings): string {
  return JSON.stringify([background, when.kind, when.kind === 'cron' ? when.pattern : when.seconds])
}

/**
 * The next time that a schedule is due, Unix milliseconds. An interval counts from its last due time, so that it does
 * not drift, and leaves out what was missed while the machine slept.
 */
export function nextDue(schedule: ScheduleSettings, lastDueMs: number, nowMs: number): number | undefined {
  switch (schedule.when.kind) {
    case 'interval': {
      const stepMs = schedule.when.seconds * 1000
      const steps = Math.max(1, Math.floor((nowMs - lastDueMs) / stepMs) + 1)
      return lastDueMs + steps * stepMs
    }
    case 'cron': {
      const parsed = parseCron(schedule.when.pattern)
      return parsed.ok ? parsed.pattern.next(nowMs) : undefined
    }
    default:
      return schedule.when satisfies never
  }
}
