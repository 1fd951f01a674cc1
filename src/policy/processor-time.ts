/**
 * How much processor time another thread has used, for whoever watches over it. Main thread.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'

/** How long to wait for a thread's processor time; one that is held inside the system does not tell. */
const PROCESSOR_ANSWER_MS = 900

/** Asks threads as `processorMsOf` does, and tells what the last one has used since it was asked before. */
export function processorMeter(
  onUsed: ((usedMs: number) => void) | undefined,
): (worker: Worker) => Promise<number | undefined> {
  let last: { readonly worker: Worker; readonly usedMs: number } | undefined
  return async (worker) => {
    const usedMs = await processorMsOf(worker)
    if (usedMs === undefined) return undefined
    onUsed?.(Math.max(0, usedMs - (last?.worker === worker ? last.usedMs : 0)))
    last = { worker, usedMs }
    return usedMs
  }
}

/** Processor time that a thread has used so far, milliseconds; undefined when it does not tell. */
export async function processorMsOf(worker: Worker): Promise<number | undefined> {
  const answered = new AbortController()
  try {
    const usage = await Promise.race([
      worker.cpuUsage(),
      sleep(PROCESSOR_ANSWER_MS, undefined, { signal: answered.signal }),
    ])
    return usage === undefined ? undefined : (usage.user + usage.system) / 1000
  } catch {
    // The thread has just ended, which its exit event says too; or this Node.js, before 24.6, cannot ask.
    return undefined
  } finally {
    answered.abort()
  }
}
