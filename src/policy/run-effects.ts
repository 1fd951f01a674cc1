/**
 * What a run that has ended well leaves for the main thread to commit. Lives on the thread that ran it.
 */
import type { RunContext } from '../lua/run-context.ts'
import type { CommittedEffects } from './messages.ts'
import type { WorkerTrends } from './worker-trends.ts'

/** The run's effects; its trend changes count for the later runs of this thread. undefined when there are none. */
export function effectsOf(
  run: RunContext,
  runTrends: WorkerTrends | undefined,
): CommittedEffects | undefined {
  const { webHooks, customStats, alerts } = run.effects
  const trends = runTrends?.runEnded(run.effects.trends)
  if (webHooks.length === 0 && customStats.size === 0 && trends === undefined && alerts === undefined)
    return undefined
  const effects = { webHooks, customStats: [...customStats], trends }
  return alerts === undefined ? effects : { ...effects, alerts }
}
