/**
 * All policy workers: dispatch by login, the bound on what waits, and the drain at the stop. Lives on the main thread.
 */
import type { WorkerState } from '../console/console-questions.ts'
import { partitionOfLogin } from '../ingest/login-partition.ts'
import { handlerRunName, type EventView } from '../events/event-handlers.ts'
import { sinkRunName } from '../delivery/sinks/sink-function.ts'
import type { EndpointArguments } from '../login/endpoint-arguments.ts'
import type { CollectedGeoDatabase } from '../config/settings-collector.ts'
import type { Log } from '../telemetry/log.ts'
import type { TrendReaderSetup } from '../store/embedded/trend-reader.ts'
import type { StoreAnswer, StoreQuestion } from './store-questions.ts'
import type { LossReason } from './worker-loss.ts'
import type { Job, RunOutcome, WorkerSetup } from './messages.ts'
import type { PolicyThreads } from './policy-thread-starter.ts'
import { createHandOver, type HandOver, type ReleasedRun } from './hand-over.ts'
import { WorkerHandle, type FinishRun, type RunTiming, type WorkerNotice } from './worker-handle.ts'

interface PolicyPoolDeps {
  readonly log: Log
  /** A run has ended; `name` is what failures of the same function are logged under. */
  readonly onRun: (timing: RunTiming, name: string) => void
  readonly onProcessorTime?: (usedMs: number) => void
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
  readonly threads: PolicyThreads
}

export interface ReportToRun {
  readonly login: string
  /** encodeLoginReport's text. */
  readonly text: string
  /** Unix milliseconds. */
  readonly receivedAtMs: number
}

export interface PolicyPool extends HandOver {
  readonly start: () => Promise<void>
  /** Runs a report after all earlier ones of its login. The journal's bound is the bound on how many wait here. */
  readonly runReport: (report: ReportToRun, finish: FinishRun) => void
  /** Runs a custom endpoint; undefined when too many runs wait. */
  readonly runEndpoint: (name: string, args: EndpointArguments) => Promise<RunOutcome> | undefined
  /** Runs a background function, always on the same worker, so that what it keeps in Lua variables is there again. */
  readonly runBackground: (name: string) => Promise<RunOutcome>
  /** Runs the handler that was set for this name, always on the same worker. */
  readonly runEvent: (name: string, event: EventView) => Promise<RunOutcome>
  /**
   * Runs the function of an alert sink, always on the same worker.
   *
   * @param args - JSON: the array of what it is called with
   */
  readonly runSinkFunction: (sink: string, args: string) => Promise<RunOutcome>
  /** Every worker runs the line, which has run on the configuration thread, for the sake of Lua variables. */
  readonly repeatConsoleLine: (line: string) => void
  readonly workers: () => readonly WorkerState[]
  /** Runs that wait for their worker. */
  readonly waiting: () => number
  readonly pending: () => number
  readonly readiness: () => { readonly ready: true } | { readonly ready: false; readonly reason: string }
  /** Every worker opens the new file in place of the one of this name. */
  readonly replaceGeoDatabase: (database: CollectedGeoDatabase) => void
  /** Waits until nothing runs or the deadline has passed; answers how many runs are left. */
  readonly drain: (deadlineMs: number) => Promise<number>
  readonly stop: () => Promise<void>
}

export function createPolicyPool(deps: PolicyPoolDeps, options: PolicyPoolOptions): PolicyPool {
  const workers = Array.from(
    { length: options.workers },
    (_, index) => new WorkerHandle(deps, { index, setup: options.setup, threads: options.threads }),
  )
  const idleWaiters = new Set<() => void>()
  let nextId = 1
  let pending = 0

  function submit(key: string | undefined, job: Job, finish: FinishRun): void {
    enqueue({ job, key, finish, submittedAtMs: performance.timeOrigin + performance.now() })
  }

  function call(key: string | undefined, job: Job): Promise<RunOutcome> {
    return new Promise((resolve) => submit(key, job, resolve))
  }

  function enqueue(run: ReleasedRun): void {
    pending++
    workers[partitionOf(run.key)]?.submit({
      ...run,
      tries: 0,
      settle(outcome, timing) {
        deps.onRun(timing, nameOf(run.job))
        const settling = run.finish(outcome)
        if (settling === undefined) ended()
        else void settling.then(ended, ended)
      },
    })
  }

  function ended(): void {
    pending--
    if (pending === 0) for (const wake of idleWaiters) wake()
  }

  function partitionOf(key: string | undefined): number {
    return key === undefined ? leastLoaded(workers) : partitionOfLogin(key, workers.length)
  }

  return {
    start: async () => {
      const starts = await Promise.allSettled(workers.map((worker) => worker.start()))
      for (const start of starts) if (start.status === 'rejected') throw start.reason
    },
    runReport({ login, text, receivedAtMs }, finish) {
      const job = { id: nextId++, kind: 'report', report: text, receivedAtMs } as const
      submit(login, job, finish)
    },
    runEndpoint(name, args) {
      if (pending >= options.maxPendingForCalls) return undefined
      return call(undefined, { id: nextId++, kind: 'endpoint', name, args })
    },
    runBackground: (name) => call(name, { id: nextId++, kind: 'background', name }),
    runEvent: (name, event) => call(handlerRunName(name), { id: nextId++, kind: 'event', name, event }),
    runSinkFunction: (sink, args) =>
      call(sinkRunName(sink), { id: nextId++, kind: 'sink', name: sink, args }),
    repeatConsoleLine(line) {
      for (const worker of workers) worker.repeatConsoleLine(line)
    },
    workers: () => workers.map(({ state, running, waiting }) => ({ state, running, waiting })),
    waiting: () => workers.reduce((sum, worker) => sum + worker.waiting, 0),
    pending: () => pending,
    readiness: () => readinessOf(workers),
    ...createHandOver(workers, {
      pending: () => pending,
      released: (count) => (pending -= count),
      enqueue: (run) => enqueue({ ...run, job: { ...run.job, id: nextId++ } }),
    }),
    replaceGeoDatabase(database) {
      for (const worker of workers) worker.replaceGeoDatabase(database)
    },
    drain: async (deadlineMs) => {
      if (pending > 0) await wokenWithin(idleWaiters, deadlineMs)
      return pending
    },
    stop: async () => {
      await Promise.all(workers.map((worker) => worker.stop()))
    },
  }
}

/** As the log has it when the run fails. */
function nameOf(job: Job): string {
  switch (job.kind) {
    case 'report':
      return 'report'
    case 'event':
      return handlerRunName(job.name)
    case 'sink':
      return sinkRunName(job.name)
    case 'endpoint':
    case 'background':
      return job.name
    default:
      return job satisfies never
  }
}

function leastLoaded(workers: readonly WorkerHandle[]): number {
  let best = 0
  for (let index = 1; index < workers.length; index++) {
    if ((workers[index]?.load ?? Infinity) < (workers[best]?.load ?? Infinity)) best = index
  }
  return best
}

/** While a worker is replaced, what it would run waits a moment; the server is no less able to take reports. */
function readinessOf(workers: readonly WorkerHandle[]): ReturnType<PolicyPool['readiness']> {
  return workers.some((worker) => worker.state === 'running')
    ? { ready: true }
    : { ready: false, reason: 'no policy worker is running' }
}

/** Resolves when the waiters are woken, or after so many milliseconds. */
function wokenWithin(waiters: Set<() => void>, deadlineMs: number): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer)
      waiters.delete(finish)
      resolve()
    }
    const timer = setTimeout(finish, deadlineMs)
    waiters.add(finish)
  })
}
