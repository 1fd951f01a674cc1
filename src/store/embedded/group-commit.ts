/**
 * The writer of the store: whatever came while one batch was written is the next batch, with one fsync. Store thread.
 *
 * A batch's life: `stage` every job, in the order of arrival → write → `settle` every job. Staging changes what the store
 * has in memory at once. If the write fails, appends are refused and dropped; everything else is written again, the same
 * operations, until it succeeds, and nothing is staged in between: so memory and disk never disagree.
 *
 * With durability `none` an append is settled when it is enqueued, as long as little waits to be written and not for long.
 * What was promised cannot be refused any more, so a batch that fails is written again with its appends.
 */
import { TrackError } from '../../errors.ts'
import { WriteBatch } from './write-batch.ts'

/** A batch stops growing here, so that nobody waits long behind it. */
const BATCH_BYTES = 8 * 1024 * 1024
/** Beyond it appends are settled when they are written, also with durability `none`. */
const PROMISED_BYTES = 1024 * 1024
const PROMISED_MS = 100

export type RefusalReason = 'backlog' | 'disk-full' | 'disk-error'

export type WriteJob =
  | {
      readonly kind: 'append'
      /** How many, and what their contents take. */
      readonly reports: number
      readonly sizeBytes: number
      readonly stage: (batch: WriteBatch) => void
      readonly settle: () => void
      readonly refuse: (reason: RefusalReason, detail: string) => void
    }
  | {
      /** `change` comes from outside; `maintenance` is staged after the rows that changes touch were written. */
      readonly kind: 'change' | 'maintenance'
      readonly stage: (batch: WriteBatch) => void
      readonly settle: () => void
      readonly fail: (error: TrackError) => void
    }

type AppendJob = Extract<WriteJob, { readonly kind: 'append' }>

/** A part of the store that adds to a batch what all of its jobs together changed. */
export interface Participant {
  /** After the changes, before maintenance. */
  finishChanges?(batch: WriteBatch): void
  /** After everything but appends. */
  finishAll?(batch: WriteBatch): void
  /** After the appends; dropped with them if the write fails. */
  finishAppends?(batch: WriteBatch): void
  /** The batch is written; `withAppends` is false when they were refused. */
  written?(withAppends: boolean): void
}

/** What stands between the batches and the disk. */
export interface BatchDisk {
  /** Why appends are refused now, if they are. */
  readonly refusal: { readonly reason: RefusalReason; readonly detail: string } | undefined
  /** Waits until there is room for changes; resolves at once as long as there is. */
  roomForChanges(): Promise<void>
  write(batch: WriteBatch): Promise<void>
  /** After a failed write: resolves when this batch is written after all. */
  writeWhenHealed(batch: WriteBatch, error: unknown): Promise<void>
}

interface GroupCommitDeps {
  readonly disk: BatchDisk
  readonly participants: readonly Participant[]
  /** Durability `none`: appends are settled before they are written. */
  readonly settlesEarly: boolean
  /** Called after every batch, when its jobs are settled. */
  readonly onSettled: () => void
  /** Staging failed: what is in memory is not to be trusted any more. */
  readonly onBroken: (error: TrackError) => void
}

interface StagedBatch {
  readonly changes: WriteBatch
  readonly appends: WriteBatch
}

export class GroupCommit {
  readonly #deps: GroupCommitDeps
  #queue: WriteJob[] = []
  #running: Promise<void> | undefined
  #broken: TrackError | undefined
  /** Appends that were settled and are not written, and since when; the oldest first. */
  readonly #promised = new Map<WriteJob, number>()
  #promisedBytes = 0
  /** Of the promised ones those that no participant knows yet. */
  #unstaged = { reports: 0, sizeBytes: 0 }

  constructor(deps: GroupCommitDeps) {
    this.#deps = deps
  }

  /** What was settled and is not staged: it counts as much as what is written. */
  get unstaged(): { readonly reports: number; readonly sizeBytes: number } {
    return this.#unstaged
  }

  /** Resolves when everything that was settled is written. */
  async settledIsWritten(): Promise<void> {
    if (this.#promised.size > 0) await this.submit('change', () => undefined)
  }

  /** The queue is bounded by those who wait for its answers: ingest's backlog and the runs in flight. */
  enqueue(job: WriteJob): void {
    if (this.#broken !== undefined) {
      rejectJob(job, this.#broken)
      // No batch will be: whoever asks must hear of it all the same.
      this.#deps.onSettled()
      return
    }
    const refusal = this.#deps.disk.refusal
    if (job.kind === 'append' && refusal !== undefined) {
      job.refuse(refusal.reason, refusal.detail)
      this.#deps.onSettled()
      return
    }
    this.#queue.push(job)
    if (job.kind === 'append' && this.#deps.settlesEarly) this.#promise(job)
    this.#running ??= this.#run()
  }

  /** Stages in the next batch and resolves when that is written. */
  submit(kind: 'change' | 'maintenance', stage: (batch: WriteBatch) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.enqueue({ kind, stage, settle: resolve, fail: reject })
    })
  }

  /** From now on every job is rejected. */
  refuseAll(error: TrackError): void {
    this.#broken ??= error
    for (const job of this.#queue.splice(0)) this.#reject(job, error)
    this.#deps.onSettled()
  }

  /** Resolves when everything that was enqueued is written. */
  async drained(): Promise<void> {
    while (this.#running !== undefined) await this.#running
  }

  async #run(): Promise<void> {
    // The rest of this turn's messages belong to the first batch too.
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#queue.length > 0) {
      const jobs = this.#queue
      try {
        await this.#deps.disk.roomForChanges()
        this.#queue = []
        await this.#writeBatch(jobs)
      } catch (error) {
        this.#break(jobs, error)
      }
      this.#deps.onSettled()
    }
    this.#running = undefined
  }

  async #writeBatch(jobs: WriteJob[]): Promise<void> {
    const staged = this.#stage(jobs)
    const withAppends = await this.#writeStaged(jobs, staged)
    for (const participant of this.#deps.participants) participant.written?.(withAppends)
    for (const job of jobs) {
      if (!this.#isKeptPromise(job) && (withAppends || job.kind !== 'append')) job.settle()
    }
  }

  /** Resolves when it is written; to false when that is so of the changes alone, and the appends were refused. */
  async #writeStaged(jobs: readonly WriteJob[], { changes, appends }: StagedBatch): Promise<boolean> {
    const { disk, settlesEarly } = this.#deps
    const whole = new WriteBatch()
    whole.addAll(changes)
    whole.addAll(appends)
    try {
      if (whole.operations.length > 0) await disk.write(whole)
      return true
    } catch (error) {
      if (settlesEarly) {
        await disk.writeWhenHealed(whole, error)
        return true
      }
      const refusal = disk.refusal ?? { reason: 'disk-error' as const, detail: String(error) }
      for (const job of jobs) if (job.kind === 'append') job.refuse(refusal.reason, refusal.detail)
      this.#deps.onSettled()
      await disk.writeWhenHealed(changes, error)
      return false
    }
  }

  /** Settles an append at once, unless too much that was settled is in memory alone. */
  #promise(job: AppendJob): void {
    const nowMs = performance.now()
    const [oldestMs = nowMs] = this.#promised.values()
    if (nowMs - oldestMs > PROMISED_MS || this.#promisedBytes + job.sizeBytes > PROMISED_BYTES) return
    this.#promised.set(job, nowMs)
    this.#promisedBytes += job.sizeBytes
    this.#countUnstaged(job, 1)
    job.settle()
    this.#deps.onSettled()
  }

  #countUnstaged({ reports, sizeBytes }: AppendJob, sign: 1 | -1): void {
    const before = this.#unstaged
    this.#unstaged = {
      reports: before.reports + sign * reports,
      sizeBytes: before.sizeBytes + sign * sizeBytes,
    }
  }

  /** Whether a job was settled early; it does not count as promised any more. */
  #isKeptPromise(job: WriteJob): boolean {
    if (job.kind !== 'append' || !this.#promised.delete(job)) return false
    this.#promisedBytes -= job.sizeBytes
    return true
  }

  #reject(job: WriteJob, error: TrackError): void {
    if (!this.#isKeptPromise(job)) rejectJob(job, error)
  }

  /** Takes jobs into a batch; those for which it has no room go back to the front of the queue. */
  #stage(jobs: WriteJob[]): StagedBatch {
    const changes = new WriteBatch()
    const appends = new WriteBatch()
    const maintenance: WriteJob[] = []
    let taken = 0
    for (const job of jobs) {
      if (changes.sizeBytes + appends.sizeBytes > BATCH_BYTES) break
      taken++
      if (job.kind === 'append' && this.#promised.has(job)) this.#countUnstaged(job, -1)
      if (job.kind === 'maintenance') maintenance.push(job)
      else job.stage(job.kind === 'append' && !this.#deps.settlesEarly ? appends : changes)
    }
    this.#queue = [...jobs.splice(taken), ...this.#queue]
    for (const participant of this.#deps.participants) participant.finishChanges?.(changes)
    for (const job of maintenance) job.stage(changes)
    for (const participant of this.#deps.participants) participant.finishAll?.(changes)
    for (const participant of this.#deps.participants) participant.finishAppends?.(appends)
    return { changes, appends }
  }

  #break(jobs: readonly WriteJob[], thrown: unknown): void {
    const error =
      thrown instanceof TrackError
        ? thrown
        : new TrackError('TRK_STORE_FAILED', String(thrown), { cause: thrown })
    for (const job of jobs) this.#reject(job, error)
    this.refuseAll(error)
    this.#deps.onBroken(error)
  }
}

function rejectJob(job: WriteJob, error: TrackError): void {
  if (job.kind === 'append') job.refuse('disk-error', error.message)
  else job.fail(error)
}
