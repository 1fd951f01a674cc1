/**
 * A pause in which work gathers company, until its time is over or somebody is in a hurry. Store thread.
 */
export class Gathering {
  #timer: NodeJS.Timeout | undefined
  #over = Promise.withResolvers<void>()

  constructor() {
    this.#over.resolve()
  }

  /** From now on for this long; one that is under way ends. */
  begin(ms: number): void {
    this.end()
    this.#over = Promise.withResolvers()
    this.#timer = setTimeout(() => this.end(), ms)
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
