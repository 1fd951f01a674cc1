/**
 * What one run of a Lua function knows and leaves behind. A run's effects are collected here and take place only when
 * the run has ended well: a failed run leaves no trace. Policy workers own these.
 */

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
}

export interface RunContext {
  readonly kind: 'report' | 'background' | 'endpoint'
  /** What ran, for logs: `report`, or the name of the function. */
  readonly name: string
  readonly effects: RunEffects
}

export function createRunContext(kind: RunContext['kind'], name: string): RunContext {
  return { kind, name, effects: { webHooks: [], customStats: new Map() } }
}
