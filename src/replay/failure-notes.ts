/**
 * Runs that failed in a replay: how many, and the ways in which they did. Pure state of the thread that replays.
 */
import type { ReplayFailure } from './messages.ts'

/** Ways that are told apart; what comes after them is only counted. */
const MOST_WAYS = 100

interface Failure {
  readonly message: string
  readonly traceback: string
}

export class FailureNotes {
  readonly #ways = new Map<string, ReplayFailure>()
  #runs = 0

  get runs(): number {
    return this.#runs
  }

  /** @param name of the function that failed; @param reportId of the report that it ran for */
  note(name: string, { message, traceback }: Failure, reportId: number | undefined): void {
    this.#runs++
    const way = `${name}\0${message}`
    const known = this.#ways.get(way)
    if (known === undefined && this.#ways.size >= MOST_WAYS) return
    this.#ways.set(way, { name, message, traceback, reportId, ...known, count: (known?.count ?? 0) + 1 })
  }

  /** In the order in which they came first. */
  all(): readonly ReplayFailure[] {
    return [...this.#ways.values()]
  }
}
