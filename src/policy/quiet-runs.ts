/**
 * Runs that ended well and left nothing but trend changes, which is nearly all of them, as one message carries them: column by
 * column, since cloning a few objects for each run costs the threads at both ends more than storing what they say. Pure;
 * packed on a policy worker, unpacked on the main thread.
 */
import type { RunOutcome, RunResult } from './messages.ts'
import type { EndedChanges } from './worker-trends.ts'

/** In the order in which the runs ended. */
export interface QuietRuns {
  readonly kind: 'quiet'
  readonly ids: Float64Array
  readonly startedAtMs: Float64Array
  readonly durationMs: Float64Array
  /** Number of the thread, as in the stamps of its commits. */
  readonly worker: number
  /** The numbers of the commits; 0 for a run that changed nothing. */
  readonly commits: Float64Array
  /** Changes of every run, one after another. */
  readonly deltas: Uint8Array
  readonly deltaSizes: Uint32Array
}

const NOTHING: RunOutcome = { ok: true, effects: undefined, answer: undefined }

/** Whether a run left nothing but trend changes. Whatever else an outcome may hold must be asked for here. */
export function isQuiet(outcome: RunOutcome): boolean {
  if (!outcome.ok || outcome.answer !== undefined) return false
  const { effects } = outcome
  if (effects === undefined) return true
  const { webHooks, customStats, alerts } = effects
  return webHooks.length === 0 && customStats.length === 0 && alerts === undefined
}

/** Results must be quiet, and of one worker. */
export function packQuietRuns(results: readonly RunResult[]): QuietRuns {
  const trends = results.map(({ outcome }) => (outcome.ok ? outcome.effects?.trends : undefined))
  const deltaSizes = Uint32Array.from(trends, (ended) => ended?.deltas.length ?? 0)
  const deltas = new Uint8Array(deltaSizes.reduce((sum, sizeBytes) => sum + sizeBytes, 0))
  let at = 0
  for (const ended of trends) {
    if (ended === undefined) continue
    deltas.set(ended.deltas, at)
    at += ended.deltas.length
  }
  return {
    kind: 'quiet',
    ids: Float64Array.from(results, ({ id }) => id),
    startedAtMs: Float64Array.from(results, (result) => result.startedAtMs),
    durationMs: Float64Array.from(results, (result) => result.durationMs),
    worker: trends.find((ended) => ended !== undefined)?.commit.worker ?? 0,
    commits: Float64Array.from(trends, (ended) => ended?.commit.number ?? 0),
    deltas,
    deltaSizes,
  }
}

/** The results as they were packed. */
export function unpackQuietRuns(quiet: QuietRuns): readonly RunResult[] {
  let at = 0
  return Array.from(quiet.ids, (id, index) => {
    const deltas = quiet.deltas.subarray(at, (at += quiet.deltaSizes[index] ?? 0))
    const number = quiet.commits[index] ?? 0
    return {
      id,
      startedAtMs: quiet.startedAtMs[index] ?? 0,
      durationMs: quiet.durationMs[index] ?? 0,
      outcome: number === 0 ? NOTHING : outcomeOf({ deltas, commit: { worker: quiet.worker, number } }),
    }
  })
}

function outcomeOf(trends: EndedChanges): RunOutcome {
  return { ok: true, effects: { webHooks: [], customStats: [], trends }, answer: undefined }
}
