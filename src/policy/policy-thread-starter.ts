/**
 * How the threads of policy workers are started. Main thread.
 */
import { extname } from 'node:path'
import { ThreadStarter } from '../thread-starter.ts'
import type { WorkerData } from './messages.ts'

export type PolicyThreads = ThreadStarter<WorkerData>

/** Heap of a worker; beyond it the thread ends, and nothing else with it. */
const MEMORY_LIMIT_MB = 512
/** Half of what V8 would take: it takes all that it may under load, for 3 % less processor time. */
const YOUNG_GENERATION_MB = 48

/** @param memoryLimitMb - heap of a worker, MiB */
export function policyThreads(memoryLimitMb = MEMORY_LIMIT_MB): PolicyThreads {
  return new ThreadStarter({
    file: new URL(`./worker-thread${extname(import.meta.url)}`, import.meta.url),
    name: 'policy-0',
    resourceLimits: { maxOldGenerationSizeMb: memoryLimitMb, maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
  })
}
