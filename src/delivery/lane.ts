/**
 * Everything that goes to one webhook: its own schedule, its own share of the connections, its own circuit breaker, so
 * that whatever its receiver does delays nothing else. Main thread.
 *
 * An entry is claimed when it is due, tried, and settled: delivered, tried again later, or dead. Whatever may change
 * what is due (a new entry, an end of a try, a timer) calls `wake`, and `wake` looks afresh.
 */
import { messageOf } from '../errors.ts'
import type { Log } from '../telemetry/log.ts'
import type { CircuitBreaker } from './circuit-breaker.ts'
import type { DeadReason, Outbox, OutboxEntry } from './outbox.ts'
import type { ProblemLog } from './problem-log.ts'
import type { Receiver } from './receiver.ts'
import { backOffMs, classify, type Attempt, type RetryPolicy, type Verdict } from './retry.ts'
import type { WebHookDefinition } from './web-hook.ts'
import { buildRequest } from './web-hook-request.ts'

/** Tries since the start of the server. */
export interface WebHookTally {
  successes: number
  failures: number
}

export interface LaneDeps {
  readonly hook: WebHookDefinition
  readonly outbox: Outbox
  readonly receiver: Receiver
  readonly breaker: CircuitBreaker
  readonly problems: ProblemLog
  readonly retry: RetryPolicy
  /** Tries at once. */
  readonly concurrency: number
  readonly now: () => number
  readonly random: () => number
  readonly log: Log
  readonly onTry: (hook: WebHookDefinition, isOk: boolean) => void
  readonly onDead: (reason: DeadReason) => void
  /** Counts the tries of a webhook; its next lane counts on. */
  readonly tally: WebHookTally
  /** It has looked at everything and waits. */
  readonly onRest: () => void
}

/** What an operator may want to know of it. */
export interface LaneQueue {
  /** Tries under way. */
  readonly sending: number
  /** Unix milliseconds; undefined when nothing waits for its time. */
  readonly nextTryAtMs: number | undefined
  /** The receiver failed so often that one try is made at a time. */
  readonly isHeldBack: boolean
}

/** A timer never sleeps longer, since the clock may be set meanwhile. */
const MAX_SLEEP_MS = 60_000
/** When the outbox itself fails. */
const OUTBOX_RETRY_MS = 1_000

export class Lane {
  readonly #deps: LaneDeps
  readonly #active = new Set<Promise<void>>()
  /** Set while it looks what is due. */
  #looking: Promise<void> | undefined = undefined
  #mustLookAgain = false
  #isClosed = false
  #timer: NodeJS.Timeout | undefined = undefined
  #wakesAtMs: number | undefined = undefined

  constructor(deps: LaneDeps) {
    this.#deps = deps
  }

  get hook(): WebHookDefinition {
    return this.#deps.hook
  }

  get receiver(): Receiver {
    return this.#deps.receiver
  }

  /** Tries at once. */
  get concurrency(): number {
    return this.#deps.concurrency
  }

  get tally(): WebHookTally {
    return this.#deps.tally
  }

  get queue(): LaneQueue {
    const { breaker } = this.#deps
    return { sending: this.#active.size, nextTryAtMs: this.#wakesAtMs, isHeldBack: breaker.isOpen }
  }

  /** True when nothing is under way and nothing will be due by then. */
  restsUntil(atMs: number): boolean {
    if (this.#isClosed) return true
    return this.#active.size === 0 && this.#looking === undefined && (this.#wakesAtMs ?? Infinity) > atMs
  }

  /** Looks whether there is something to do; cheap when there is not. */
  wake(): void {
    if (this.#isClosed) return
    this.#mustLookAgain = true
    this.#looking ??= this.#look()
  }

  /** Claims nothing more. What is under way ends as it ends; `settled` resolves after that. */
  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
  }

  async settled(): Promise<void> {
    await this.#looking
    await Promise.all(this.#active)
  }

  async #look(): Promise<void> {
    try {
      while (this.#mustLookAgain && !this.#isClosed) {
        this.#mustLookAgain = false
        await this.#startWhatIsDue()
      }
    } catch (error) {
      this.#deps.log.error('the outbox failed', { hook: this.hook.name, error: messageOf(error) })
      this.#sleepUntil(this.#deps.now() + OUTBOX_RETRY_MS)
    } finally {
      this.#looking = undefined
    }
    this.#deps.onRest()
  }

  async #startWhatIsDue(): Promise<void> {
    const { outbox, breaker, concurrency, hook } = this.#deps
    const nowMs = this.#deps.now()
    const free = breaker.admits(nowMs, this.#active.size, concurrency)
    if (free === 0) {
      // The end of a try wakes the lane; without one under way it is the breaker that says when.
      this.#sleepUntil(this.#active.size === 0 ? breaker.notBeforeMs : undefined)
      return
    }
    const { entries, nextDueAtMs } = await outbox.claimDue(hook.name, nowMs, free)
    for (const entry of entries) this.#start(entry)
    this.#sleepUntil(entries.length < free ? nextDueAtMs : undefined)
  }

  #sleepUntil(atMs: number | undefined): void {
    clearTimeout(this.#timer)
    this.#wakesAtMs = atMs
    if (atMs === undefined || this.#isClosed) return
    const delayMs = Math.min(Math.max(atMs - this.#deps.now(), 1), MAX_SLEEP_MS)
    this.#timer = setTimeout(() => this.wake(), delayMs)
  }

  #start(entry: OutboxEntry): void {
    const work = this.#deliver(entry)
      .catch((error: unknown) => {
        this.#deps.log.error('a delivery failed in the server itself', {
          hook: this.hook.name,
          delivery: entry.id,
          error: messageOf(error),
        })
      })
      .finally(() => {
        this.#active.delete(work)
        this.wake()
      })
    this.#active.add(work)
  }

  async #deliver(entry: OutboxEntry): Promise<void> {
    const { outbox, breaker, retry } = this.#deps
    if (this.#isClosed) {
      await this.#putBack(entry)
      return
    }
    if (this.#isTooOld(entry)) {
      await this.#giveUp(entry, entry.tries, 'too-old')
      return
    }
    const ticket = breaker.begin()
    const { attempt, verdict, tries } = await this.#try(entry)
    const nowMs = this.#deps.now()
    if (this.#isClosed && verdict.kind === 'retry') {
      await this.#putBack(entry)
      return
    }
    if (verdict.kind !== 'success') this.#deps.problems.report(this.hook, entry, { attempt, verdict })
    switch (verdict.kind) {
      case 'success':
        breaker.succeeded()
        this.#deps.problems.solved()
        await outbox.settle(entry.id, { kind: 'delivered', tries })
        break
      case 'final':
        // A clear no comes from a receiver that is well.
        breaker.succeeded()
        await this.#giveUp(entry, tries, verdict.reason)
        break
      case 'retry': {
        breaker.failed(ticket, nowMs)
        if (verdict.retryAfterMs !== undefined) breaker.pauseUntil(nowMs + verdict.retryAfterMs)
        // A receiver that asks for a shorter wait than ours would be hammered.
        const delayMs = Math.max(verdict.retryAfterMs ?? 0, backOffMs(tries, this.#deps.random(), retry))
        await outbox.settle(entry.id, { kind: 'retry', tries, nextTryAtMs: nowMs + delayMs })
        break
      }
      default:
        verdict satisfies never
    }
  }

  /**
   * One try, or two: a receiver may close a kept-alive connection just when the first request is on its way, which is
   * nobody's failure.
   */
  async #try(entry: OutboxEntry): Promise<{ attempt: Attempt; verdict: Verdict; tries: number }> {
    const { receiver, now } = this.#deps
    const request = buildRequest(this.hook, entry, now())
    let tries = entry.tries + 1
    let attempt = await receiver.send(request)
    let verdict = this.#judge(attempt)
    if (verdict.kind === 'retry' && verdict.reason === 'reset' && entry.tries === 0 && !this.#isClosed) {
      tries += 1
      attempt = await receiver.sendOnFreshConnection(request)
      verdict = this.#judge(attempt)
    }
    return { attempt, verdict, tries }
  }

  #judge(attempt: Attempt): Verdict {
    const verdict = classify(attempt, this.#deps.now())
    const isOk = verdict.kind === 'success'
    // A try that the stop cut off says nothing about the receiver.
    if (this.#isClosed && !isOk) return verdict
    if (isOk) this.tally.successes += 1
    else this.tally.failures += 1
    this.#deps.onTry(this.hook, isOk)
    return verdict
  }

  /** The stop came first: the entry stays as it was. */
  async #putBack({ id, tries, nextTryAtMs }: OutboxEntry): Promise<void> {
    await this.#deps.outbox.settle(id, { kind: 'retry', tries, nextTryAtMs })
  }

  #isTooOld(entry: OutboxEntry): boolean {
    return this.#deps.now() - entry.createdAtMs >= this.#deps.retry.maxAgeMs
  }

  async #giveUp(entry: OutboxEntry, tries: number, reason: DeadReason): Promise<void> {
    this.#deps.onDead(reason)
    if (reason === 'too-old') this.#deps.problems.gaveUp(this.hook, entry)
    await this.#deps.outbox.settle(entry.id, { kind: 'dead', tries, reason })
  }
}
