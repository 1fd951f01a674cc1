/**
 * What the writer of the store is asked to do, who takes part in it, and what stands between it and the disk. Store thread.
 */
import type { TrackError } from '../../errors.ts'
import type { ReportBatch } from './reports/report-batch.ts'
import type { WriteBatch } from './write-batch.ts'

export type RefusalReason = 'backlog' | 'disk-full' | 'disk-error'

export interface AppendJob {
  readonly kind: 'append'
  /** How many, and what their contents take. */
  readonly reports: number
  readonly sizeBytes: number
  readonly stage: (batch: ReportBatch) => void
  readonly settle: () => void
  readonly refuse: (reason: RefusalReason, detail: string) => void
}

export interface ChangeJob {
  /** `change` comes from outside; `maintenance` is staged after the rows that changes touch were written. */
  readonly kind: 'change' | 'maintenance'
  /** Somebody waits for it. Other changes gather for a few milliseconds, and other maintenance goes with changes. */
  readonly isUrgent: boolean
  readonly stage: (batch: WriteBatch) => void
  readonly settle: () => void
  readonly fail: (error: TrackError) => void
}

export type WriteJob = AppendJob | ChangeJob

/** A part of the store that adds to a batch what all of its jobs together changed. */
export interface Participant {
  /** After the changes, before maintenance. What takes long lets others pass: appends are staged and settled meanwhile. */
  finishChanges?(batch: WriteBatch): void | Promise<void>
  /** After everything else. */
  finishAll?(batch: WriteBatch): void
  /** The batch with the changes is written. */
  changesWritten?(): void
  /** The batch with the appends is written, or it could not be and they were refused. */
  appendsEnded?(areWritten: boolean): void
}

/** What stands between the batches and the disk. It takes one of each kind at a time. */
export interface BatchDisk {
  /** Why appends are refused now, if they are. */
  readonly refusal: { readonly reason: RefusalReason; readonly detail: string } | undefined
  /** Waits until there is room for changes; resolves at once as long as there is. */
  roomForChanges(): Promise<void>
  /** Writes reports into their files. */
  append(batch: ReportBatch): Promise<void>
  /** After a failed append, before any other: resolves when appends succeed again, and this batch is written. */
  appendWhenHealed(batch: ReportBatch): Promise<void>
  /** Writes changes into the database. */
  write(batch: WriteBatch): Promise<void>
  /** After a failed write, before any other: resolves when the disk can be written again, and this batch is. */
  writeWhenHealed(batch: WriteBatch): Promise<void>
}
