/**
 * Says in the log what goes wrong with one webhook or sink: once per change of reason, not once per message, and the same thing
 * at most once a minute when success and failure take turns. Main thread.
 */
import type { Log, LogFields } from '../telemetry/log.ts'
import type { OutboxEntry } from './outbox.ts'
import type { FinalReason, RetryReason, Verdict } from './retry.ts'
import type { Attempt } from './sender.ts'

/** Who gets the messages of one lane, for logs and metrics. */
export interface Recipient {
  readonly kind: 'webhook' | 'sink'
  readonly name: string
  /** Its place in the log: the URL without credentials, the mail server, the script. */
  readonly place: string
}

interface ProblemLogDeps {
  readonly log: Log
  readonly now: () => number
}

interface Problem {
  readonly attempt: Attempt
  readonly verdict: Exclude<Verdict, { readonly kind: 'success' }>
}

/** Messages are whole sentences, so that the manual can list them. */
const TEXTS = {
  webhook: {
    retry: 'a webhook could not be delivered; it will be tried again',
    login: 'a webhook could not be delivered; it will be tried again',
    refused: 'a webhook was refused by its receiver and is given up',
    tooOld: 'a webhook could not be delivered for too long and is given up',
  },
  sink: {
    retry: 'a notification could not be sent; it will be tried again',
    login: 'a sink does not accept the user name and password; its notifications wait until it does',
    refused: 'a notification was refused by its sink and is given up',
    tooOld: 'a notification could not be sent for too long and is given up',
  },
} as const satisfies Readonly<Record<Recipient['kind'], Readonly<Record<string, string>>>>

const REPEAT_AFTER_MS = 60_000

export class ProblemLog {
  readonly #log: Log
  readonly #now: () => number
  /** Bounded: the reasons are a closed set. */
  readonly #loggedAtMs = new Map<RetryReason | FinalReason | 'too-old', number>()
  #current: RetryReason | FinalReason | 'too-old' | undefined = undefined

  constructor({ log, now }: ProblemLogDeps) {
    this.#log = log
    this.#now = now
  }

  /** A try failed. */
  report(recipient: Recipient, entry: Pick<OutboxEntry, 'id'>, { attempt, verdict }: Problem): void {
    if (!this.#isNews(verdict.reason)) return
    const fields = {
      ...recipientFields(recipient),
      reason: verdict.reason,
      answer: attempt.answer,
      delivery: entry.id,
    }
    const texts = TEXTS[recipient.kind]
    if (verdict.kind === 'final') this.#log.error(texts.refused, fields)
    else if (verdict.reason === 'login') this.#log.error(texts.login, fields)
    else this.#log.warn(texts.retry, fields)
  }

  /** A message grew too old. */
  gaveUp(recipient: Recipient, entry: Pick<OutboxEntry, 'id'>, tries: number): void {
    if (!this.#isNews('too-old')) return
    this.#log.error(TEXTS[recipient.kind].tooOld, {
      ...recipientFields(recipient),
      tries,
      delivery: entry.id,
    })
  }

  /** A try succeeded. */
  solved(): void {
    this.#current = undefined
  }

  #isNews(reason: RetryReason | FinalReason | 'too-old'): boolean {
    if (reason === this.#current) return false
    this.#current = reason
    const nowMs = this.#now()
    if (nowMs - (this.#loggedAtMs.get(reason) ?? -Infinity) < REPEAT_AFTER_MS) return false
    this.#loggedAtMs.set(reason, nowMs)
    return true
  }
}

/** A webhook's fields are as they were before there were sinks: operators filter by them. */
function recipientFields({ kind, name, place }: Recipient): LogFields {
  return kind === 'webhook' ? { hook: name, url: place } : { sink: name, to: place }
}
