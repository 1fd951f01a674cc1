/**
 * Standard output or a file, written to as fast as it takes it, until something goes wrong. Main thread of the command.
 */
import type { Writable } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { messageOf } from '../errors.ts'

export class PacedOutput {
  readonly #output: Writable
  #failure: Error | undefined

  constructor(output: Writable) {
    this.#output = output
    // Standard output says after an error that it is writable, and does not keep the error.
    output.on('error', (error) => (this.#failure ??= error))
  }

  /** Why nothing more can be written; undefined while it can. */
  get failure(): Error | undefined {
    return this.#failure
  }

  /** Nobody reads it any more, such as head, which has seen enough. */
  get hasLostReader(): boolean {
    return this.#failure !== undefined && 'code' in this.#failure && this.#failure.code === 'EPIPE'
  }

  /** What to say when not all could be written to it; undefined when all was, or when nobody reads it any more. */
  complaint(name = 'standard output'): string | undefined {
    if (this.#failure === undefined || this.hasLostReader) return undefined
    return `cannot write ${name}: ${messageOf(this.#failure)}`
  }

  /** Resolves when there is room for more, or never will be: look at `failure`. */
  async write(chunk: string): Promise<void> {
    if (!this.#output.write(chunk)) await this.#oneOf(['drain', 'error', 'close'])
    // A pipe or a file may take it at once and say a turn later that it did not; signals wait for a turn as well.
    await nextTurn()
  }

  async end(): Promise<void> {
    if (this.#output.closed) return
    const closed = this.#oneOf(['close'])
    this.#output.end()
    await closed
  }

  #oneOf(events: readonly string[]): Promise<void> {
    const output = this.#output
    return new Promise((resolve) => {
      const done = (): void => {
        for (const event of events) output.off(event, done)
        resolve()
      }
      for (const event of events) output.on(event, done)
    })
  }
}
