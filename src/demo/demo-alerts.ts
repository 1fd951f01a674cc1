/**
 * Sees which alerts the server of the demo has raised, and compares them with what the simulator knows. Main thread of the
 * command.
 */
import { askServer, type HttpTarget } from '../cli/http-target.ts'
import { readAlerts, type ShownAlert } from '../cli/shown-alert.ts'
import { TrackError } from '../errors.ts'
import type { SimulatedReport, Trap } from '../simulator/simulated-report.ts'

const TIMEOUT_MS = 30_000
/** More than the demo ever raises. */
const MOST_ALERTS = 10_000

/** What is known about the logins that raised an alert. */
export type Truth =
  | { readonly kind: 'attack'; readonly attack: string }
  | { readonly kind: 'honest'; readonly trap: Trap | undefined }
  /** It is about no login, such as one of the server itself. */
  | { readonly kind: 'unknown' }

export interface SeenAlert {
  readonly alert: ShownAlert
  readonly truth: Truth
}

export class DemoAlerts {
  readonly #target: HttpTarget
  readonly #reports: ReadonlyMap<string, SimulatedReport>
  readonly #seen = new Map<number, SeenAlert>()

  /** @param reports - all that may raise an alert */
  constructor(target: HttpTarget, reports: readonly SimulatedReport[]) {
    this.#target = target
    this.#reports = new Map(reports.map((report) => [nameOf(report), report]))
  }

  get all(): readonly SeenAlert[] {
    return [...this.#seen.values()]
  }

  /** Alerts that are new since the last look, in the order in which they were raised. */
  async look(): Promise<readonly SeenAlert[]> {
    const answer = await askServer(this.#target, {
      path: `/command/alerts?limit=${MOST_ALERTS}`,
      timeoutMs: TIMEOUT_MS,
    })
    const alerts = answer.status === 200 ? readAlerts(answer.body) : undefined
    if (alerts === undefined) throw new TrackError('TRK_DEMO_FAILED', `alerts: status ${answer.status}`)
    const news = alerts
      .filter(({ id }) => !this.#seen.has(id))
      .map((alert) => ({ alert, truth: this.#truthOf(alert) }))
      .toSorted((a, b) => a.alert.first - b.alert.first || a.alert.id - b.alert.id)
    for (const seen of news) this.#seen.set(seen.alert.id, seen)
    return news
  }

  /** Every report that was taken has run and what came of it is stored. */
  async haveAllRun(): Promise<boolean> {
    const { body } = await askServer(this.#target, { path: '/metrics', timeoutMs: TIMEOUT_MS })
    return /^trackalert_backlog_reports 0$/m.test(body)
  }

  #truthOf({ firstReport }: ShownAlert): Truth {
    const report = firstReport === undefined ? undefined : this.#reports.get(nameOf(firstReport))
    if (report === undefined) return { kind: 'unknown' }
    const { attack, trap } = report
    return attack === undefined ? { kind: 'honest', trap } : { kind: 'attack', attack }
  }
}

function nameOf({ login, t }: { readonly login: string; readonly t: number }): string {
  return `${t} ${login}`
}
