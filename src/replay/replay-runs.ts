/**
 * Runs reports one after another, and background functions when they are due between them, as a server would at these times.
 * Lives on the thread that replays.
 */
import type { AlertEffect } from '../alerts/alert.ts'
import type { ScheduleSettings } from '../config/settings.ts'
import { TrackError } from '../errors.ts'
import { decodeLoginReport } from '../login/report-codec.ts'
import type { CallOutcome } from '../lua/calls.ts'
import { createRunContext, type RunContext } from '../lua/run-context.ts'
import { FailureNotes } from './failure-notes.ts'
import type { Raised, ReplayEnd, ReportBatch } from './messages.ts'
import { ReplaySchedule } from './replay-schedule.ts'
import type { ReplayState } from './replay-state.ts'

/** Alerts of one replay: a policy that raises more is to be changed, not to be read. */
const MOST_ALERTS = 200_000

export class ReplayRuns {
  readonly #state: ReplayState
  readonly #schedules: readonly ScheduleSettings[]
  readonly #onRun: (reportId: number | undefined) => void
  /** Made with the first report. */
  #schedule: ReplaySchedule | undefined
  /** Time does not go back for background functions, whatever reports say. */
  #newestSeconds = 0
  readonly #failures = new FailureNotes()
  #backgroundRuns = 0
  #webHooks = 0
  #raised: Raised[] = []

  /** @param onRun - told of each run that begins, with the number of its report; undefined for a background function */
  constructor(
    state: ReplayState,
    schedules: readonly ScheduleSettings[],
    onRun: (reportId: number | undefined) => void,
  ) {
    this.#state = state
    this.#schedules = schedules
    this.#onRun = onRun
  }

  /** @throws TrackError TRK_REPLAY_LIMIT when trends or alerts are too many. */
  async run({ text: texts, ids, nowSeconds }: ReportBatch): Promise<readonly Raised[]> {
    this.#raised = []
    for (const [index, text] of texts.split('\n').entries()) {
      const now = nowSeconds[index] ?? 0
      if (now > this.#newestSeconds) {
        const passing = this.#passTime(now)
        if (passing !== undefined) await passing
      }
      const running = this.#runReport(text, { id: ids[index] ?? 0, index, nowSeconds: now })
      if (running !== undefined) await running
    }
    return this.#raised
  }

  end(): ReplayEnd {
    const { alerts } = this.#state
    alerts.expire(this.#newestSeconds * 1000)
    return {
      alerts: alerts.all(),
      failures: this.#failures.all(),
      failedRuns: this.#failures.runs,
      backgroundRuns: this.#backgroundRuns,
      backgroundGaps: this.#schedule?.gaps ?? 0,
      webHooks: this.#webHooks,
    }
  }

  #passTime(nowSeconds: number): Promise<void> | undefined {
    this.#newestSeconds = nowSeconds
    this.#schedule ??= new ReplaySchedule(this.#schedules, nowSeconds * 1000)
    if (this.#schedule.isDue(nowSeconds * 1000)) return this.#runDue(this.#schedule, nowSeconds)
    this.#state.rows.passTime(nowSeconds)
    return undefined
  }

  /** Each finds what was remembered at its time: rows expire as the runs come, not all before. */
  async #runDue(schedule: ReplaySchedule, nowSeconds: number): Promise<void> {
    const { lua, registrations, rows } = this.#state
    for (const { background, atMs } of schedule.dueUntil(nowSeconds * 1000)) {
      rows.passTime(atMs / 1000)
      const fn = registrations.backgrounds.get(background)
      if (fn === undefined) continue
      this.#backgroundRuns++
      const run = createRunContext('background', background, atMs / 1000)
      this.#onRun(undefined)
      this.#end(run, await lua.run(run, fn, []), undefined)
    }
    rows.passTime(nowSeconds)
  }

  /** A promise only when the run waits. */
  #runReport(text: string, place: ReportPlace): Promise<void> | undefined {
    const { lua, registrations, pushLoginTuple } = this.#state
    if (registrations.report === undefined) return undefined
    const report = decodeLoginReport(text)
    const run = createRunContext('report', 'report', place.nowSeconds, report)
    this.#onRun(place.id)
    const outcome = lua.run(run, registrations.report, (L) => pushLoginTuple(L, report))
    if (outcome instanceof Promise) return outcome.then((ended) => this.#end(run, ended, place))
    this.#end(run, outcome, place)
    return undefined
  }

  /** A failed run leaves nothing. */
  #end(run: RunContext, outcome: CallOutcome, place: ReportPlace | undefined): void {
    if (!outcome.ok) {
      this.#failures.note(run.name, outcome.error, place?.id)
      return
    }
    const { trends, alerts, webHooks } = run.effects
    this.#webHooks += webHooks.length
    if (trends.size > 0) this.#state.rows.apply(trends)
    if (alerts !== undefined) this.#apply(alerts, place)
  }

  #apply(effects: readonly AlertEffect[], place: ReportPlace | undefined): void {
    const { alerts } = this.#state
    for (const { id, rule, key, user, lastAtMs } of alerts.apply(effects, place?.id))
      this.#raised.push({ alertId: id, rule, key, user, atMs: lastAtMs, report: place?.index })
    if (alerts.size <= MOST_ALERTS) return
    throw new TrackError(
      'TRK_REPLAY_LIMIT',
      `the policy has raised more than ${MOST_ALERTS} alerts; replay fewer reports, or make its rules stricter`,
    )
  }
}

/** Of a report: its number, its place in the batch, and its time. */
interface ReportPlace {
  readonly id: number
  readonly index: number
  readonly nowSeconds: number
}
