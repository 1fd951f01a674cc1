/**
 * What one run of a Lua function knows and leaves behind. A run's effects are collected here and take place only when
 * the run has ended well: a failed run leaves no trace. Policy workers own these.
 */
import type { AlertEffect } from '../alerts/alert.ts'
import type { LoginReport } from '../login/login-report.ts'
import { RunChanges } from '../trends/run-changes.ts'
import { RunReads } from './run-reads.ts'

/** A custom webhook that a run asked for. */
export interface WebHookEffect {
  /** Name given to addCustomWebHook. */
  readonly hook: string
  /** The body, as the policy wrote it. */
  readonly body: string
}

/** Everything that a run wants done; committed together with its end. */
export interface RunEffects {
  readonly webHooks: WebHookEffect[]
  /** Custom statistic to the sum of its increments. */
  readonly customStats: Map<string, number>
  readonly trends: RunChanges
  /** Made with the first: nearly every run raises nothing. */
  alerts: AlertEffect[] | undefined
}

export interface RunContext {
  readonly kind: 'report' | 'background' | 'endpoint' | 'sink' | 'console'
  /** What ran, for logs: `report`, or the name of the function. */
  readonly name: string
  /** Unix seconds that count as now for what the run reads and changes; the report's own time on replay. */
  readonly nowSeconds: number
  /** undefined in a run that is about none. */
  readonly report: LoginReport | undefined
  /** What it has asked trends, for the alerts that it raises. */
  readonly reads: RunReads
  readonly effects: RunEffects
}

/** @param nowSeconds - see RunContext */
export function createRunContext(
  kind: RunContext['kind'],
  name: string,
  nowSeconds: number,
  report?: LoginReport,
): RunContext {
  return {
    kind,
    name,
    nowSeconds,
    report,
    reads: new RunReads(),
    effects: { webHooks: [], customStats: new Map(), trends: new RunChanges(), alerts: undefined },
  }
}
