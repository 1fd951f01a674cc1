/**
 * What has been started, to be stopped in reverse order. Main thread.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../errors.ts'
import type { Log } from '../telemetry/log.ts'

/** @returns what was left undone, in words for the log; undefined when all is well. */
export type StopStep = (remainingMs: number) => Promise<string | void> | void

/** A stop that hangs gets this much even when the time is up: long enough to close what needs no waiting. */
const LEAST_STEP_MS = 200

export class StopSequence {
  readonly #log: Log
  readonly #steps: { readonly name: string; readonly stop: StopStep }[] = []

  #hasBegun = false

  constructor(log: Log) {
    this.#log = log
  }

  /** From the call of `run` on, for good. */
  get hasBegun(): boolean {
    return this.#hasBegun
  }

  /** Remembers how to stop a part that has just been started. */
  add(name: string, stop: StopStep): void {
    this.#steps.push({ name, stop })
  }

  /**
   * Stops everything, last started first, within the deadline over all. A step that fails or takes too long does not
   * keep the others from running. A second call finds nothing to do.
   *
   * @returns true when nothing was left undone.
   */
  async run(deadlineMs: number): Promise<boolean> {
    this.#hasBegun = true
    const endMs = performance.now() + deadlineMs
    let isClean = true
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      const left = await this.#runStep(step.stop, Math.max(endMs - performance.now(), LEAST_STEP_MS))
      if (left === undefined) continue
      isClean = false
      this.#log.warn('not stopped cleanly', { part: step.name, left })
    }
    return isClean
  }

  async #runStep(stop: StopStep, remainingMs: number): Promise<string | undefined> {
    const tooLate = new AbortController()
    try {
      return (
        (await Promise.race([
          Promise.resolve(stop(remainingMs)),
          // A little more than the step was told, so that it can answer for itself.
          sleep(remainingMs + LEAST_STEP_MS, 'it did not stop in time', { signal: tooLate.signal }),
        ])) ?? undefined
      )
    } catch (error) {
      return messageOf(error)
    } finally {
      tooLate.abort()
    }
  }
}
