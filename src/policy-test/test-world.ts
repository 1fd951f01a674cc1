/**
 * What one policy test lives in: its clock, trends, alerts, places and the reports so far. Everything begins anew with each
 * test. Lives on the thread of the test's Lua state.
 */
import { utcTime } from '../console/utc-time.ts'
import { AlertBook } from '../alerts/alert-book.ts'
import type { LoginReport } from '../login/login-report.ts'
import { createRunContext, type RunContext } from '../lua/run-context.ts'
import { RunReads } from '../lua/run-reads.ts'
import type { RunChanges } from '../trends/run-changes.ts'
import { RowTable } from '../trends/row-table.ts'
import type { TrendRegistry } from '../trends/trend-registry.ts'
import { TrackError } from '../errors.ts'
import { describeAlert, describeWish, type AlertWish } from './test-alerts.ts'

/** When every test begins: a Monday, Unix seconds. */
export const TEST_START_SECONDS = Date.UTC(2026, 0, 5) / 1000
/** Reports that a failure shows. */
const SHOWN_REPORTS = 8
const SHOWN_ALERTS = 20

export class TestWorld {
  nowSeconds = TEST_START_SECONDS
  readonly trends: RowTable
  readonly alerts = new AlertBook()
  /** What the test itself does to trends and alerts, until the next report. */
  readonly run: TestRun
  /** The last reports, as a failure shows them. */
  readonly #reports: string[] = []
  #reportCount = 0

  constructor(name: string, registry: TrendRegistry) {
    this.trends = new RowTable(registry)
    this.run = new TestRun(name, () => this.nowSeconds)
  }

  /** Commits what the test itself has done so far, as the runs that follow must see it. */
  settle(): void {
    this.trends.apply(this.run.changes)
    this.alerts.apply(this.run.effects.alerts ?? [], undefined)
    this.run.begin()
  }

  /** A run of the policy has ended well; answers the rules that it raised. */
  commit({ effects }: RunContext, reportId?: number): readonly string[] {
    this.trends.apply(effects.trends)
    const alerts = effects.alerts ?? []
    this.alerts.apply(alerts, reportId)
    return alerts.filter((effect) => effect.kind === 'raise').map(({ rule }) => rule)
  }

  nextReportId(): number {
    return ++this.#reportCount
  }

  noteReport(report: LoginReport, raised: readonly string[]): void {
    const { t, login, remote, success, protocol } = report
    const result = success ? 'success' : `failure ${report.fail_type}`.trimEnd()
    const alerts = raised.length === 0 ? '' : ` -> ${raised.join(', ')}`
    const line = [utcTime(t), login, 'from', remote, protocol, result].filter((word) => word !== '')
    this.#reports.push(line.join(' ') + alerts)
    if (this.#reports.length > SHOWN_REPORTS) this.#reports.shift()
  }

  /** Why an expectation failed, for people: what was wanted, what there is, and what led there. */
  explain(expected: string, wish: AlertWish): string {
    const alerts = this.alerts.all().slice(-SHOWN_ALERTS)
    const wanted = `${expected} ${describeWish(wish)}`.trimEnd()
    return [
      wanted,
      alerts.length === 0 ? '  there is no alert at all' : '  the alerts:',
      ...alerts.map((alert) => `    ${describeAlert(alert)}`),
      this.#reports.length === 0 ? '  no report has come' : `  the last of ${this.#reportCount} reports:`,
      ...this.#reports.map((line) => `    ${line}`),
    ].join('\n')
  }
}

/** The run that a test's own function is: it may read and change trends at the time that the test has set. */
class TestRun implements RunContext {
  readonly kind = 'background'
  readonly name: string
  readonly report = undefined
  readonly reads = new RunReads()
  readonly #now: () => number
  #effects: RunContext['effects']

  constructor(name: string, now: () => number) {
    this.name = name
    this.#now = now
    this.#effects = effectsOf(name)
  }

  get nowSeconds(): number {
    return this.#now()
  }

  get effects(): RunContext['effects'] {
    return this.#effects
  }

  get changes(): RunChanges {
    return this.#effects.trends
  }

  begin(): void {
    this.#effects = effectsOf(this.name)
  }
}

function effectsOf(name: string): RunContext['effects'] {
  return createRunContext('background', name, TEST_START_SECONDS).effects
}

export function onlyInTests(): never {
  throw new TrackError('TRK_LUA_ERROR', 'this can only be used inside of test()')
}
