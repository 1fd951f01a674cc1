/**
 * The writer of the store: what came while one batch was written is the next batch, with one fsync. Store thread.
 *
 * Appends go into files of reports, changes into the database, and each has a lane of its own: an acknowledgement waits for
 * no changes, and changes can gather, so that a row that many of them touch is written once. Nothing in a batch of changes
 * depends on an append that is not written yet, nor the other way round.
 *
 * A batch's life: `stage` every job, in the order of arrival → write → `settle` every job. Staging changes what the store
 * has in memory at once. If the write fails, appends are refused and dropped; changes are written again, the same
 * operations, until it succeeds, and no other changes are staged in between: so memory and disk never disagree.
 *
 * Two pauses let batches grow: changes for which nobody waits gather for a while, and maintenance that can wait goes with the
 * changes that are expected, while there are any.
 *
 * With durability `none` appends go among the changes (early-settlement.ts): what was promised cannot be refused any more,
 * so appends that fail are written again too, and before the changes, which may be the ends of their runs.
 */
import { TrackError } from '../../errors.ts'
import { EarlySettlement } from './early-settlement.ts'
import { JobLane } from './job-lane.ts'
import { Pause } from './pause.ts'
import { ReportBatch } from './reports/report-batch.ts'
import { WriteBatch } from './write-batch.ts'
import type { AppendJob, BatchDisk, ChangeJob, Participant, WriteJob } from './write-jobs.ts'

/** A batch stops growing here, so that nobody waits long behind it. */
const BATCH_BYTES = 8 * 1024 * 1024

interface GroupCommitDeps {
  readonly disk: BatchDisk
  readonly participants: readonly Participant[]
  /** From one batch of changes to the next, if nobody waits for them. */
  readonly gatherMs: number
  /** From the end of a batch of changes, maintenance that can wait does so for the next one, for so long. */
  readonly expectMs: number
  /** Durability `none`: appends are settled before they are written. */
  readonly settlesEarly: boolean
  /** Called after every batch, when its jobs are settled. */
  readonly onSettled: () => void
  /** Staging failed: what is in memory is not to be trusted any more. */
  readonly onBroken: (error: TrackError) => void
}

export class GroupCommit {
  readonly #deps: GroupCommitDeps
  readonly #appends = new JobLane<AppendJob>((jobs) =>
    this.#endBatch(jobs, (all, taken) => this.#writeAppends(all, taken)),
  )
  readonly #changes = new JobLane<WriteJob>((jobs) =>
    this.#endBatch(jobs, (all, taken) => this.#writeChanges(all, taken)),
  )
  readonly #early = new EarlySettlement()
  readonly #gathering = new Pause()
  /** Under way for a while after each batch of changes, until the next change comes. */
  readonly #expecting = new Pause()
  #broken: TrackError | undefined

  constructor(deps: GroupCommitDeps) {
    this.#deps = deps
  }

  /** What was settled and is not staged: it counts as much as what is written. */
  get unstaged(): { readonly reports: number; readonly sizeBytes: number } {
    return this.#early.unstaged
  }

  /** Resolves when everything that was settled is written. */
  async settledIsWritten(): Promise<void> {
    if (this.#early.isOwing) await this.submit('change', () => undefined)
  }

  /** The queues are bounded by those who wait for their answers: ingest's backlog and the runs in flight. */
  enqueue(job: WriteJob): void {
    const { disk, settlesEarly, onSettled } = this.#deps
    if (this.#broken !== undefined) {
      this.#reject(job, this.#broken)
      // No batch will be: whoever asks must hear of it all the same.
      onSettled()
    } else if (job.kind !== 'append') {
      this.#changes.enqueue(job)
      if (job.isUrgent) this.#gathering.end()
      if (job.isUrgent || job.kind === 'change') this.#expecting.end()
    } else if (disk.refusal !== undefined) {
      job.refuse(disk.refusal.reason, disk.refusal.detail)
      onSettled()
    } else if (settlesEarly) {
      this.#changes.enqueue(job)
      this.#gathering.end()
      this.#expecting.end()
      if (this.#early.settle(job)) onSettled()
    } else {
      this.#appends.enqueue(job)
    }
  }

  /** Stages in the next batch and resolves when that is on disk. */
  submit(kind: ChangeJob['kind'], stage: ChangeJob['stage']): Promise<void> {
    return new Promise((resolve, reject) => {
      this.enqueue({ kind, isUrgent: true, stage, settle: resolve, fail: reject })
    })
  }

  /**
   * Stages maintenance in the next batch that has changes, and resolves when that is on disk: changes that come meanwhile do
   * not wait for a write that only maintenance needs. When no changes come for a while, it gets one.
   */
  join(stage: ChangeJob['stage']): Promise<void> {
    return new Promise((resolve, reject) => {
      this.enqueue({ kind: 'maintenance', isUrgent: false, stage, settle: resolve, fail: reject })
    })
  }

  /** From now on every job is rejected. */
  refuseAll(error: TrackError): void {
    this.#broken ??= error
    for (const lane of [this.#appends, this.#changes])
      for (const job of lane.takeAll()) this.#reject(job, error)
    this.#deps.onSettled()
  }

  /** Resolves when everything that was enqueued is written. */
  async drained(): Promise<void> {
    await Promise.all([this.#appends.drained(), this.#changes.drained()])
  }

  /** Writes one batch of these jobs; what stands in its way for good ends everything. */
  async #endBatch<Job extends WriteJob>(
    jobs: Job[],
    write: (jobs: Job[], taken: Job[]) => Promise<void>,
  ): Promise<void> {
    const taken: Job[] = []
    try {
      await write(jobs, taken)
    } catch (error) {
      this.#break(taken, error)
    }
    this.#deps.onSettled()
  }

  async #writeAppends(jobs: AppendJob[], taken: AppendJob[]): Promise<void> {
    const { disk, participants, onSettled } = this.#deps
    const batch = new ReportBatch()
    takeInto(batch, { jobs, taken }, (job) => job.stage(batch))
    try {
      await disk.append(batch)
    } catch (error) {
      const refusal = disk.refusal ?? { reason: 'disk-error' as const, detail: String(error) }
      for (const participant of participants) participant.appendsEnded?.(false)
      for (const job of taken.splice(0)) job.refuse(refusal.reason, refusal.detail)
      onSettled()
      await disk.appendWhenHealed(new ReportBatch())
      return
    }
    for (const participant of participants) participant.appendsEnded?.(true)
    for (const job of taken) job.settle()
  }

  async #writeChanges(jobs: WriteJob[], taken: WriteJob[]): Promise<void> {
    const { disk, participants, settlesEarly, expectMs } = this.#deps
    await this.#gathered(jobs)
    await disk.roomForChanges()
    const batch = new WriteBatch()
    const reports = new ReportBatch()
    await this.#stageChanges({ batch, reports }, jobs, taken)
    if (reports.segments.length > 0) await disk.append(reports).catch(() => disk.appendWhenHealed(reports))
    if (batch.operations.length > 0) await disk.write(batch).catch(() => disk.writeWhenHealed(batch))
    for (const participant of participants) {
      participant.changesWritten?.()
      if (settlesEarly) participant.appendsEnded?.(true)
    }
    if (taken.some(isOthersWork)) this.#expecting.begin(expectMs)
    for (const job of taken) if (job.kind !== 'append' || !this.#early.isKept(job)) job.settle()
  }

  /** Waits for as long as these jobs can wait for more of them. */
  async #gathered(jobs: readonly WriteJob[]): Promise<void> {
    if (!jobs.some(isOthersWork)) await this.#expecting.ended()
    // Maintenance is still alone when no changes come any more: then there is nobody to gather.
    if (jobs.some(isOthersWork) && !jobs.some(isAwaited)) await this.#gathering.ended()
    this.#gathering.begin(this.#deps.gatherMs)
  }

  /** Appends are among the jobs when they are settled early. */
  async #stageChanges(
    { batch, reports }: { readonly batch: WriteBatch; readonly reports: ReportBatch },
    jobs: WriteJob[],
    taken: WriteJob[],
  ): Promise<void> {
    const { participants } = this.#deps
    const both = {
      get sizeBytes(): number {
        return batch.sizeBytes + reports.sizeBytes
      },
    }
    takeInto(both, { jobs, taken }, (job) => {
      if (job.kind === 'append') {
        this.#early.staged(job)
        job.stage(reports)
      } else if (job.kind === 'change') job.stage(batch)
    })
    for (const participant of participants) await participant.finishChanges?.(batch)
    for (const job of taken) if (job.kind === 'maintenance') job.stage(batch)
    for (const participant of participants) participant.finishAll?.(batch)
  }

  #reject(job: WriteJob, error: TrackError): void {
    if (job.kind !== 'append') job.fail(error)
    else if (!this.#early.isKept(job)) job.refuse('disk-error', error.message)
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

/** Somebody waits for it, or nothing can be taken back any more. */
function isAwaited(job: WriteJob): boolean {
  return job.kind === 'append' || job.isUrgent
}

/** Not only maintenance that can wait for others. */
function isOthersWork(job: WriteJob): boolean {
  return job.kind === 'change' || isAwaited(job)
}

/** Takes jobs from the front into a batch, as many as it has room for. */
function takeInto<Job>(
  batch: { readonly sizeBytes: number },
  { jobs, taken }: { readonly jobs: Job[]; readonly taken: Job[] },
  stage: (job: Job) => void,
): void {
  while (batch.sizeBytes <= BATCH_BYTES) {
    const job = jobs.shift()
    if (job === undefined) return
    taken.push(job)
    stage(job)
  }
}
