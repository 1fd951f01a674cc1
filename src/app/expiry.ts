/**
 * Has the store remove what has expired, now and then. Main thread.
 */
import { messageOf } from '../errors.ts'
import type { Store } from '../store/store.ts'
import type { Log } from '../telemetry/log.ts'

const EVERY_MS = 30_000

/** Starts the timer; the answer stops it. Rounds do not overlap: the store is asked again when it has answered. */
export function startExpiry(store: Pick<Store, 'expire'>, now: () => number, log: Log): () => void {
  let isRunning = false
  const timer = setInterval(() => {
    if (isRunning) return
    isRunning = true
    store
      .expire(now())
      .catch((error: unknown) => log.warn('expired data could not be removed', { error: messageOf(error) }))
      .finally(() => {
        isRunning = false
      })
  }, EVERY_MS)
  return () => clearInterval(timer)
}
