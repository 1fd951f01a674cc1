/**
 * When background functions are due on the clock of the reports. Pure.
 */
import type { ScheduleSettings } from '../config/settings.ts'
import { nextDue, scheduleKey } from '../schedule/scheduler.ts'

/** Runs of one function between two reports: the clock of a file may jump over years. */
const MOST_RUNS_IN_GAP = 10_000

export interface DueRun {
  readonly background: string
  /** Unix milliseconds. */
  readonly atMs: number
}

interface Timer {
  readonly schedule: ScheduleSettings
  dueMs: number | undefined
}

export class ReplaySchedule {
  readonly #timers: readonly Timer[]
  #gaps = 0

  /** @param startMs the time of the first report, at which a server would have started */
  constructor(schedules: readonly ScheduleSettings[], startMs: number) {
    const distinct = new Map(schedules.map((schedule) => [scheduleKey(schedule), schedule]))
    this.#timers = Array.from(distinct.values(), (schedule) => ({
      schedule,
      dueMs: nextDue(schedule, startMs, startMs),
    }))
  }

  /** So often, runs were left out since there were too many between two reports. */
  get gaps(): number {
    return this.#gaps
  }

  isDue(nowMs: number): boolean {
    return (this.#first()?.dueMs ?? Infinity) <= nowMs
  }

  /** What is due up to a time and was not yet, in the order of time. */
  *dueUntil(nowMs: number): Generator<DueRun, void, undefined> {
    const runs = new Map<Timer, number>()
    for (let first = this.#first(); first !== undefined; first = this.#first()) {
      const { schedule, dueMs } = first
      if (dueMs === undefined || dueMs > nowMs) return
      const count = (runs.get(first) ?? 0) + 1
      runs.set(first, count)
      const isTooMany = count >= MOST_RUNS_IN_GAP
      if (isTooMany) this.#gaps++
      first.dueMs = nextDue(schedule, dueMs, isTooMany ? nowMs : dueMs)
      yield { background: schedule.background, atMs: dueMs }
    }
  }

  #first(): Timer | undefined {
    let first: Timer | undefined
    for (const timer of this.#timers)
      if ((timer.dueMs ?? Infinity) < (first?.dueMs ?? Infinity)) first = timer
    return first
  }
}
