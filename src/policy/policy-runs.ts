/**
 * Everything that is run, whichever pool of workers is in force: hands runs to the pool, and exchanges pools without
 * losing a run or its place in the order of its login. Lives on the main thread.
 *
 * An exchange: what comes in is held back, and the old pool hands out nothing more → what it had handed out ends and is
 * stored → what it had not handed out moves over, then what was held back. So no run of the new pool begins before the
 * changes of every earlier one are in the store, where the new workers see them. Reports are taken and acknowledged all
 * the while; the journal's bound is the bound on how many are held back.
 */
import type { EventView } from '../events/event-handlers.ts'
import type { EndpointArguments } from '../login/endpoint-arguments.ts'
import { TrackError } from '../errors.ts'
import type { RunOutcome } from './messages.ts'
import type { QuietLimits } from './hand-over.ts'
import type { PolicyPool, ReportToRun } from './policy-pool.ts'
import type { FinishRun } from './worker-handle.ts'

export interface PoolExchange {
  readonly limits: QuietLimits
  /** Gives up: the old pool goes on. */
  readonly signal: AbortSignal
  /** Nothing runs and everything is stored: the last moment to say no, by rejecting. */
  readonly beforeSwitch: () => Promise<void>
  /** In the same turn as the switch: what is to change together with the policy. Must not throw. */
  readonly atSwitch: () => void
}

type HeldRun = (pool: PolicyPool) => void

export class PolicyRuns {
  #pool: PolicyPool
  readonly #maxPendingForCalls: number
  /** In order of arrival; undefined while no exchange is under way. */
  #held: HeldRun[] | undefined

  /** @param maxPendingForCalls with so many runs waiting or running, a call of an endpoint is refused */
  constructor(pool: PolicyPool, maxPendingForCalls: number) {
    this.#pool = pool
    this.#maxPendingForCalls = maxPendingForCalls
  }

  /** The workers in force. */
  get pool(): PolicyPool {
    return this.#pool
  }

  /** Runs a report after all earlier ones of its login. */
  runReport(report: ReportToRun, finish: FinishRun): void {
    if (this.#held === undefined) this.#pool.runReport(report, finish)
    else this.#held.push((pool) => pool.runReport(report, finish))
  }

  /** Runs a custom endpoint; undefined when too many runs wait. */
  runEndpoint(name: string, args: EndpointArguments): Promise<RunOutcome> | undefined {
    const held = this.#held
    if (held === undefined) return this.#pool.runEndpoint(name, args)
    if (this.pending() >= this.#maxPendingForCalls) return undefined
    return new Promise((resolve) => {
      held.push((pool) => resolve(pool.runEndpoint(name, args) ?? OVERLOADED))
    })
  }

  /** Runs a background function. */
  runBackground(name: string): Promise<RunOutcome> {
    return this.#run((pool) => pool.runBackground(name))
  }

  /** Runs a handler of server events. */
  runEvent(name: string, event: EventView): Promise<RunOutcome> {
    return this.#run((pool) => pool.runEvent(name, event))
  }

  /** Runs the function of an alert sink. */
  runSinkFunction(sink: string, args: string): Promise<RunOutcome> {
    return this.#run((pool) => pool.runSinkFunction(sink, args))
  }

  /** Runs that wait for their worker. */
  waiting(): number {
    return this.#pool.waiting() + (this.#held?.length ?? 0)
  }

  /** Runs that wait or run, or whose outcome is not stored yet. */
  pending(): number {
    return this.#pool.pending() + (this.#held?.length ?? 0)
  }

  readiness(): ReturnType<PolicyPool['readiness']> {
    return this.#pool.readiness()
  }

  /** Waits until nothing runs or the deadline has passed; answers how many runs are left. */
  async drain(deadlineMs: number): Promise<number> {
    await this.#pool.drain(deadlineMs)
    return this.pending()
  }

  stop(): Promise<void> {
    return this.#pool.stop()
  }

  /**
   * Has a pool that is ready take over, and answers the old one, which holds nothing any more. One at a time.
   *
   * @throws TrackError TRK_RELOAD_REFUSED when what the old pool ran cannot be stored, TRK_STOPPING when the signal came,
   *   and whatever `beforeSwitch` throws. The old pool goes on then as if nothing had been.
   */
  async exchange(
    next: PolicyPool,
    { limits, signal, beforeSwitch, atSwitch }: PoolExchange,
  ): Promise<PolicyPool> {
    const old = this.#pool
    const held: HeldRun[] = []
    this.#held = held
    old.pause()
    try {
      const unstored = await old.quiet(limits, signal)
      if (signal.aborted) throw new TrackError('TRK_STOPPING')
      if (unstored > 0) {
        throw new TrackError('TRK_RELOAD_REFUSED', `the outcomes of ${unstored} runs cannot be stored now`)
      }
      await beforeSwitch()
    } catch (error) {
      old.resume()
      this.#handOver(held, old)
      throw error
    }
    next.adopt(old.release())
    this.#pool = next
    atSwitch()
    this.#handOver(held, next)
    return old
  }

  #run(start: (pool: PolicyPool) => Promise<RunOutcome>): Promise<RunOutcome> {
    const held = this.#held
    if (held === undefined) return start(this.#pool)
    return new Promise((resolve) => {
      held.push((pool) => resolve(start(pool)))
    })
  }

  #handOver(held: readonly HeldRun[], pool: PolicyPool): void {
    this.#held = undefined
    for (const run of held) run(pool)
  }
}

const OVERLOADED: RunOutcome = {
  ok: false,
  failure: { code: 'TRK_OVERLOAD', message: 'too many runs wait for a policy worker', traceback: '' },
}
