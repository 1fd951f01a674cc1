/**
 * How one pool of policy workers gives what it holds to another. Main thread.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { PendingRun, WorkerHandle } from './worker-handle.ts'

/** A run on its way from one pool to another: nothing of it has happened. */
export type ReleasedRun = Omit<PendingRun, 'settle' | 'tries'>

/** How long a paused pool may take, milliseconds. */
export interface QuietLimits {
  readonly runsMs: number
  /** From the end of the runs on. */
  readonly commitsMs: number
}

/** Three kinds of events end a run, on three ways: it is looked at rather than told. */
const LOOK_EVERY_MS = 5

/** The part of a pool that exchanges pools use. */
export interface HandOver {
  /** Hands out no further runs: they wait. */
  readonly pause: () => void
  /**
   * Of a paused pool: waits until every run that was handed out has ended and its outcome is stored. Runs that take
   * longer are given up, to be released like those that never began; none of what they did remains.
   *
   * @returns how many outcomes are still not stored when the time is up, or the signal has come.
   */
  readonly quiet: (limits: QuietLimits, signal: AbortSignal) => Promise<number>
  /** Goes on after a pause. */
  readonly resume: () => void
  /** Of a quiet pool: gives away what waits. Reports of one login are in their order. */
  readonly release: () => readonly ReleasedRun[]
  /** Takes over what another pool has released. To be called before anything newer is run. */
  readonly adopt: (runs: readonly ReleasedRun[]) => void
}

interface PoolCounts {
  /** Runs that wait or run, or whose outcome is not stored yet. */
  readonly pending: () => number
  /** So many are pending no more. */
  readonly released: (count: number) => void
  /** Counts it as pending, and gives it a number of this pool. */
  readonly enqueue: (run: ReleasedRun) => void
}

export function createHandOver(workers: readonly WorkerHandle[], pool: PoolCounts): HandOver {
  const waiting = (): number => workers.reduce((sum, worker) => sum + worker.waiting, 0)
  const inFlight = (): number => workers.reduce((sum, worker) => sum + worker.running, 0)
  return {
    pause() {
      for (const worker of workers) worker.pause()
    },
    async quiet({ runsMs, commitsMs }, signal) {
      await until(() => inFlight() === 0, runsMs, signal)
      if (!signal.aborted) for (const worker of workers) worker.abandon()
      await until(() => pool.pending() === waiting(), commitsMs, signal)
      return pool.pending() - waiting()
    },
    resume() {
      for (const worker of workers) worker.resume()
    },
    release() {
      const runs = workers.flatMap((worker) => worker.takeBacklog())
      pool.released(runs.length)
      return runs
    },
    adopt(runs) {
      for (const { job, key, finish, submittedAtMs } of runs)
        pool.enqueue({ job, key, finish, submittedAtMs })
    },
  }
}

async function until(isTrue: () => boolean, withinMs: number, signal: AbortSignal): Promise<void> {
  const endMs = performance.now() + withinMs
  while (!isTrue() && !signal.aborted && performance.now() < endMs) await sleep(LOOK_EVERY_MS)
}
