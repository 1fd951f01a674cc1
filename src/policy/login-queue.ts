/**
 * Keeps the runs of one login in order while others pass: a run starts when the last one of its key has ended. Pure
 * but for what it starts; lives on a policy worker. Its bound is the number of runs that the main thread sends at once.
 */

/** Starts runs; a run that waits answers with a promise, all others are over when `start` returns. */
export class LoginQueue {
  /** Runs that wait for the one in progress, by key. A key is here only while one is in progress. */
  readonly #waiting = new Map<string, (() => Promise<void> | void)[]>()

  /** Starts the run now, or after all earlier ones of the key. */
  start(key: string, run: () => Promise<void> | void): void {
    const queue = this.#waiting.get(key)
    if (queue !== undefined) {
      queue.push(run)
      return
    }
    const ending = run()
    if (ending === undefined) return
    this.#waiting.set(key, [])
    void ending.finally(() => this.#next(key))
  }

  #next(key: string): void {
    const queue = this.#waiting.get(key)
    for (let run = queue?.shift(); run !== undefined; run = queue?.shift()) {
      const ending = run()
      if (ending !== undefined) {
        void ending.finally(() => this.#next(key))
        return
      }
    }
    this.#waiting.delete(key)
  }
}
