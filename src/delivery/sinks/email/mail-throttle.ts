/**
 * When users may be written to: one mail at a time to an address, and a pause after each. Main thread; the store keeps when
 * each was last written to, so that neither a restart nor a reload brings anybody a mail more.
 */
import type { AlertStore } from '../../../store/alert-store.ts'
import { DEFAULT_RETRY_POLICY } from '../../retry.ts'

/** When addresses were last written to. */
export type MailTimes = Pick<AlertStore, 'lastMail' | 'noteMail'>

interface ThrottleOptions {
  /** Name of the sink. */
  readonly sink: string
  readonly intervalMs: number
  readonly times: MailTimes
}

/** A mail that was sent, or refused for good. */
interface SentMail {
  readonly address: string
  readonly logins: readonly string[]
  readonly deliveryId: string
  readonly atMs: number
}

export class MailThrottle {
  readonly #options: ThrottleOptions
  /** Ends of what is under way, by address; bounded by the tries at once. */
  readonly #underWay = new Map<string, Promise<unknown>>()

  constructor(options: ThrottleOptions) {
    this.#options = options
  }

  /** Runs it when nothing else is under way for the address. */
  async inTurn<T>(address: string, write: () => Promise<T>): Promise<T> {
    for (let other = this.#underWay.get(address); other !== undefined; other = this.#underWay.get(address))
      await other.catch(() => undefined)
    const writing = write()
    this.#underWay.set(address, writing)
    try {
      return await writing
    } finally {
      this.#underWay.delete(address)
    }
  }

  /** False when the address had a mail lately, or this very one. Rejects when the store does not answer. */
  async admits(address: string, deliveryId: string, nowMs: number): Promise<boolean> {
    const { sink, intervalMs, times } = this.#options
    const last = await times.lastMail(sink, address)
    return last === undefined || (last.deliveryId !== deliveryId && nowMs - last.atMs >= intervalMs)
  }

  /** Resolves when it is stored. */
  async sent(mail: SentMail): Promise<void> {
    const { sink, intervalMs, times } = this.#options
    // As long as the delivery may be tried for the sake of others, it must be known that this one has it.
    const keepMs = Math.max(intervalMs, DEFAULT_RETRY_POLICY.maxAgeMs)
    await times.noteMail({ ...mail, sink, keepUntilMs: mail.atMs + keepMs })
  }
}
