/**
 * A pause of the writer, until its time is over or what it waited for has come. Store thread.
 */
export class Pause {
  #timer: NodeJS.Timeout | undefined
  #over = Promise.withResolvers<void>()

  constructor() {
    this.#over.resolve()
  }

  /** From now on for this long; one that is under way ends. */
  begin(ms: number): void {
    this.end()
    this.#over = Promise.withResolvers()
    // Nobody stays alive for a pause that nobody waits for.
    this.#timer = setTimeout(() => this.end(), ms).unref()
  }

  /** Ends it; one that begins later is not concerned. */
  end(): void {
    clearTimeout(this.#timer)
    this.#over.resolve()
  }

  /** Resolves when none is under way. */
  ended(): Promise<void> {
    return this.#over.promise
  }
}
