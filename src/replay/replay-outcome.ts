/**
 * Everything that a replay has to say, before it is put into words. Types only.
 */
import type { AlertDifference } from './compare-alerts.ts'
import type { Judgement } from './judgement.ts'
import type { ReplayEnd } from './messages.ts'
import type { ReplayResult } from './replay.ts'
import type { BadLines } from './reports-of-files.ts'

export interface ReplayOutcome extends Omit<ReplayResult, 'runs'> {
  readonly badLines: BadLines
  /** One, or two that are compared. */
  readonly configurations: readonly ConfigurationOutcome[]
  /** Of the first two configurations. */
  readonly difference: AlertDifference | undefined
}

export interface ConfigurationOutcome {
  /** Absolute path. */
  readonly file: string
  readonly end: ReplayEnd
  /** undefined: the reports have no labels. */
  readonly judgement: Judgement | undefined
}
