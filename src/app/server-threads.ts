/**
 * The threads that every server needs, started ahead: while the main thread loads its own code they load theirs, and each
 * waits until there is something for it to do. Main thread; imports little, since it is loaded before everything else.
 */
import { configThreads, type ConfigThreads } from '../config/config-thread-starter.ts'
import { policyThreads, type PolicyThreads } from '../policy/policy-thread-starter.ts'
import { storeThreads, type StoreThreads } from '../store/embedded/store-thread-starter.ts'

export interface ServerThreads {
  readonly configuration: ConfigThreads
  readonly store: StoreThreads
  readonly policy: PolicyThreads
}

/** One of each, in the order in which they are needed. */
export function startThreadsAhead(): ServerThreads {
  const threads = { configuration: configThreads(), store: storeThreads(), policy: policyThreads() }
  threads.configuration.startAhead()
  threads.store.startAhead()
  threads.policy.startAhead()
  return threads
}

/** Ends those for which there was nothing to do, as when the configuration could not be loaded. */
export async function stopUnused(threads: ServerThreads | undefined): Promise<void> {
  await Promise.all([threads?.configuration.stop(), threads?.store.stop(), threads?.policy.stop()])
}
