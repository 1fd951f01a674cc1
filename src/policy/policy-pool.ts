/**
 * All policy workers: dispatch by login, the bound on what waits, and the drain at the stop. Lives on the main thread.
 */
import { partitionOfLogin } from '../ingest/login-partition.ts'
import type { EndpointArguments } from '../login/endpoint-arguments.ts'
import type { Log } from '../telemetry/log.ts'
import type { TrendReaderSetup } from '../store/embedded/trend-reader.ts'
import type { StoreAnswer, StoreQuestion } from './store-questions.ts'
import type { Job, RunOutcome, WorkerSetup } from './messages.ts'
import { WorkerHandle, type LossReason, type RunTiming, type WorkerNotice } from './worker-handle.ts'

interface PolicyPoolDeps {
  readonly log: Log
  readonly onRun: (timing: RunTiming) => void
  readonly onNotice: (notice: WorkerNotice) => void
  readonly onLost: (reason: LossReason) => void
  /** The store's door for a new thread. */
  readonly openReader: () => TrendReaderSetup
  /** Answers what Lua code asks the store. */
  readonly answer: (question: StoreQuestion) => Promise<StoreAnswer>
}

interface PolicyPoolOptions {
  readonly workers: number
  readonly setup: WorkerSetup
  /** With so many runs waiting or running, over all workers, a call would wait too long: it is refused. */
  readonly maxPendingForCalls: number
  readonly memoryLimitMb: number
}

/** Takes the outcome; the run counts as pending until the promise settles. */
type Settle = (outcome: RunOutcome) => Promise<unknown> | void

export interface ReportToRun {
  readonly login: string
  /** encodeLoginReport's text. */
  readonly text: string
  /** Unix milliseconds. */
  readonly receivedAtMs: number
}

export interface PolicyPool {
  readonly start: () => Promise<void>
  /** Runs a report after all earlier ones of its login. The journal's bound is the bound on how many wait here. */
  readonly runReport: (report: ReportToRun, settle: Settle) => void
  /** Runs a custom endpoint; undefined when too many runs wait. */
  readonly runEndpoint: (name: string, args: EndpointArguments) => Promise<RunOutcome> | undefined
  /** Runs a background function, always on the same worker, so that what it keeps in Lua variables is there again. */
  readonly runBackground: (name: string) => Promise<RunOutcome>
  /** Runs that wait for their worker. */
  readonly waiting: () => number
  readonly pending: () => number
  readonly readiness: () => { readonly ready: true } | { readonly ready: false; readonly reason: string }
  /** Waits until nothing runs or the deadline has passed; answers how many runs are left. */
  readonly drain: (deadlineMs: number) => Promise<number>
  readonly stop: () => Promise<void>
}

export function createPolicyPool(deps: PolicyPoolDeps, options: PolicyPoolOptions): PolicyPool {
  const workers = Array.from(
    { length: options.workers },
    (_, index) =>
      new WorkerHandle(deps, { index, setup: options.setup, memoryLimitMb: options.memoryLimitMb }),
  )
  const idleWaiters = new Set<() => void>()
  let nextId = 1
  let pending = 0

  function submit(partition: number, job: Job, settle: Settle): void {
    pending++
    workers[partition]?.submit({
      job,
      submittedAtMs: performance.timeOrigin + performance.now(),
      tries: 0,
      settle(outcome, timing) {
        deps.onRun(timing)
        const settling = settle(outcome)
        if (settling === undefined) ended()
        else void settling.then(ended, ended)
      },
    })
  }

  function ended(): void {
    pending--
    if (pending === 0) for (const wake of idleWaiters) wake()
  }

  function leastLoaded(): number {
    let best = 0
    for (let index = 1; index < workers.length; index++) {
      if ((workers[index]?.load ?? Infinity) < (workers[best]?.load ?? Infinity)) best = index
    }
    return best
  }

  return {
    start: async () => {
      const starts = await Promise.allSettled(workers.map((worker) => worker.start()))
      for (const start of starts) if (start.status === 'rejected') throw start.reason
    },
    runReport({ login, text, receivedAtMs }, settle) {
      const job = { id: nextId++, kind: 'report', report: text, receivedAtMs } as const
      submit(partitionOfLogin(login, workers.length), job, settle)
    },
    runEndpoint(name, args) {
      if (pending >= options.maxPendingForCalls) return undefined
      return new Promise((resolve) => {
        submit(leastLoaded(), { id: nextId++, kind: 'endpoint', name, args }, resolve)
      })
    },
    runBackground: (name) =>
      new Promise((resolve) => {
        submit(partitionOfLogin(name, workers.length), { id: nextId++, kind: 'background', name }, resolve)
      }),
    waiting: () => workers.reduce((sum, worker) => sum + worker.waiting, 0),
    pending: () => pending,
    readiness() {
      const down = workers.findIndex((worker) => worker.state !== 'running')
      return down === -1 ? { ready: true } : { ready: false, reason: `policy worker ${down} is not running` }
    },
    drain: (deadlineMs) =>
      new Promise((resolve) => {
        if (pending === 0) return resolve(0)
        const finish = (): void => {
          clearTimeout(timer)
          idleWaiters.delete(finish)
          resolve(pending)
        }
        const timer = setTimeout(finish, deadlineMs)
        idleWaiters.add(finish)
      }),
    stop: async () => {
      await Promise.all(workers.map((worker) => worker.stop()))
    },
  }
}
