/**
 * The main thread's side of one policy worker: it hands out runs, watches over the thread and replaces it.
 *
 * The worker's life: `starting` (the thread builds its Lua state) → `running` → `lost` (it died, ran out of memory, or
 * its event loop answered nothing for too long) → `starting` again, after a pause that grows while starts fail. `stopped`
 * ends it from anywhere. Runs wait in the backlog while the worker is not running.
 *
 * What a lost worker held has left no trace, since effects come only with results. Each of these runs goes back to the
 * front and is tried once more, one at a time: so the run that killed the worker is the only one in the thread if it
 * kills it again, and only that one counts as failed.
 *
 * When another pool is to take over, the worker is paused: runs wait in the backlog and none is handed out. What is in
 * the thread ends there, or is given up with the thread when that takes too long; the backlog is then taken out, or the
 * worker resumes.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import { messageOf, TrackError } from '../errors.ts'
import type { Log } from '../telemetry/log.ts'
import type { CollectedGeoDatabase } from '../config/settings-collector.ts'
import type { TrendReaderSetup } from '../store/embedded/trend-reader.ts'
import { packJobs } from './packed-jobs.ts'
import type { PolicyThreads } from './policy-thread-starter.ts'
import { unpackQuietRuns } from './quiet-runs.ts'
import { MAX_IN_FLIGHT } from './messages.ts'
import type { FromWorker, Job, RunOutcome, RunResult, ToWorker, WorkerSetup } from './messages.ts'
import type { StoreAnswer, StoreQuestion } from './store-questions.ts'
import { processorMeter } from './processor-time.ts'
import { lossFailure, type LossReason } from './worker-loss.ts'
import { RunBacklog } from './run-backlog.ts'

const PING_EVERY_MS = 1_000
/** On top of the processor time that a run may use: for garbage collection. */
const PROCESSOR_ALLOWANCE_MS = 2_000
const RESTART_PAUSE_MS = { first: 100, longest: 30_000 } as const
const MAX_TRIES = 2
/** As long as the configuration thread has for the same file. */
const START_DEADLINE_MS = 60_000

/** Takes the outcome; the run counts as pending until the promise settles. */
export type FinishRun = (outcome: RunOutcome) => Promise<unknown> | void

/** A run that was handed to a worker. */
export interface PendingRun {
  readonly job: Job
  /** What decides on the worker; undefined when any will do. */
  readonly key: string | undefined
  /** `performance.timeOrigin` based milliseconds. */
  readonly submittedAtMs: number
  /** What its submitter wants done in the end, whichever pool runs it. */
  readonly finish: FinishRun
  readonly settle: (outcome: RunOutcome, timing: RunTiming) => void
  tries: number
}

export interface RunTiming {
  readonly waitMs: number
  readonly runMs: number
}

/** Messages that a worker sends on behalf of its Lua code, not about a run. */
export type WorkerNotice = Exclude<
  FromWorker,
  { readonly type: 'ready' | 'failed' | 'results' | 'pong' | 'question' }
>

interface WorkerHandleDeps {
  readonly log: Log
  readonly onNotice: (notice: WorkerNotice) => void
  readonly onLost: (reason: LossReason) => void
  /** Milliseconds that the thread has used since it was said last: for those who measure. */
  readonly onProcessorTime?: (usedMs: number) => void
  /** The store's door for a new thread: its port goes over to it, and its number is never used twice. */
  readonly openReader: () => TrendReaderSetup
  readonly answer: (question: StoreQuestion) => Promise<StoreAnswer>
}

interface WorkerHandleOptions {
  readonly index: number
  readonly setup: WorkerSetup
  readonly threads: PolicyThreads
  /** How long the thread may take to build its Lua state; 60 s if not given. */
  readonly startDeadlineMs?: number
}

type State = 'starting' | 'running' | 'lost' | 'stopped'

export class WorkerHandle {
  readonly #deps: WorkerHandleDeps
  readonly #options: WorkerHandleOptions
  #setup: WorkerSetup
  readonly #backlog = new RunBacklog<PendingRun>()
  readonly #inFlight = new Map<number, PendingRun>()
  #state: State = 'starting'
  #worker: Worker | undefined
  #pumpIsDue = false
  #isPaused = false
  /** Its thread was given up while paused: resuming starts another one. */
  #isAbandoned = false
  /** Runs of a lost worker that are yet to be tried again, one at a time. */
  #suspects = 0
  readonly #processorMsOf: ReturnType<typeof processorMeter>
  /** Counted rather than timed: a server that was itself stopped for a while must not blame its workers. */
  #unansweredPings = 0
  /** The thread's processor time when it last gave a sign of life, as far as it was asked. */
  #processorMsAtSign: number | undefined
  #watchdog: NodeJS.Timeout | undefined
  readonly #stopping = new AbortController()

  constructor(deps: WorkerHandleDeps, options: WorkerHandleOptions) {
    this.#deps = deps
    this.#processorMsOf = processorMeter(deps.onProcessorTime)
    this.#options = options
    this.#setup = options.setup
  }

  get state(): State {
    return this.#state
  }

  /** Runs that wait or are in the thread. */
  get load(): number {
    return this.#backlog.size + this.#inFlight.size
  }

  get waiting(): number {
    return this.#backlog.size
  }

  /** Runs that are in the thread. */
  get running(): number {
    return this.#inFlight.size
  }

  /**
   * Starts the thread for the first time.
   *
   * @throws TrackError what the thread said when its Lua state could not be built; TRK_WORKER_LOST when it ended, or was
   *   not ready in time.
   */
  async start(): Promise<void> {
    await this.#launch()
  }

  submit(run: PendingRun): void {
    this.#backlog.push(run)
    this.#schedulePump()
  }

  /** Hands out no run from now on. */
  pause(): void {
    this.#isPaused = true
  }

  /** Of a paused worker: ends the thread if runs are still in it, and puts them back to the front as if never tried. */
  abandon(): void {
    if (this.#inFlight.size === 0) return
    clearInterval(this.#watchdog)
    this.#state = 'lost'
    this.#isAbandoned = true
    const worker = this.#worker
    this.#worker = undefined
    void worker?.terminate()
    const held = [...this.#inFlight.values()]
    this.#inFlight.clear()
    for (const run of held) run.tries--
    this.#backlog.giveBack(held)
  }

  /** Goes on after a pause. */
  resume(): void {
    this.#isPaused = false
    this.#schedulePump()
    if (!this.#isAbandoned) return
    this.#isAbandoned = false
    void this.#relaunch()
  }

  /** Removes and returns what waits, in order. */
  takeBacklog(): readonly PendingRun[] {
    return this.#backlog.take(this.#backlog.size)
  }

  /** A GeoIP file was replaced: the thread opens it anew, and so does one that replaces the thread later. */
  replaceGeoDatabase(database: CollectedGeoDatabase): void {
    const geoDatabases = this.#setup.geoDatabases.map((known) =>
      known.name === database.name ? database : known,
    )
    this.#setup = { ...this.#setup, geoDatabases }
    this.#post({ type: 'geo-database', database })
  }

  /** Has the thread run a line of the console now, ahead of what waits. A thread that is not running does without it. */
  repeatConsoleLine(line: string): void {
    if (this.#state === 'running') this.#post({ type: 'console-line', line })
  }

  /** Ends the thread; runs that are still here stay unsettled. */
  async stop(): Promise<void> {
    this.#state = 'stopped'
    this.#stopping.abort()
    clearInterval(this.#watchdog)
    await this.#worker?.terminate()
  }

  /** All runs submitted within one turn of the event loop leave in one message. */
  #schedulePump(): void {
    if (this.#pumpIsDue || this.#state !== 'running') return
    this.#pumpIsDue = true
    setImmediate(() => {
      this.#pumpIsDue = false
      this.#pump()
    })
  }

  #pump(): void {
    if (this.#state !== 'running' || this.#isPaused) return
    const room = this.#suspects > 0 ? 1 - this.#inFlight.size : MAX_IN_FLIGHT - this.#inFlight.size
    if (room <= 0) return
    const runs = this.#backlog.take(room)
    if (runs.length === 0) return
    for (const run of runs) {
      run.tries++
      this.#inFlight.set(run.job.id, run)
    }
    this.#post({ type: 'run', jobs: packJobs(runs.map((run) => run.job)) })
  }

  #post(message: ToWorker): void {
    this.#worker?.postMessage(message)
  }

  #launch(): Promise<void> {
    this.#state = 'starting'
    const reader = this.#deps.openReader()
    const name = `policy-${this.#options.index}`
    const worker = this.#options.threads.start(
      { setup: this.#setup, reader },
      { name, transfers: [reader.port] },
    )
    this.#worker = worker
    const { startDeadlineMs = START_DEADLINE_MS } = this.#options
    return new Promise((resolve, reject) => {
      let memoryRanOut = false
      let hasDied = false
      let hasFailed = false
      const fail = (error: TrackError): void => {
        hasFailed = true
        clearTimeout(tooLate)
        void worker.terminate()
        reject(error)
      }
      const tooLate = setTimeout(
        () => fail(new TrackError('TRK_WORKER_LOST', `it was not ready within ${startDeadlineMs / 1000} s`)),
        startDeadlineMs,
      )
      worker.on('message', (message: FromWorker) => {
        // What it had sent before it was ended, or given up: its runs are with its successor by now.
        if (hasFailed || this.#worker !== worker) return
        this.#unansweredPings = 0
        if (message.type === 'ready') {
          clearTimeout(tooLate)
          this.#running(worker)
          resolve()
        } else if (message.type === 'failed') {
          fail(TrackError.fromWire(message.error))
        } else {
          this.#receive(message)
        }
      })
      worker.on('error', (error: Error & { readonly code?: string }) => {
        memoryRanOut = error.code === 'ERR_WORKER_OUT_OF_MEMORY'
        hasDied = true
        this.#noteDeath(messageOf(error))
      })
      worker.once('exit', () => {
        fail(new TrackError('TRK_WORKER_LOST', 'it ended while it started'))
        if (this.#worker !== worker || this.#state !== 'running') return
        if (!hasDied) this.#noteDeath('it ended by itself')
        this.#lost(memoryRanOut ? 'memory' : 'exit')
      })
    })
  }

  #noteDeath(error: string): void {
    this.#deps.log.error('a policy worker died', { worker: this.#options.index, error })
  }

  #running(worker: Worker): void {
    this.#state = 'running'
    this.#unansweredPings = 0
    this.#watchdog = setInterval(() => void this.#watch(worker), PING_EVERY_MS)
    this.#schedulePump()
  }

  /**
   * Any message is a sign of life; a thread that a run holds cannot send one. Such a run has the processor time that runs
   * have: on a busy machine that may take long, so the time on the wall ends only what uses hardly any.
   */
  async #watch(worker: Worker): Promise<void> {
    const processorMs = await this.#processorMsOf(worker)
    if (this.#worker !== worker || this.#state !== 'running') return
    if (this.#unansweredPings === 0) this.#processorMsAtSign = processorMs
    const { cpuMs, wallMs } = this.#setup.limits
    const usedMs = (processorMs ?? 0) - (this.#processorMsAtSign ?? processorMs ?? 0)
    const silentForMs = this.#unansweredPings * PING_EVERY_MS
    if (usedMs > cpuMs + PROCESSOR_ALLOWANCE_MS || silentForMs > wallMs) {
      this.#deps.log.error('a policy worker answers nothing and is replaced', {
        worker: this.#options.index,
        silentForMs,
      })
      this.#lost('silent')
      return
    }
    this.#unansweredPings++
    this.#post({ type: 'ping' })
  }

  #receive(message: Exclude<FromWorker, { readonly type: 'ready' | 'failed' }>): void {
    if (message.type === 'pong') return
    if (message.type === 'question') {
      void this.#answer(message.id, message.question)
      return
    }
    if (message.type !== 'results') {
      this.#deps.onNotice(message)
      return
    }
    for (const result of message.results) {
      if (!('kind' in result)) this.#settle(result)
      else for (const quiet of unpackQuietRuns(result)) this.#settle(quiet)
    }
    this.#pump()
  }

  #settle(result: RunResult): void {
    const run = this.#inFlight.get(result.id)
    if (run === undefined) return
    this.#inFlight.delete(result.id)
    if (this.#suspects > 0) this.#suspects--
    const waitMs = Math.max(0, result.startedAtMs - run.submittedAtMs)
    run.settle(result.outcome, { waitMs, runMs: result.durationMs })
  }

  async #answer(id: number, question: StoreQuestion): Promise<void> {
    const worker = this.#worker
    const answer = await this.#deps
      .answer(question)
      .catch((error: unknown): StoreAnswer => ({ kind: 'failed', message: messageOf(error) }))
    // The numbers of questions are those of the thread that asked.
    if (worker === this.#worker) this.#post({ type: 'answer', id, answer })
  }

  #lost(reason: LossReason): void {
    clearInterval(this.#watchdog)
    this.#state = 'lost'
    const lost = this.#worker
    this.#worker = undefined
    void lost?.terminate()
    this.#deps.onLost(reason)
    this.#reclaim(reason)
    void this.#relaunch()
  }

  #reclaim(reason: LossReason): void {
    const held = [...this.#inFlight.values()]
    this.#inFlight.clear()
    const again = held.filter((run) => run.tries < MAX_TRIES)
    this.#backlog.giveBack(again)
    // Suspects of an earlier loss that were not tried yet are still in the backlog, behind these.
    this.#suspects = Math.max(this.#suspects - held.length, 0) + again.length
    for (const run of held) {
      if (run.tries < MAX_TRIES) continue
      run.settle({ ok: false, failure: lossFailure(reason, MAX_TRIES) }, { waitMs: 0, runMs: 0 })
    }
  }

  async #relaunch(): Promise<void> {
    let pauseMs: number = RESTART_PAUSE_MS.first
    while (!this.#stopping.signal.aborted) {
      try {
        await this.#launch()
        return
      } catch (error) {
        if (this.#stopping.signal.aborted) return
        this.#deps.log.error('a policy worker could not be started again', {
          worker: this.#options.index,
          error: messageOf(error),
          nextTryInMs: pauseMs,
        })
        await sleep(pauseMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined)
        pauseMs = Math.min(pauseMs * 2, RESTART_PAUSE_MS.longest)
      }
    }
  }
}
