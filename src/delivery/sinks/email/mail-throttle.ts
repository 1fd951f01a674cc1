/**
 * When each user was last written to. Main thread; in memory only, so after a restart,
 * or when a reload changes the sink, a user may get one mail more.
 */
import { LRUCache } from 'lru-cache'

/** Users; who was written to longest ago goes first. */
const MAX_USERS = 100_000

interface LastMail {
  readonly atMs: number
  readonly deliveryId: string
}

export class MailThrottle {
  readonly #intervalMs: number
  readonly #last = new LRUCache<string, LastMail>({ max: MAX_USERS })

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs
  }

  /** False when the address had a mail lately, or this very one. */
  admits(address: string, deliveryId: string, nowMs: number): boolean {
    const last = this.#last.get(address)
    return last === undefined || (last.deliveryId !== deliveryId && nowMs - last.atMs >= this.#intervalMs)
  }

  sent(address: string, deliveryId: string, nowMs: number): void {
    this.#last.set(address, { atMs: nowMs, deliveryId })
  }
}
