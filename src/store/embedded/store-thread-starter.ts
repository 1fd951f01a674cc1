/**
 * How store threads are started: one, and a replacement for each that is lost. Main thread.
 */
import { extname } from 'node:path'
import { ThreadStarter } from '../../thread-starter.ts'
import type { StoreThreadSetup } from './messages.ts'

export type StoreThreads = ThreadStarter<StoreThreadSetup>

/** Half of what V8 would take: it takes all that it may under load, for 3 % less processor time. */
const YOUNG_GENERATION_MB = 48

export function storeThreads(): StoreThreads {
  return new ThreadStarter({
    file: new URL(`./store-thread${extname(import.meta.url)}`, import.meta.url),
    name: 'store',
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
  })
}
