/**
 * How much a receiver gets to do at once, from how it answered lately. Pure but for the state; main thread.
 *
 * closed: up to the limit. After `failuresToOpen` failures in a row it opens: one try at a time, with growing pauses
 * between them. Any success closes it. A try that began before the last change of state says nothing about the new one
 * unless it succeeded.
 */
import { backOffMs } from './retry.ts'

interface BreakerOptions {
  readonly failuresToOpen: number
  readonly firstProbeDelayMs: number
  readonly maxProbeDelayMs: number
}

/** A dead receiver costs one try in half a minute, and a receiver that is back waits no longer than that. */
export const DEFAULT_BREAKER: BreakerOptions = {
  failuresToOpen: 5,
  firstProbeDelayMs: 1_000,
  maxProbeDelayMs: 30_000,
}

/** Which state a try began in. */
export type Ticket = number

export class CircuitBreaker {
  readonly #random: () => number
  readonly #options: BreakerOptions
  #isOpen = false
  #failures = 0
  #probes = 0
  #ticket: Ticket = 0
  #notBeforeMs = 0

  constructor(random: () => number, options: BreakerOptions) {
    this.#random = random
    this.#options = options
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Unix milliseconds before which nothing may be tried. */
  get notBeforeMs(): number {
    return this.#notBeforeMs
  }

  /** How many tries may begin now, while `active` are under way. */
  admits(nowMs: number, active: number, limit: number): number {
    if (nowMs < this.#notBeforeMs) return 0
    return Math.max(0, (this.#isOpen ? 1 : limit) - active)
  }

  /** For a try that begins now. */
  begin(): Ticket {
    return this.#ticket
  }

  /** The receiver did its work. */
  succeeded(): void {
    this.#failures = 0
    this.#probes = 0
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#ticket += 1
    this.#notBeforeMs = 0
  }

  failed(ticket: Ticket, nowMs: number): void {
    if (ticket !== this.#ticket) return
    this.#failures += 1
    if (!this.#isOpen) {
      if (this.#failures < this.#options.failuresToOpen) return
      this.#isOpen = true
      this.#ticket += 1
    }
    this.#probes += 1
    const { firstProbeDelayMs: firstDelayMs, maxProbeDelayMs: maxDelayMs } = this.#options
    this.pauseUntil(nowMs + backOffMs(this.#probes, this.#random(), { firstDelayMs, maxDelayMs }))
  }

  /** The receiver asked for a pause. */
  pauseUntil(untilMs: number): void {
    this.#notBeforeMs = Math.max(this.#notBeforeMs, untilMs)
  }
}
