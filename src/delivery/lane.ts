/**
 * Everything that goes to one webhook or one alert sink: its own schedule, its own sender, its own circuit breaker, so that
 * whatever the other side does delays nothing else. Main thread.
 *
 * An entry is claimed when it is due, tried, and settled: delivered, tried again later, or dead. Whatever may change
 * what is due (a new entry, an end of a try, a timer) calls `wake`, and `wake` looks afresh. A sender that takes several
 * messages at once gets what is due together, one try at a time and no oftener than it wants.
 */
import { messageOf } from '../errors.ts'
import type { Log } from '../telemetry/log.ts'
import type { CircuitBreaker } from './circuit-breaker.ts'
import type { DeadReason, Outbox, OutboxEntry } from './outbox.ts'
import type { ProblemLog, Recipient } from './problem-log.ts'
import { backOffMs, type RetryPolicy, type Verdict } from './retry.ts'
import type { Attempt, OutgoingMessage, Sender } from './sender.ts'

/** How a message is now; what history keeps. */
export interface TryRecord {
  readonly deliveryId: string
  readonly state: 'delivered' | 'retry' | 'dead'
  readonly tries: number
  /** What the other side said. */
  readonly answer: string
  /** Unix milliseconds. */
  readonly atMs: number
}

/** Tries since the start of the server. */
export interface Tally {
  successes: number
  failures: number
}

/** What an operator may want to know of a lane. */
export interface LaneQueue {
  /** Tries under way. */
  readonly sending: number
  /** Unix milliseconds; undefined when nothing waits for its time. */
  readonly nextTryAtMs: number | undefined
  /** The other side failed so often that one try is made at a time. */
  readonly isHeldBack: boolean
}

export interface LaneDeps {
  readonly recipient: Recipient
  /** What the outbox calls it. */
  readonly queue: string
  readonly outbox: Outbox
  readonly sender: Sender
  readonly breaker: CircuitBreaker
  readonly problems: ProblemLog
  readonly retry: RetryPolicy
  /** Tries at once. */
  readonly concurrency: number
  readonly now: () => number
  readonly random: () => number
  readonly log: Log
  readonly onTry: (isOk: boolean) => void
  readonly onDead: (reason: DeadReason) => void
  /** Counts the tries; the lane that takes its place counts on. */
  readonly tally: Tally
  /** One message's try has been settled. */
  readonly onSettled: (record: TryRecord) => void
  /** It has looked at everything and waits, or it is closed and a try has ended. */
  readonly onRest: () => void
}

/** Claimed together, never empty. */
type Entries = readonly [OutboxEntry, ...OutboxEntry[]]

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
  /** For a sender with an interval: when it may be called again. */
  #nextBatchAtMs = 0
  /** What was last wrong, for those that grow too old while nothing is tried. */
  #lastFailure: string | undefined = undefined

  constructor(deps: LaneDeps) {
    this.#deps = deps
  }

  get recipient(): Recipient {
    return this.#deps.recipient
  }

  get tally(): Tally {
    return this.#deps.tally
  }

  get queue(): LaneQueue {
    const { breaker } = this.#deps
    return { sending: this.#active.size, nextTryAtMs: this.#wakesAtMs, isHeldBack: breaker.isOpen }
  }

  /** True when nothing is under way and nothing will be due by then. */
  restsUntil(atMs: number): boolean {
    const isUnderWay = this.#active.size > 0 || this.#looking !== undefined
    return !isUnderWay && (this.#isClosed || (this.#wakesAtMs ?? Infinity) > atMs)
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
      this.#deps.log.error('the outbox failed', { hook: this.#deps.queue, error: messageOf(error) })
      this.#sleepUntil(this.#deps.now() + OUTBOX_RETRY_MS)
    } finally {
      this.#looking = undefined
    }
    this.#deps.onRest()
  }

  async #startWhatIsDue(): Promise<void> {
    const { outbox, breaker, concurrency, queue, sender } = this.#deps
    const nowMs = this.#deps.now()
    const free = breaker.admits(nowMs, this.#active.size, sender.batching === undefined ? concurrency : 1)
    const notBeforeMs = Math.max(breaker.notBeforeMs, this.#nextBatchAtMs)
    if (free === 0 || nowMs < this.#nextBatchAtMs) {
      // The end of a try wakes the lane; without one under way it is the breaker, or the interval, that says when.
      this.#sleepUntil(this.#active.size === 0 ? notBeforeMs : undefined)
      return
    }
    const limit = sender.batching?.maxMessages ?? free
    const { entries, nextDueAtMs } = await outbox.claimDue(queue, nowMs, limit)
    if (sender.batching === undefined) for (const entry of entries) this.#start([entry])
    else if (isFilled(entries)) this.#start(entries)
    this.#sleepUntil(entries.length < limit ? nextDueAtMs : undefined)
  }

  #sleepUntil(atMs: number | undefined): void {
    clearTimeout(this.#timer)
    this.#wakesAtMs = atMs
    if (atMs === undefined || this.#isClosed) return
    const delayMs = Math.min(Math.max(atMs - this.#deps.now(), 1), MAX_SLEEP_MS)
    this.#timer = setTimeout(() => this.wake(), delayMs)
  }

  #start(entries: Entries): void {
    const work = this.#deliver(entries)
      .catch((error: unknown) => {
        this.#deps.log.error('a delivery failed in the server itself', {
          hook: this.#deps.queue,
          delivery: entries[0].id,
          error: messageOf(error),
        })
      })
      .finally(() => {
        this.#active.delete(work)
        if (this.#isClosed) this.#deps.onRest()
        else this.wake()
      })
    this.#active.add(work)
  }

  async #deliver(claimed: Entries): Promise<void> {
    if (this.#isClosed) {
      await this.#putBack(claimed)
      return
    }
    const entries: OutboxEntry[] = []
    for (const entry of claimed) {
      if (this.#deps.now() - entry.createdAtMs < this.#deps.retry.maxAgeMs) entries.push(entry)
      else await this.#giveUp(entry, { tries: entry.tries, reason: 'too-old', answer: this.#lastFailure })
    }
    if (!isFilled(entries)) return
    const { breaker } = this.#deps
    const ticket = breaker.begin()
    const { attempt, extraTries } = await this.#try(entries)
    const { verdict } = attempt
    if (this.#isClosed && verdict.kind === 'retry') {
      await this.#putBack(entries)
      return
    }
    const nowMs = this.#deps.now()
    if (verdict.kind !== 'success')
      this.#deps.problems.report(this.recipient, entries[0], { attempt, verdict })
    if (verdict.kind === 'retry') {
      this.#lastFailure = attempt.answer
      breaker.failed(ticket, nowMs)
      if (verdict.retryAfterMs !== undefined) breaker.pauseUntil(nowMs + verdict.retryAfterMs)
    } else {
      // A clear no comes from a receiver that is well.
      breaker.succeeded()
    }
    if (verdict.kind === 'success') {
      this.#deps.problems.solved()
      const { batching } = this.#deps.sender
      // Not after a failure: what waits for its next try need not wait for the next interval too. Nor after a full one:
      // the rest would come to wait longer and longer.
      if (batching !== undefined && claimed.length < batching.maxMessages)
        this.#nextBatchAtMs = nowMs + batching.intervalMs
    }
    for (const entry of entries) await this.#settle(entry, attempt, 1 + extraTries)
  }

  async #settle(entry: OutboxEntry, { verdict, answer }: Attempt, newTries: number): Promise<void> {
    const { outbox, retry } = this.#deps
    const tries = entry.tries + newTries
    switch (verdict.kind) {
      case 'success':
        await outbox.settle(entry.id, { kind: 'delivered', tries })
        this.#tell(entry, { state: 'delivered', tries, answer })
        break
      case 'final':
        await this.#giveUp(entry, { tries, reason: verdict.reason, answer })
        break
      case 'retry': {
        const nowMs = this.#deps.now()
        // A receiver that asks for a shorter wait than ours would be hammered.
        const delayMs = Math.max(verdict.retryAfterMs ?? 0, backOffMs(tries, this.#deps.random(), retry))
        const nextTryAtMs = nowMs + delayMs
        if (nextTryAtMs - entry.createdAtMs >= retry.maxAgeMs) {
          // It would be too old by then: now it is still known what was wrong.
          await this.#giveUp(entry, { tries, reason: 'too-old', answer })
          break
        }
        await outbox.settle(entry.id, { kind: 'retry', tries, nextTryAtMs })
        this.#tell(entry, { state: 'retry', tries, answer })
        break
      }
      default:
        verdict satisfies never
    }
  }

  async #try(entries: Entries): Promise<{ readonly attempt: Attempt; readonly extraTries: 0 | 1 }> {
    const { sender } = this.#deps
    const [first, ...others] = entries
    const attempt = await sender.send([outgoing(first), ...others.map(outgoing)])
    if (attempt.endsLane === true) this.close()
    this.#count(attempt.verdict)
    const mayHaveBeenIdle =
      attempt.verdict.kind === 'retry' && attempt.verdict.reason === 'reset' && first.tries === 0
    if (sender.sendAfresh === undefined || !mayHaveBeenIdle || this.#isClosed)
      return { attempt, extraTries: 0 }
    const second = await sender.sendAfresh(outgoing(first))
    this.#count(second.verdict)
    return { attempt: second, extraTries: 1 }
  }

  #count(verdict: Verdict): void {
    const isOk = verdict.kind === 'success'
    // A try that the stop cut off says nothing about the receiver.
    if (this.#isClosed && !isOk) return
    if (isOk) this.tally.successes += 1
    else this.tally.failures += 1
    this.#deps.onTry(isOk)
  }

  /** The stop, or another definition, came first: the entries stay as they were. */
  async #putBack(entries: Entries): Promise<void> {
    for (const { id, tries, nextTryAtMs } of entries)
      await this.#deps.outbox.settle(id, { kind: 'retry', tries, nextTryAtMs })
  }

  async #giveUp(entry: OutboxEntry, { tries, reason, answer }: Death): Promise<void> {
    this.#deps.onDead(reason)
    if (reason === 'too-old') this.#deps.problems.gaveUp(this.recipient, entry, tries)
    const text = reason === 'too-old' ? tooOldText(this.#deps.retry.maxAgeMs, answer) : (answer ?? reason)
    await this.#deps.outbox.settle(entry.id, { kind: 'dead', tries, reason: text })
    this.#tell(entry, { state: 'dead', tries, answer: text })
  }

  #tell({ id }: OutboxEntry, record: Pick<TryRecord, 'state' | 'tries' | 'answer'>): void {
    this.#deps.onSettled({ deliveryId: id, ...record, atMs: this.#deps.now() })
  }
}

interface Death {
  readonly tries: number
  readonly reason: DeadReason
  /** What was last said; undefined when nothing was tried since the start. */
  readonly answer: string | undefined
}

/** `too old after 24 h: status 503`. */
function tooOldText(maxAgeMs: number, answer: string | undefined): string {
  const age = maxAgeMs >= 3_600_000 ? `${maxAgeMs / 3_600_000} h` : `${maxAgeMs / 1000} s`
  return answer === undefined ? `too old after ${age}` : `too old after ${age}: ${answer}`
}

function isFilled(entries: readonly OutboxEntry[]): entries is Entries {
  return entries.length > 0
}

function outgoing({ id, body, createdAtMs, tries }: OutboxEntry): OutgoingMessage {
  return { deliveryId: id, body, createdAtMs, tries }
}
