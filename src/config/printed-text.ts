/**
 * What lines of the console have printed, by run: several may run at once. Lives on the configuration thread.
 */
import type { RunContext } from '../lua/run-context.ts'

/** Characters that one line may print; the rest is left out, and the answer says so. */
const MAX_LENGTH = 1024 * 1024

interface Printed {
  readonly texts: string[]
  length: number
}

export class PrintedText {
  /** Entries go with their runs. */
  readonly #byRun = new WeakMap<RunContext, Printed>()

  add(run: RunContext, text: string): void {
    const known = this.#byRun.get(run)
    const printed = known ?? { texts: [], length: 0 }
    if (known === undefined) this.#byRun.set(run, printed)
    if (printed.length > MAX_LENGTH) return
    printed.length += text.length
    printed.texts.push(
      printed.length > MAX_LENGTH ? `… (more than ${MAX_LENGTH} characters were printed)\n` : text,
    )
  }

  /** All of it; empty when the run has printed nothing. */
  of(run: RunContext): string {
    return this.#byRun.get(run)?.texts.join('') ?? ''
  }
}
