/**
 * Calls to the store thread that wait for their answer. Main thread. Bounded by those who wait: each entry is a promise
 * that somebody awaits.
 */
import type { TrackError } from '../../errors.ts'
import type { RefusalReason } from './write-jobs.ts'

export type Settlement =
  | { readonly kind: 'done'; readonly answer: unknown }
  | { readonly kind: 'refused'; readonly reason: RefusalReason; readonly detail: string }

export interface PendingCall {
  readonly settle: (settlement: Settlement) => void
  readonly reject: (error: TrackError) => void
}

export class CallTable {
  readonly #pending = new Map<number, PendingCall>()
  #next = 1

  /** @returns the number of the call. */
  add(call: PendingCall): number {
    const number = this.#next++
    this.#pending.set(number, call)
    return number
  }

  settle(number: number, settlement: Settlement): void {
    this.#take(number)?.settle(settlement)
  }

  reject(number: number, error: TrackError): void {
    this.#take(number)?.reject(error)
  }

  rejectAll(error: TrackError): void {
    for (const number of this.#pending.keys()) this.reject(number, error)
  }

  #take(number: number): PendingCall | undefined {
    const call = this.#pending.get(number)
    this.#pending.delete(number)
    return call
  }
}
