/**
 * Durability `none`: an append is settled when it arrives, as long as little waits to be written and not for long. Which
 * ones that were, until they are written. Store thread.
 */
import type { AppendJob } from './write-jobs.ts'

/** Beyond it appends are settled when they are written, as with any other durability. */
const PROMISED_BYTES = 1024 * 1024
const PROMISED_MS = 100

export class EarlySettlement {
  /** Appends that were settled and are not written, and since when; the oldest first. */
  readonly #promised = new Map<AppendJob, number>()
  #promisedBytes = 0
  #unstaged = { reports: 0, sizeBytes: 0 }

  /** Of the promised ones those that no participant knows yet. */
  get unstaged(): { readonly reports: number; readonly sizeBytes: number } {
    return this.#unstaged
  }

  get isOwing(): boolean {
    return this.#promised.size > 0
  }

  /** Settles an append, unless too much that was settled is in memory alone; whether it did. */
  settle(job: AppendJob): boolean {
    const nowMs = performance.now()
    const [oldestMs = nowMs] = this.#promised.values()
    if (nowMs - oldestMs > PROMISED_MS || this.#promisedBytes + job.sizeBytes > PROMISED_BYTES) return false
    this.#promised.set(job, nowMs)
    this.#promisedBytes += job.sizeBytes
    this.#countUnstaged(job, 1)
    job.settle()
    return true
  }

  /** The participants know of this job now. */
  staged(job: AppendJob): void {
    if (this.#promised.has(job)) this.#countUnstaged(job, -1)
  }

  /** Whether a job was settled early; it does not count as promised any more. */
  isKept(job: AppendJob): boolean {
    if (!this.#promised.delete(job)) return false
    this.#promisedBytes -= job.sizeBytes
    return true
  }

  #countUnstaged({ reports, sizeBytes }: AppendJob, sign: 1 | -1): void {
    const before = this.#unstaged
    this.#unstaged = {
      reports: before.reports + sign * reports,
      sizeBytes: before.sizeBytes + sign * sizeBytes,
    }
  }
}
