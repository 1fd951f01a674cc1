/**
 * Why a policy worker was lost, and what that means for a run that it held. Pure.
 */
import type { RunFailure } from './messages.ts'

/** Labels a metric. */
export type LossReason = 'exit' | 'memory' | 'silent'

/** Of a run during which its worker was lost so many times. */
export function lossFailure(reason: LossReason, times: number): RunFailure {
  return {
    code: 'TRK_WORKER_LOST',
    message: `the policy worker was lost ${times} times while this ran (${REASON_TEXT[reason]})`,
    traceback: '',
  }
}

const REASON_TEXT = {
  exit: 'it ended',
  memory: 'it ran out of memory',
  silent: 'it answered nothing for too long',
} as const satisfies Record<LossReason, string>
