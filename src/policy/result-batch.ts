/**
 * Collects results of runs so that many leave in one message, yet none waits behind a slow run. Lives on a policy worker.
 */
import type { RunResult } from './messages.ts'

/** Results wait for company at most this long while runs follow one another. */
const FLUSH_AFTER_MS = 2

export class ResultBatch {
  readonly #send: (results: readonly RunResult[]) => void
  #results: RunResult[] = []
  #oldestAtMs = 0
  #flushIsDue = false

  constructor(send: (results: readonly RunResult[]) => void) {
    this.#send = send
  }

  add(result: RunResult): void {
    const now = performance.now()
    if (this.#results.length === 0) this.#oldestAtMs = now
    this.#results.push(result)
    // A run that never ends may be next: nothing that took time to wait for may depend on it.
    if (result.durationMs > FLUSH_AFTER_MS || now - this.#oldestAtMs > FLUSH_AFTER_MS) this.#flush()
    if (this.#flushIsDue) return
    this.#flushIsDue = true
    // After all that this turn of the event loop brings to an end.
    setImmediate(() => {
      this.#flushIsDue = false
      this.#flush()
    })
  }

  #flush(): void {
    if (this.#results.length === 0) return
    this.#send(this.#results)
    this.#results = []
  }
}
