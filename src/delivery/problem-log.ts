/**
 * Says in the log what goes wrong with one webhook: once per change of reason, not once per message, and the same thing
 * at most once a minute when success and failure take turns. Main thread.
 */
import type { Log } from '../telemetry/log.ts'
import type { OutboxEntry } from './outbox.ts'
import type { Attempt, FinalReason, RetryReason, Verdict } from './retry.ts'
import type { WebHookDefinition } from './web-hook.ts'

interface ProblemLogDeps {
  readonly log: Log
  readonly now: () => number
}

interface Problem {
  readonly attempt: Attempt
  readonly verdict: Exclude<Verdict, { readonly kind: 'success' }>
}

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
  report(hook: WebHookDefinition, entry: OutboxEntry, { attempt, verdict }: Problem): void {
    if (!this.#isNews(verdict.reason)) return
    const fields = {
      hook: hook.name,
      url: hook.url,
      reason: verdict.reason,
      answer: attempt.kind === 'answer' ? String(attempt.status) : attempt.failure.text,
      delivery: entry.id,
    }
    if (verdict.kind === 'retry')
      this.#log.warn('a webhook could not be delivered; it will be tried again', fields)
    else this.#log.error('a webhook was refused by its receiver and is given up', fields)
  }

  /** A message grew too old. */
  gaveUp(hook: WebHookDefinition, entry: OutboxEntry): void {
    if (!this.#isNews('too-old')) return
    this.#log.error('a webhook could not be delivered for too long and is given up', {
      hook: hook.name,
      url: hook.url,
      tries: entry.tries,
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
