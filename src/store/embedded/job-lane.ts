/**
 * Jobs that wait for the disk: whatever came while one batch was written is the next batch. Store thread.
 */
export class JobLane<Job> {
  readonly #write: (jobs: Job[]) => Promise<void>
  readonly #queue: Job[] = []
  #running: Promise<void> | undefined

  /**
   * @param write - takes jobs from the front of a list, as many as one batch holds, and ends when they have ended; what it
   *   leaves in the list is for the next batch. It does not reject.
   */
  constructor(write: (jobs: Job[]) => Promise<void>) {
    this.#write = write
  }

  enqueue(job: Job): void {
    this.#queue.push(job)
    this.#running ??= this.#run()
  }

  /** Takes out everything that is in no batch yet. */
  takeAll(): readonly Job[] {
    return this.#queue.splice(0)
  }

  /** Resolves when everything that was enqueued has ended. */
  async drained(): Promise<void> {
    while (this.#running !== undefined) await this.#running
  }

  async #run(): Promise<void> {
    // The rest of this turn's messages belong to the first batch too.
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#queue.length > 0) await this.#write(this.#queue)
    this.#running = undefined
  }
}
