/**
 * The writer of the store: whatever came while one batch was written is the next batch, with one fsync. Store thread.
 *
 * A batch's life: `stage` every job, in the order of arrival → write → `settle` every job. Staging changes what the store
 * has in memory at once. If the write fails, appends are refused and dropped; everything else is written again, the same
 * operations, until it succeeds, and nothing is staged in between: so memory and disk never disagree.
 */
import { TrackError } from '../../errors.ts'
import { WriteBatch } from './write-batch.ts'

/** A batch stops growing here, so that nobody waits long behind it. */
const BATCH_BYTES = 8 * 1024 * 1024

export type RefusalReason = 'backlog' | 'disk-full' | 'disk-error'

export type WriteJob =
  | {
      readonly kind: 'append'
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
  /** Called after every batch, when its jobs are settled. */
  readonly onSettled: () => void
  /** Staging failed: what is in memory is not to be trusted any more. */
  readonly onBroken: (error: TrackError) => void
}

export class GroupCommit {
  readonly #deps: GroupCommitDeps
  #queue: WriteJob[] = []
  #running: Promise<void> | undefined
  #broken: TrackError | undefined

  constructor(deps: GroupCommitDeps) {
    this.#deps = deps
  }

  /** The queue is bounded by those who wait for its answers: ingest's backlog and the runs in flight. */
  enqueue(job: WriteJob): void {
    if (this.#broken !== undefined) {
      rejectJob(job, this.#broken)
      return
    }
    const refusal = this.#deps.disk.refusal
    if (job.kind === 'append' && refusal !== undefined) {
      job.refuse(refusal.reason, refusal.detail)
      this.#deps.onSettled()
      return
    }
    this.#queue.push(job)
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
    for (const job of this.#queue.splice(0)) rejectJob(job, error)
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
    const { disk, participants } = this.#deps
    const { changes, appends } = this.#stage(jobs)
    const whole = new WriteBatch()
    whole.addAll(changes)
    whole.addAll(appends)
    let withAppends = true
    try {
      if (whole.operations.length > 0) await disk.write(whole)
    } catch (error) {
      withAppends = false
      const refusal = disk.refusal ?? { reason: 'disk-error' as const, detail: String(error) }
      for (const job of jobs) if (job.kind === 'append') job.refuse(refusal.reason, refusal.detail)
      this.#deps.onSettled()
      await disk.writeWhenHealed(changes, error)
    }
    for (const participant of participants) participant.written?.(withAppends)
    for (const job of jobs) if (withAppends || job.kind !== 'append') job.settle()
  }

  /** Takes jobs into a batch; those for which it has no room go back to the front of the queue. */
  #stage(jobs: WriteJob[]): { readonly changes: WriteBatch; readonly appends: WriteBatch } {
    const changes = new WriteBatch()
    const appends = new WriteBatch()
    const maintenance: WriteJob[] = []
    let taken = 0
    for (const job of jobs) {
      if (changes.sizeBytes + appends.sizeBytes > BATCH_BYTES) break
      taken++
      if (job.kind === 'maintenance') maintenance.push(job)
      else job.stage(job.kind === 'append' ? appends : changes)
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
    for (const job of jobs) rejectJob(job, error)
    this.refuseAll(error)
    this.#deps.onBroken(error)
  }
}

function rejectJob(job: WriteJob, error: TrackError): void {
  if (job.kind === 'append') job.refuse('disk-error', error.message)
  else job.fail(error)
}
