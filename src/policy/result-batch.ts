/**
 * Collects results of runs so that many leave in one message, yet none waits long behind a slow run: at most until the end of
 * the turn of the event loop in which it ended. Lives on a policy worker.
 */
import type { RunResult } from './messages.ts'
import { isQuiet, packQuietRuns, type QuietRuns } from './quiet-runs.ts'

/** Results wait for company at most this long while runs follow one another. */
const FLUSH_AFTER_MS = 2

export class ResultBatch {
  readonly #send: (results: readonly (RunResult | QuietRuns)[]) => void
  /** Complete, in the order in which the runs ended; the quiet runs that ended after these are apart. */
  #results: (RunResult | QuietRuns)[] = []
  #quiet: RunResult[] = []
  #oldestAtMs = 0
  #flushIsDue = false

  constructor(send: (results: readonly (RunResult | QuietRuns)[]) => void) {
    this.#send = send
  }

  /** @param hasWaited - the run has let others run meanwhile: it may have company, however long it took */
  add(result: RunResult, hasWaited: boolean): void {
    const now = performance.now()
    if (this.#isEmpty) this.#oldestAtMs = now
    if (isQuiet(result.outcome)) {
      this.#quiet.push(result)
    } else {
      this.#packQuiet()
      this.#results.push(result)
    }
    // A run that never ends may be next: what held the thread is not to be done again for it.
    const wasSlow = !hasWaited && result.durationMs > FLUSH_AFTER_MS
    if (wasSlow || now - this.#oldestAtMs > FLUSH_AFTER_MS) this.flush()
    if (this.#flushIsDue) return
    this.#flushIsDue = true
    // After all that this turn of the event loop brings to an end.
    setImmediate(() => {
      this.#flushIsDue = false
      this.flush()
    })
  }

  /** Sends what there is; also to be called before new runs start, which may hold the thread. */
  flush(): void {
    if (this.#isEmpty) return
    this.#packQuiet()
    this.#send(this.#results)
    this.#results = []
  }

  get #isEmpty(): boolean {
    return this.#results.length === 0 && this.#quiet.length === 0
  }

  #packQuiet(): void {
    if (this.#quiet.length === 0) return
    this.#results.push(packQuietRuns(this.#quiet))
    this.#quiet = []
  }
}
