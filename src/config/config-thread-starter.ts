/**
 * How configuration threads are started. Main thread.
 */
import { extname } from 'node:path'
import { ThreadStarter } from '../thread-starter.ts'
import type { ConfigThreadSetup } from './messages.ts'

export type ConfigThreads = ThreadStarter<ConfigThreadSetup>

/** Heap of the thread, MiB; beyond it the thread ends, and nothing else with it. */
const MEMORY_LIMIT_MB = 512
/** After the start the thread has little to do but lines of the console. */
const YOUNG_GENERATION_MB = 12

export function configThreads(): ConfigThreads {
  return new ThreadStarter({
    file: new URL(`./config-thread${extname(import.meta.url)}`, import.meta.url),
    name: 'configuration',
    resourceLimits: {
      maxOldGenerationSizeMb: MEMORY_LIMIT_MB,
      maxYoungGenerationSizeMb: YOUNG_GENERATION_MB,
    },
  })
}
