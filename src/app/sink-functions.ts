/**
 * The Lua functions of alert sinks in the wiring: delivery calls them, policy workers run them. Main thread. Delivery begins
 * before there are workers and ends after them, so calls wait for the first and are told of the second.
 */
import { sinkRunName, type CallSinkFunction, type SinkCallOutcome } from '../delivery/sinks/sink-function.ts'
import type { RunOutcome } from '../policy/messages.ts'
import type { Policy } from './start-policy.ts'

/** What runs the functions and takes what they leave. */
interface Workers {
  readonly runs: Pick<Policy['runs'], 'runSinkFunction'>
  readonly committer: Policy['committer']
}

export interface SinkFunctions {
  readonly call: CallSinkFunction
  /** There are workers from now on. */
  readonly start: (workers: Workers) => void
  /** There are none any more: whoever waits is told so. */
  readonly stop: () => Promise<void>
}

/** From the call to the answer: the time limit of a run, and as much again for waiting behind reports. */
const DEADLINE_MS = 60_000
const STOPPING: SinkCallOutcome = { kind: 'stopping' }

/** @param deadlineMs - of one call; tests have less patience */
export function createSinkFunctions(deadlineMs = DEADLINE_MS): SinkFunctions {
  const started = Promise.withResolvers<Workers>()
  const stopped = Promise.withResolvers<SinkCallOutcome>()

  async function call(sink: string, args: string): Promise<SinkCallOutcome> {
    const { runs, committer } = await started.promise
    const run = { name: sinkRunName(sink), reportId: undefined }
    const late = Promise.withResolvers<SinkCallOutcome>()
    const timer = setTimeout(() => {
      const message = `${run.name}: its function did not end within ${deadlineMs / 1000} s`
      late.resolve({ kind: 'failed', message })
      void committer.commit(run, { ok: false, failure: { code: 'TRK_OVERLOAD', message, traceback: '' } })
    }, deadlineMs)
    const ended = runs.runSinkFunction(sink, args).then(async (outcome) => {
      // Also of one that ended too late: it has ended well, and what it changed counts.
      await committer.commit(run, outcome)
      return callOutcome(outcome)
    })
    const answer = await Promise.race([ended, late.promise, stopped.promise])
    clearTimeout(timer)
    return answer
  }

  return {
    call: (sink, args) => Promise.race([stopped.promise, call(sink, args)]),
    start: (workers) => started.resolve(workers),
    stop() {
      stopped.resolve(STOPPING)
      return Promise.resolve()
    },
  }
}

function callOutcome(outcome: RunOutcome): SinkCallOutcome {
  if (!outcome.ok) return { kind: 'failed', message: outcome.failure.message }
  return { kind: 'made', text: outcome.answer?.kind === 'sink' ? outcome.answer.text : undefined }
}
