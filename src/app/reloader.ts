/**
 * Reloads one after another: while one is under way, all that are asked for become one more. Main thread.
 */

/** What became of a reload. The reason is a sentence for the log and the console. */
export type ReloadOutcome = { readonly ok: true } | { readonly ok: false; readonly reason: string }

type Reload = (signal: AbortSignal) => Promise<ReloadOutcome>

export class Reloader {
  readonly #reload: Reload
  readonly #stopping = new AbortController()
  #running: Promise<ReloadOutcome> | undefined
  #next: Promise<ReloadOutcome> | undefined

  /** @param reload never rejects, and soon ends when the signal comes */
  constructor(reload: Reload) {
    this.#reload = reload
  }

  /** Reloads, or has the reload under way followed by another: what it has read may be older than the wish. */
  reload(): Promise<ReloadOutcome> {
    if (this.#stopping.signal.aborted) return Promise.resolve(STOPPING)
    if (this.#running === undefined) return this.#begin()
    this.#next ??= this.#running.then(() => {
      this.#next = undefined
      return this.#stopping.signal.aborted ? STOPPING : this.#begin()
    })
    return this.#next
  }

  /** Gives up what is under way, and waits for its end. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  #begin(): Promise<ReloadOutcome> {
    const running = this.#reload(this.#stopping.signal).finally(() => {
      this.#running = undefined
    })
    this.#running = running
    return running
  }
}

const STOPPING: ReloadOutcome = { ok: false, reason: 'the server is stopping' }
